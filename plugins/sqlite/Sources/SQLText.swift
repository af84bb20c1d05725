internal import DataPath
internal import Diagnostics
internal import PluginAPI

/// SQL of one table, in SQLite's dialect.
enum SQLText {
    static func identifier(_ name: String) -> String { name.quoted("\"") }

    static func type(_ type: LogicalType) -> String {
        switch type {
        case .boolean, .int, .long: "INTEGER"
        case .float, .double: "REAL"
        case .bytes: "BLOB"
        case .string, .uuid, .json, .date, .timestamp, .decimal: "TEXT"
        }
    }

    static func column(_ column: ColumnSpec) -> String {
        "\(identifier(column.name)) \(type(column.type))\(column.isNullable ? "" : " NOT NULL")"
    }

    static func create(_ table: TableDefinition) -> [String] {
        let columns = table.columns.map(column)
        if hasNullableKey(table) {
            return [
                "CREATE TABLE \(identifier(table.name)) (\n  \(columns.joined(separator: ",\n  ")))",
                "CREATE UNIQUE INDEX \(identifier("\(table.name)_key")) ON \(identifier(table.name)) (\(keyTerms(table)))",
            ]
        }
        return [
            "CREATE TABLE \(identifier(table.name)) (\n  \(columns.joined(separator: ",\n  ")),\n"
                + "  PRIMARY KEY (\(keyTerms(table)))) WITHOUT ROWID"
        ]
    }

    /// What statements call the rows of a table that wait. The prefix is ours: a table of the database would go first.
    static func waitingRows(_ table: TableDefinition) -> String { "_streamplat_waiting_\(table.name)" }

    /// - Parameter rows: A table with the same columns.
    static func upsert(_ table: TableDefinition, from rows: String) -> String {
        let names = table.columns.map { identifier($0.name) }.joined(separator: ", ")
        let updates = table.columns.filter { !table.key.contains($0.name) }
            .map { "\(identifier($0.name)) = excluded.\(identifier($0.name))" }
        // Without WHERE, ON would begin the condition of a join.
        return "INSERT INTO \(identifier(table.name)) (\(names)) SELECT \(names) FROM \(identifier(rows)) WHERE true "
            + "ON CONFLICT (\(keyTerms(table))) DO "
            + (updates.isEmpty ? "NOTHING" : "UPDATE SET \(updates.joined(separator: ", "))")
    }

    /// Takes out the rows of the same group whose window lies inside that of one of `rows`.
    ///
    /// They are looked up first: a deletion for each of `rows` costs more than its insertion, though most find nothing.
    static func deleteInside(_ table: TableDefinition, from rows: String) -> String {
        var terms: [String] = []
        for name in table.key where name != "window_start" && name != "window_end" {
            let (own, given) = ("inside.\(identifier(name))", "given.\(identifier(name))")
            if table.columns.first(where: { $0.name == name })?.isNullable ?? false {
                // As the index has them.
                terms += ["(\(own) IS NULL) = (\(given) IS NULL)", "ifnull(\(own), '') = ifnull(\(given), '')"]
            } else {
                terms.append("\(own) = \(given)")
            }
        }
        terms += [
            "inside.window_start >= given.window_start", "inside.window_start < given.window_end",
            "inside.window_end <= given.window_end",
            "NOT (inside.window_start = given.window_start AND inside.window_end = given.window_end)",
        ]
        let row = hasNullableKey(table) ? [rowNumber(table)] : table.key
        let own = row.map(identifier).joined(separator: ", ")
        let found = row.map { "inside.\(identifier($0))" }.joined(separator: ", ")
        // CROSS: the table is looked up for each of the rows, never the other way round.
        return
            "DELETE FROM \(identifier(table.name)) WHERE (\(own)) IN (SELECT \(found) FROM \(identifier(rows)) AS given "
            + "CROSS JOIN \(identifier(table.name)) AS inside WHERE \(terms.joined(separator: " AND ")))"
    }

    /// 1 where the table has no rows and nothing in the database makes some by itself.
    static func isBare(_ table: TableDefinition) -> String {
        "SELECT NOT EXISTS (SELECT 1 FROM \(identifier(table.name))) "
            + "AND NOT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'trigger')"
    }

    /// A name of SQLite's row number that no column has taken.
    private static func rowNumber(_ table: TableDefinition) -> String {
        ["rowid", "_rowid_", "oid"].first { name in !table.columns.contains { $0.name.lowercased() == name } }
            ?? "rowid"
    }

    /// SQLite's unique indexes hold nulls for different; an expression index makes them equal.
    private static func keyTerms(_ table: TableDefinition) -> String {
        table.key.flatMap { name -> [String] in
            let isNullable = table.columns.first { $0.name == name }?.isNullable ?? false
            return isNullable ? ["\(identifier(name)) IS NULL", "ifnull(\(identifier(name)), '')"] : [identifier(name)]
        }.joined(separator: ", ")
    }

    private static func hasNullableKey(_ table: TableDefinition) -> Bool {
        table.columns.contains { $0.isNullable && table.key.contains($0.name) }
    }
}
