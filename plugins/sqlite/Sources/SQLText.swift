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

    static func upsert(_ table: TableDefinition) -> String {
        let names = table.columns.map { identifier($0.name) }
        let updates = table.columns.filter { !table.key.contains($0.name) }
            .map { "\(identifier($0.name)) = excluded.\(identifier($0.name))" }
        return "INSERT INTO \(identifier(table.name)) (\(names.joined(separator: ", "))) VALUES ("
            + names.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
            + ") ON CONFLICT (\(keyTerms(table))) DO "
            + (updates.isEmpty ? "NOTHING" : "UPDATE SET \(updates.joined(separator: ", "))")
    }

    /// Takes out the rows of the same group whose window lies inside that of a row; parameters as in ``upsert(_:)``.
    static func deleteInside(_ table: TableDefinition) -> String {
        var terms: [String] = []
        func parameter(_ name: String) -> String {
            "?\((table.columns.firstIndex { $0.name == name } ?? 0) + 1)"
        }
        for name in table.key where name != "window_start" && name != "window_end" {
            let (own, given) = (identifier(name), parameter(name))
            if table.columns.first(where: { $0.name == name })?.isNullable ?? false {
                // As the index has them.
                terms += ["(\(own) IS NULL) = (\(given) IS NULL)", "ifnull(\(own), '') = ifnull(\(given), '')"]
            } else {
                terms.append("\(own) = \(given)")
            }
        }
        let (start, end) = (parameter("window_start"), parameter("window_end"))
        terms += [
            "window_start >= \(start)", "window_start < \(end)", "window_end <= \(end)",
            "NOT (window_start = \(start) AND window_end = \(end))",
        ]
        return "DELETE FROM \(identifier(table.name)) WHERE \(terms.joined(separator: " AND "))"
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
