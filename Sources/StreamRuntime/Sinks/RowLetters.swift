internal import DataPath
internal import Diagnostics
internal import Metrics
internal import PluginAPI
internal import Synchronization

/// Makes dead letters of rows that a sink refuses. Threads: the sink thread.
///
/// An aggregation writes a row again whenever it changes: a row that is refused again under the same key is counted, and
/// not sent again in this run.
final class RowLetters {
    private let writer: DeadLetterWriter
    private let status: PipelineStatus
    private let clock: any RunClock
    private var sentKeys: Set<SentKey> = []

    private struct SentKey: Hashable {
        var table: String
        var key: [UInt8]
    }

    /// Keys that are remembered; when there are more, all are forgotten, and rows may be sent twice.
    private static let keyLimit = 100_000

    init(_ writer: DeadLetterWriter, status: PipelineStatus, clock: any RunClock = MachineClock()) {
        self.clock = clock
        self.writer = writer
        self.status = status
    }

    /// Sets the refused rows of a batch aside and gives the others.
    func take(_ refused: RefusedRows, of rows: RecordBatch, table: TableDefinition) throws -> RecordBatch {
        let values = NDJSONWriter(schema: BatchSchema(table.columns))
        let keys = KeyWriter(table)
        let text = ByteBuffer()
        var isRefused = [Bool](repeating: false, count: rows.rowCount)
        for row in refused.rows where isRefused.indices.contains(row.row) && !isRefused[row.row] {
            isRefused[row.row] = true
            status.rowsRefused.add(1, ordering: .relaxed)
            let key = keys.key(rows, row.row)
            if sentKeys.count >= Self.keyLimit { sentKeys.removeAll() }
            guard sentKeys.insert(SentKey(table: table.name, key: key)).inserted else { continue }
            text.removeAll()
            values.write(rows, rows: row.row..<row.row + 1, to: text)
            writer.add(
                DeadLetter(
                    key: key, value: Array(text.contents.dropLast()), origin: .table(table.name), stage: .sink,
                    code: refused.code.id, message: row.reason, field: row.column,
                    timeMilliseconds: clock.wallMilliseconds,
                    configPlace: table.location?.text,
                    aggregation: table.content == .aggregation ? table.name : nil))
        }
        if writer.isFull { try writer.flush() }
        let kept = Selection()
        kept.reserve(rows.rowCount)
        kept.removeAll()
        for row in 0..<rows.rowCount where !isRefused[row] {
            kept.rows[kept.count] = Int32(truncatingIfNeeded: row)
            kept.count += 1
        }
        let rest = RecordBatch(schema: rows.schema, capacity: kept.count)
        rest.append(rows, rows: UnsafeBufferPointer(start: UnsafePointer(kept.rows), count: kept.count))
        return rest
    }

    /// Called before positions are checkpointed: a row never vanishes.
    func flush() throws { try writer.flush() }
    func close() throws { try writer.close() }
    /// Ends without sending what is left, as a run ends that failed: the next run writes those rows again.
    func abandon() { writer.abandon() }
}

/// The key columns of a row as JSON.
private struct KeyWriter {
    private let columns: [Int]
    private let writer: NDJSONWriter
    private let schema: BatchSchema

    init(_ table: TableDefinition) {
        columns = table.key.compactMap { name in table.columns.firstIndex { $0.name == name } }
        schema = BatchSchema(columns.map { table.columns[$0] })
        writer = NDJSONWriter(schema: schema)
    }

    func key(_ rows: RecordBatch, _ row: Int) -> [UInt8] {
        let part = RecordBatch(schema: schema, columns: columns.map { rows.columns[$0] }, rowCount: rows.rowCount)
        let text = ByteBuffer()
        writer.write(part, rows: row..<row + 1, to: text)
        return Array(text.contents.dropLast())
    }
}
