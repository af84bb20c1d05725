internal import DataPath
internal import PluginAPI

/// What has to be done so that the database has a table as it is wanted. Pure: no statement is run.
struct TableComparison {
    let change: TableChange
    /// The statements that make the change.
    let statements: [String]

    /// - Parameters:
    ///   - live: The table as it is; nil when there is none.
    ///   - serverVersion: Such as 150018.
    init(_ table: TableDefinition, live: LiveTable?, schema: String, serverVersion: Int) {
        let sql = SQLText(table, schema: schema)
        if let refusal = Self.refusal(of: sql, serverVersion: serverVersion) {
            (change, statements) = (refusal, [])
            return
        }
        guard let live else {
            (change, statements) = (.create, sql.create())
            return
        }
        if let refusal = Self.refusal(of: table, live: live) {
            (change, statements) = (refusal, [])
            return
        }
        var needsRebuild = live.entry?.fingerprint != table.fingerprint
        var steps: [String] = []
        var notes: [String] = []
        var statements: [String] = []
        for column in table.columns {
            if let existing = live.columns.first(where: { $0.name == column.name }) {
                // A column that is required from now on may stay nullable: nothing but us writes it.
                guard existing.isRequired, column.isNullable else { continue }
                steps.append("allow null in column \(column.name)")
                statements.append(sql.allowNull(column.name))
            } else {
                let type = PostgresType(column).name
                steps.append("add column \(column.name) \(type)")
                statements.append(sql.addColumn(column))
                // The rows that are there have no value for it.
                if !column.isNullable { needsRebuild = true }
            }
        }
        for column in live.columns where !table.columns.contains(where: { $0.name == column.name }) {
            notes.append("keep column \(column.name), null from now on")
            if column.isRequired { statements.append(sql.allowNull(column.name)) }
        }
        if needsRebuild {
            self.change = .rebuild(steps + notes)
            self.statements = [sql.deleteRows()] + statements
        } else {
            self.change = statements.isEmpty ? .none : .alter(steps + notes)
            self.statements = statements
        }
    }

    /// What this server cannot hold, whatever is there.
    private static func refusal(of sql: SQLText, serverVersion: Int) -> TableChange? {
        let table = sql.table
        if [TableCatalog.name, WriterTable.name].contains(table.name) {
            return .refuse(
                reason: "'\(table.name)' is the name of streamplat's own table", hint: "give it another name")
        }
        // The server would cut longer names and call two of them the same.
        if let name = ([table.name] + table.columns.map(\.name)).first(where: { $0.utf8.count > 63 }) {
            return .refuse(
                reason: "the name '\(name)' is longer than PostgreSQL's 63 bytes", hint: "give it a shorter name")
        }
        if table.key.count > 32 {
            return .refuse(
                reason: "table '\(table.name)' has \(table.key.count) key columns, and PostgreSQL allows 32",
                hint: "group by fewer fields")
        }
        if table.columns.count > 1_599 {
            return .refuse(
                reason: "table '\(table.name)' has \(table.columns.count) columns, and PostgreSQL allows 1,599",
                hint: "split the event type")
        }
        if sql.hasNullableKey, serverVersion < 150_000 {
            return .refuse(
                reason: "the key of table '\(table.name)' may be null, which needs PostgreSQL 15 "
                    + "(UNIQUE NULLS NOT DISTINCT); this is version \(serverVersion / 10_000)",
                hint: "filter nulls out of the fields of group_by and make them required, or use a newer server")
        }
        return nil
    }

    /// What of the table that is there stands in the way.
    private static func refusal(of table: TableDefinition, live: LiveTable) -> TableChange? {
        guard live.isOrdinary else {
            return .refuse(
                reason: "'\(table.name)' is there and is not an ordinary table",
                hint: "rename the aggregation, or rename or drop what is there yourself")
        }
        guard let entry = live.entry else {
            return .refuse(
                reason: "a table '\(table.name)' that streamplat did not create is there already",
                hint: "rename the aggregation, or rename or drop that table yourself")
        }
        guard entry.owner == table.owner else {
            return .refuse(
                reason: "table '\(table.name)' belongs to domain '\(entry.owner)'",
                hint: "rename the aggregation, or give this domain a schema of its own")
        }
        let key = TableCatalog.keyText(table)
        guard entry.key == key else {
            return .refuse(
                reason: "the key of table '\(table.name)' would change from (\(entry.key)) to (\(key))",
                hint: "give the aggregation a new name; its old table stays as it is")
        }
        for column in table.columns {
            guard let existing = live.columns.first(where: { $0.name == column.name }) else {
                guard !table.key.contains(column.name) else {
                    return .refuse(
                        reason: "key column '\(column.name)' of table '\(table.name)' is gone",
                        hint: "give the aggregation a new name; its old table stays as it is")
                }
                continue
            }
            let wanted = PostgresType(column).name
            guard existing.type == wanted else {
                return .refuse(
                    reason: "column '\(column.name)' of table '\(table.name)' is \(existing.type) and would become "
                        + wanted,
                    hint: "give the column (`as:`) or the aggregation a new name")
            }
            if existing.isRequired, column.isNullable, table.key.contains(column.name) {
                return .refuse(
                    reason: "key column '\(column.name)' of table '\(table.name)' would become nullable",
                    hint: "give the aggregation a new name; its old table stays as it is")
            }
        }
        return nil
    }
}
