internal import Diagnostics
internal import PluginAPI
internal import SQLiteClient

/// A person's SQL against a connection that cannot write.
enum SQLiteQuery {
    static func run(_ sql: String, on reader: SQLiteConnection, path: String) throws -> QueryResult {
        do {
            let statement = try reader.prepare(sql)
            // ATTACH and its like change no database, but have no columns either.
            guard statement.isReadOnly, statement.columnCount > 0 else {
                throw PipelineError(
                    .queryFailed, "only queries are allowed here", hint: "write SELECT …; streamplat owns these tables")
            }
            var result = QueryResult(columns: (0..<statement.columnCount).map(statement.columnName), rows: [])
            while try statement.step() {
                result.rows.append((0..<statement.columnCount).map { cell(statement.value($0)) })
            }
            return result
        } catch let error as SQLiteError where !error.isNotADatabase {
            throw PipelineError(
                .queryFailed, error.message, hint: "`streamplat query` without SQL lists the tables", component: path)
        }
    }

    private static func cell(_ value: SQLiteStatement.Value) -> QueryResult.Cell {
        switch value {
        case .null: .null
        case .integer(let value): .integer(value)
        case .double(let value): .double(value)
        case .text(let value): .text(value)
        case .blob(let bytes): .text(bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined())
        }
    }
}
