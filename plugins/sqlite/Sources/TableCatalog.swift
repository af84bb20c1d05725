internal import DataPath
internal import PluginAPI
internal import SQLiteClient

/// Which tables of the database are ours, and what they mean: the table `_streamplat_tables`.
struct TableCatalog {
    static let schema = """
        CREATE TABLE IF NOT EXISTS _streamplat_tables (
          name TEXT PRIMARY KEY, owner TEXT NOT NULL, fingerprint TEXT NOT NULL, key TEXT NOT NULL) WITHOUT ROWID
        """

    private let connection: SQLiteConnection

    init(_ connection: SQLiteConnection) { self.connection = connection }

    /// Our tables with their row counts.
    func tables() throws -> [(name: String, rows: Int64)] {
        try names().map { name in
            let statement = try connection.prepare("SELECT count(*) FROM \(SQLText.identifier(name))")
            guard try statement.step(), case .integer(let rows) = statement.value(0) else { return (name, 0) }
            return (name, rows)
        }
    }

    /// False in a database that streamplat has never written to.
    private func isThere() throws -> Bool {
        try !rows("SELECT 1 FROM sqlite_master WHERE name = '_streamplat_tables'", []).isEmpty
    }

    private func names() throws -> [String] {
        guard try isThere() else { return [] }
        return try rows("SELECT name FROM _streamplat_tables JOIN sqlite_master USING (name) ORDER BY name", [])
            .compactMap {
                $0.first?.text
            }
    }

    /// What has to be done so that the database has the table as it is wanted.
    func change(to table: TableDefinition) throws -> TableChange {
        let columns = try rows("SELECT name, type, \"notnull\" FROM pragma_table_info(?1) ORDER BY cid", [table.name])
        if columns.isEmpty { return .create }
        let owned =
            try isThere()
            ? rows("SELECT owner, fingerprint, key FROM _streamplat_tables WHERE name = ?1", [table.name]).first : nil
        guard let owned, let owner = owned[0].text, let fingerprint = owned[1].text, let key = owned[2].text else {
            return .refuse(
                reason: "a table '\(table.name)' that streamplat did not create is there already",
                hint: "rename the aggregation, or rename or drop that table yourself")
        }
        guard owner == table.owner else {
            return .refuse(
                reason: "table '\(table.name)' belongs to domain '\(owner)'",
                hint: "rename the aggregation, or give this domain a sink of its own")
        }
        guard key == keyText(table) else {
            return .refuse(
                reason: "the key of table '\(table.name)' would change from (\(key)) to (\(keyText(table)))",
                hint: "give the aggregation a new name; its old table stays as it is")
        }
        var steps: [String] = []
        for column in table.columns {
            let wanted = SQLText.type(column.type)
            if let existing = columns.first(where: { $0[0].text == column.name }) {
                guard existing[1].text == wanted else {
                    return .refuse(
                        reason: "column '\(column.name)' of table '\(table.name)' is \(existing[1].text ?? "?") and "
                            + "would become \(wanted)",
                        hint: "give the column (`as:`) or the aggregation a new name")
                }
                guard existing[2] == .integer(column.isNullable ? 0 : 1) else {
                    return .refuse(
                        reason: "column '\(column.name)' of table '\(table.name)' would become "
                            + (column.isNullable ? "nullable" : "required") + ", which SQLite cannot change",
                        hint: "give the aggregation a new name; its old table stays as it is")
                }
            } else if column.isNullable {
                steps.append("add column \(column.name) \(wanted)")
            } else {
                steps.append(
                    "add column \(column.name) \(wanted), 0 in the rows that are there until they are counted anew")
            }
        }
        for column in columns where !table.columns.contains(where: { $0.name == column[0].text }) {
            guard column[2] == .integer(0) else {
                return .refuse(
                    reason:
                        "column '\(column[0].text ?? "?")' of table '\(table.name)' is no longer written, but must not be null",
                    hint: "give the aggregation a new name; its old table stays as it is")
            }
            // Said once, when the meaning changes; afterwards the column is only there.
            if fingerprint != table.fingerprint {
                steps.append("keep column \(column[0].text ?? "?"), null from now on")
            }
        }
        if fingerprint == table.fingerprint { return steps.isEmpty ? .none : .alter(steps) }
        return .rebuild(steps)
    }

    func apply(_ table: TableDefinition) throws {
        try connection.transaction {
            let change = try change(to: table)
            switch change {
            case .none, .refuse: return
            case .create:
                for statement in SQLText.create(table) { try connection.execute(statement) }
            case .alter: try addColumns(table)
            case .rebuild:
                try addColumns(table)
                try connection.execute("DELETE FROM \(SQLText.identifier(table.name))")
            }
            if case .alter = change {} else { try WriterTable(connection).endRuns(of: table.owner) }
            _ = try rows(
                """
                INSERT INTO _streamplat_tables VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (name) DO UPDATE SET
                  owner = excluded.owner, fingerprint = excluded.fingerprint, key = excluded.key
                """, [table.name, table.owner, table.fingerprint, keyText(table)])
        }
    }

    private func addColumns(_ table: TableDefinition) throws {
        let existing = try rows("SELECT name FROM pragma_table_info(?1)", [table.name]).compactMap { $0.first?.text }
        for column in table.columns where !existing.contains(column.name) {
            let filler = column.isNullable ? "" : " DEFAULT 0"
            try connection.execute(
                "ALTER TABLE \(SQLText.identifier(table.name)) ADD COLUMN \(SQLText.column(column))\(filler)")
        }
    }

    private func keyText(_ table: TableDefinition) -> String { table.key.joined(separator: ", ") }

    private func rows(_ sql: String, _ parameters: [String]) throws -> [[SQLiteStatement.Value]] {
        let statement = try connection.prepare(sql)
        for (index, parameter) in parameters.enumerated() {
            try Array(parameter.utf8).withUnsafeBytes { try statement.bindCopiedText(Int32(index + 1), $0) }
        }
        var result: [[SQLiteStatement.Value]] = []
        while try statement.step() { result.append((0..<statement.columnCount).map(statement.value)) }
        return result
    }
}

extension SQLiteStatement.Value {
    fileprivate var text: String? { if case .text(let text) = self { text } else { nil } }
}
