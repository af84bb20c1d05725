internal import DataPath
internal import Diagnostics
internal import PluginAPI

/// Which tables of the database are ours, and what they mean: the table `streamplat_tables`.
///
/// ClickHouse has no transactions, so the steps of a change are ordered such that a crash between them leaves something
/// that the next `apply` finishes: a new table is listed before it is created, a rebuilt one after it was emptied.
struct TableCatalog {
    static let name = "streamplat_tables"

    private let server: ClickHouseConnection
    private let sql: SQLText
    private let createsDatabase: Bool

    private struct Entry {
        var owner: String
        var content: String
        var fingerprint: String
        var key: String
    }

    private struct Column {
        var name: String
        var type: String
        var isStored: Bool
    }

    init(_ server: ClickHouseConnection, _ sql: SQLText, createsDatabase: Bool) {
        self.server = server
        self.sql = sql
        self.createsDatabase = createsDatabase
    }

    /// Our tables that are there, by name.
    func names() throws -> [String] {
        let listed = try rows("SELECT name FROM \(sql.table(Self.name)) FINAL ORDER BY name")
        let there = try rows("SELECT name FROM system.tables WHERE database = \(SQLText.literal(sql.database))")
        let names = Set(there.map { $0[0] })
        return listed.map { $0[0] }.filter(names.contains)
    }

    /// What has to be done so that the database has the table as it is wanted.
    func change(to table: TableDefinition) throws -> TableChange {
        if [Self.name, WriterTable.name].contains(table.name)
            || table.columns.contains(where: { $0.name == SQLText.versionColumn })
        {
            let taken =
                [Self.name, WriterTable.name].contains(table.name)
                ? "the table name '\(table.name)'" : "a column '\(SQLText.versionColumn)'"
            return .refuse(reason: "\(taken) is the sink's own", hint: "choose another name")
        }
        let columns = try columns(of: table.name)
        if columns.isEmpty { return .create }
        guard let entry = try entry(table.name), try isOurs(table.name, columns) else {
            return .refuse(
                reason: "a table '\(table.name)' that streamplat did not create is there already",
                hint: "rename the aggregation, or rename or drop that table yourself")
        }
        guard entry.owner == table.owner else {
            return .refuse(
                reason: "table '\(table.name)' belongs to domain '\(entry.owner)'",
                hint: "rename the aggregation, or give this domain a sink or a `database` of its own")
        }
        guard entry.key == keyText(table), entry.content == contentText(table) else {
            return .refuse(
                reason: "the key of table '\(table.name)' would change from (\(entry.key)) to (\(keyText(table)))",
                hint: "give the aggregation a new name; its old table stays as it is")
        }
        var steps: [String] = []
        for column in table.columns {
            let wanted = ColumnTypes.declared(column, sql.version)
            if let existing = columns.first(where: { $0.name == column.name }) {
                guard existing.isStored, ColumnTypes.holds(existing.type, column, sql.version) else {
                    return .refuse(
                        reason: "column '\(column.name)' of table '\(table.name)' is \(existing.type) and would become "
                            + wanted,
                        hint: hint(column, table))
                }
            } else if column.isNullable {
                steps.append("add column \(column.name) \(wanted)")
            } else {
                steps.append(
                    "add column \(column.name) \(wanted), 0 or empty in the rows that are there until they are "
                        + "counted anew")
            }
        }
        if entry.fingerprint == table.fingerprint { return steps.isEmpty ? .none : .alter(steps) }
        let known = Set(table.columns.map(\.name) + [SQLText.versionColumn])
        for column in columns where column.isStored && !known.contains(column.name) {
            steps.append("keep column \(column.name), null, 0 or empty from now on")
        }
        return .rebuild(steps)
    }

    /// How a person gets out of a column of another type.
    private func hint(_ column: ColumnSpec, _ table: TableDefinition) -> String {
        guard case .scalar = ColumnForm(column, sql.version) else {
            // Tables that hold JSON text for want of a better type, of an older streamplat or an older server.
            return "rename that table (RENAME TABLE), or drop it; `streamplat apply` then creates it anew, and it is "
                + "filled from the events that are still kept"
        }
        return "give the column (`as:`) or the aggregation a new name"
    }

    func apply(_ table: TableDefinition) throws {
        switch try change(to: table) {
        case .none: return
        case .refuse(let reason, let hint): throw PipelineError(.tableRefused, reason, hint: hint)
        case .create:
            try prepare()
            try record(table)
            try server.execute(sql.create(table))
            try WriterTable(server, sql).endRuns(of: table.owner)
        case .alter: try addColumns(table)
        case .rebuild:
            try WriterTable(server, sql).endRuns(of: table.owner)
            try addColumns(table)
            try server.execute("TRUNCATE TABLE \(sql.table(table.name))")
            try record(table)
        }
    }

    private func prepare() throws {
        if createsDatabase { try server.execute(sql.createDatabase()) }
        try server.execute(
            """
            CREATE TABLE IF NOT EXISTS \(sql.table(Self.name)) (
              name String, owner String, content String, fingerprint String, key String, \(SQLText.versionColumn) UInt64)
            ENGINE = ReplacingMergeTree(\(SQLText.versionColumn)) ORDER BY name
            """)
        try WriterTable(server, sql).create()
    }

    private func record(_ table: TableDefinition) throws {
        let latest = try rows(
            "SELECT max(\(SQLText.versionColumn)) FROM \(sql.table(Self.name)) "
                + "WHERE name = \(SQLText.literal(table.name))")
        let version = (latest.first.flatMap { UInt64($0[0]) } ?? 0) + 1
        let values = [table.name, table.owner, contentText(table), table.fingerprint, keyText(table)]
        try server.execute(
            "INSERT INTO \(sql.table(Self.name)) (name, owner, content, fingerprint, key, \(SQLText.versionColumn)) "
                + "VALUES (\(values.map(SQLText.literal).joined(separator: ", ")), \(version))")
    }

    private func addColumns(_ table: TableDefinition) throws {
        let existing = Set(try columns(of: table.name).map(\.name))
        for column in table.columns where !existing.contains(column.name) {
            for statement in sql.add(column, to: table, existing: existing) { try server.execute(statement) }
        }
    }

    private func columns(of table: String) throws -> [Column] {
        try rows("SELECT name, type, default_kind FROM system.columns WHERE \(isTable(table, named: "table"))").map {
            Column(name: $0[0], type: $0[1], isStored: $0[2] != "ALIAS" && $0[2] != "MATERIALIZED")
        }
    }

    /// A table that only has the name of one that was ours is not ours.
    private func isOurs(_ table: String, _ columns: [Column]) throws -> Bool {
        let engine = try rows("SELECT engine FROM system.tables WHERE \(isTable(table, named: "name"))").first?[0]
        return engine?.hasSuffix("ReplacingMergeTree") == true
            && columns.contains { $0.name == SQLText.versionColumn && $0.type == "UInt64" }
    }

    private func entry(_ table: String) throws -> Entry? {
        try rows(
            "SELECT owner, content, fingerprint, key FROM \(sql.table(Self.name)) FINAL "
                + "WHERE name = \(SQLText.literal(table))"
        ).first.map { Entry(owner: $0[0], content: $0[1], fingerprint: $0[2], key: $0[3]) }
    }

    private func isTable(_ table: String, named column: String) -> String {
        "database = \(SQLText.literal(sql.database)) AND \(column) = \(SQLText.literal(table))"
    }

    private func keyText(_ table: TableDefinition) -> String { table.key.joined(separator: ", ") }

    private func contentText(_ table: TableDefinition) -> String {
        switch table.content {
        case .aggregation: "aggregation"
        case .rawEvents: "raw events"
        }
    }

    /// A database or catalog that is not there holds nothing. Every cell as text.
    private func rows(_ query: String) throws -> [[String]] {
        try server.select(query, empty: [ServerException.unknownTable, ServerException.unknownDatabase]).map { row in
            row.map { cell in
                switch cell {
                case .null: ""
                case .text(let text): text
                case .integer(let value): String(value)
                case .double(let value): String(value)
                }
            }
        }
    }
}
