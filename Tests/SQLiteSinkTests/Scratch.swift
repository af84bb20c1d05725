import DataPath
import Foundation
import PluginAPI
import SQLiteClient
import SQLiteSink

/// A folder with a database of its own.
final class Scratch {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("sqlite-sink-\(UUID().uuidString)")
    var path: String { root.appendingPathComponent("results.db").path }

    deinit { try? FileManager.default.removeItem(at: root) }

    func open(busyTimeoutMilliseconds: Int64 = 10_000) throws -> any Sink {
        try SQLiteSinkPlugin().open(
            OptionValues([
                "path": .string("results.db"), "busy_timeout": .durationMilliseconds(busyTimeoutMilliseconds),
            ]), PluginContext(projectRoot: root.path, notify: { _ in }))
    }

    func execute(_ sql: String) throws { try SQLiteConnection(path: path).execute(sql) }

    /// Of one row, as another program sees it.
    func cells(_ sql: String) throws -> [SQLiteStatement.Value] {
        let statement = try SQLiteConnection(path: path, mode: .readOnly).prepare(sql)
        return try statement.step() ? (0..<statement.columnCount).map(statement.value) : []
    }
}

/// Tables of notes.
enum Notes {
    static let table = definition("notes")

    static func definition(_ name: String) -> TableDefinition {
        var table = TableDefinition(
            name: name, content: .aggregation, columns: [ColumnSpec("id", .long), ColumnSpec("note", .string)],
            key: ["id"], fingerprint: "1")
        table.owner = "shop"
        return table
    }

    /// Of the first two columns.
    static func rows(_ rows: [(Int64, String)], of table: TableDefinition = table) -> RecordBatch {
        let batch = RecordBatch(schema: BatchSchema(table.columns))
        for row in rows {
            if case .int64(let vector) = batch.columns[0] { vector.append(row.0) }
            if case .bytes(let vector) = batch.columns[1] { vector.append(row.1) }
        }
        batch.rowCount = rows.count
        return batch
    }

    static func claim(_ writer: String) -> WriterClaim {
        WriterClaim(domain: "shop", environment: "local", writer: writer, epoch: 1, tables: [table])
    }
}
