import DataPath
import PluginAPI

/// Rows of one table as records: the key is a JSON object of the key columns, the value one of all columns. Threads: one.
final class RowEncoder {
    private let values: NDJSONWriter
    /// Nil for a table without key columns: its records have none.
    private let keys: NDJSONWriter?
    private let keySchema: BatchSchema
    private let keyColumns: [Int]
    private let text = ByteBuffer()

    init(_ table: TableDefinition) {
        values = NDJSONWriter(schema: BatchSchema(table.columns))
        keyColumns = table.key.compactMap { name in table.columns.firstIndex { $0.name == name } }
        keySchema = BatchSchema(keyColumns.map { table.columns[$0] })
        keys = keyColumns.isEmpty ? nil : NDJSONWriter(schema: keySchema)
    }

    /// Gives each row's key and value, which are valid during the call of `body`.
    func forEach(
        _ rows: RecordBatch,
        _ body: (_ row: Int, _ key: UnsafeRawBufferPointer?, _ value: UnsafeRawBufferPointer) -> Void
    ) {
        let count = rows.rowCount
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 2 * count) { ends in
            guard let valueEnds = ends.baseAddress else { return }
            let keyEnds = valueEnds + count
            text.removeAll()
            values.write(rows, to: text, ends: valueEnds)
            if let keys {
                let batch = RecordBatch(
                    schema: keySchema, columns: keyColumns.map { rows.columns[$0] }, rowCount: count)
                keys.write(batch, to: text, ends: keyEnds)
            }
            let bytes = UnsafeRawPointer(text.bytes)
            // Each ends with a line end that is not part of it.
            func part(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
                UnsafeRawBufferPointer(start: bytes + start, count: end - start - 1)
            }
            for row in 0..<count {
                let value = part(row == 0 ? 0 : valueEnds[row - 1], valueEnds[row])
                let key = keys.map { _ in part(row == 0 ? valueEnds[count - 1] : keyEnds[row - 1], keyEnds[row]) }
                body(row, key, value)
            }
        }
    }
}
