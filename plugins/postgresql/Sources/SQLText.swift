internal import DataPath
internal import Diagnostics
internal import PluginAPI

/// SQL of one table, in PostgreSQL's dialect. Every name is quoted, every table is named with its schema.
struct SQLText {
    let schema: String
    let table: TableDefinition

    init(_ table: TableDefinition, schema: String) {
        self.table = table
        self.schema = schema
    }

    static func identifier(_ name: String) -> String { name.quoted("\"") }

    var qualified: String { "\(Self.identifier(schema)).\(Self.identifier(table.name))" }

    var hasNullableKey: Bool { table.columns.contains { $0.isNullable && table.key.contains($0.name) } }

    /// The table, whose rows are unique by key; nulls in a key are equal to each other.
    func create() -> [String] {
        var parts = table.columns.map(column)
        if !hasNullableKey { parts.append("PRIMARY KEY (\(keyColumns))") }
        let create = "CREATE TABLE \(qualified) (\n  \(parts.joined(separator: ",\n  ")))"
        // A primary key takes no nulls. The server chooses the index's name, so that it fits.
        return hasNullableKey
            ? [create, "CREATE UNIQUE INDEX ON \(qualified) (\(keyColumns)) NULLS NOT DISTINCT"] : [create]
    }

    func addColumn(_ column: ColumnSpec) -> String { "ALTER TABLE \(qualified) ADD COLUMN \(self.column(column))" }

    func allowNull(_ column: String) -> String {
        "ALTER TABLE \(qualified) ALTER COLUMN \(Self.identifier(column)) DROP NOT NULL"
    }

    func deleteRows() -> String { "TRUNCATE TABLE \(qualified)" }

    // MARK: Writing.

    /// The table of one session that a batch is copied into: the rows' numbers, then the columns in order.
    ///
    /// Texts compare by their bytes there: that is faster than by language, and equal is equal in both.
    func createStage(_ stage: String) -> String {
        let columns = table.columns.indices.map { index in
            let type = PostgresType(table.columns[index])
            return "c\(index) \(type.name)" + (type == .text ? " COLLATE \"C\"" : "")
        }
        return "CREATE TEMP TABLE \(stage) (row bigint, \(columns.joined(separator: ", "))) ON COMMIT DELETE ROWS"
    }

    func copy(into stage: String) -> String { "COPY pg_temp.\(stage) FROM STDIN (FORMAT binary)" }

    /// Takes the last row of each key among those with these numbers. `DISTINCT ON` holds nulls for equal.
    func merge(from stage: String, rows: Range<Int64>) -> String {
        let key = table.key.compactMap { name in table.columns.firstIndex { $0.name == name }.map { "c\($0)" } }
            .joined(separator: ", ")
        let sources = table.columns.indices.map { "c\($0)" }.joined(separator: ", ")
        let targets = table.columns.map { Self.identifier($0.name) }.joined(separator: ", ")
        let updates = table.columns.filter { !table.key.contains($0.name) }
            .map { "\(Self.identifier($0.name)) = excluded.\(Self.identifier($0.name))" }
        return """
            INSERT INTO \(qualified) (\(targets))
            SELECT DISTINCT ON (\(key)) \(sources) FROM pg_temp.\(stage) \
            WHERE row >= \(rows.lowerBound) AND row < \(rows.upperBound) ORDER BY \(key), row DESC
            ON CONFLICT (\(keyColumns)) DO \
            \(updates.isEmpty ? "NOTHING" : "UPDATE SET \(updates.joined(separator: ", "))")
            """
    }

    /// After ``merge(from:)``: takes out the rows of the same group whose window lies inside that of a staged row. Staged
    /// rows may be such themselves: a window grew before it was committed.
    func deleteInside(from stage: String, rows: Range<Int64>) -> String {
        func staged(_ name: String) -> String { "s.c\(table.columns.firstIndex { $0.name == name } ?? 0)" }
        var terms = table.key.filter { $0 != "window_start" && $0 != "window_end" }.map { name -> String in
            let column = table.columns.first { $0.name == name }
            // The stage's texts have another collation; equal is equal in both.
            let isText = column.map { PostgresType($0) == .text } ?? false
            let value = staged(name) + (isText ? " COLLATE \"default\"" : "")
            return "t.\(Self.identifier(name)) \(column?.isNullable ?? false ? "IS NOT DISTINCT FROM" : "=") \(value)"
        }
        let (start, end) = (staged("window_start"), staged("window_end"))
        terms += [
            "s.row >= \(rows.lowerBound)", "s.row < \(rows.upperBound)",
            "t.window_start >= \(start)", "t.window_start < \(end)", "t.window_end <= \(end)",
            "NOT (t.window_start = \(start) AND t.window_end = \(end))",
        ]
        return "DELETE FROM \(qualified) t USING pg_temp.\(stage) s WHERE \(terms.joined(separator: " AND "))"
    }

    private var keyColumns: String { table.key.map(Self.identifier).joined(separator: ", ") }

    private func column(_ column: ColumnSpec) -> String {
        "\(Self.identifier(column.name)) \(PostgresType(column).name)\(column.isNullable ? "" : " NOT NULL")"
    }
}
