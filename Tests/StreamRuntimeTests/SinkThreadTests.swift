import DataPath
import Diagnostics
import Metrics
import PluginAPI
import Synchronization
import Testing

@testable import StreamRuntime

@Suite("What the sink thread asks of sinks")
struct SinkThreadTests {
    private static let table = TableDefinition(
        name: "sums", content: .aggregation, columns: [ColumnSpec("n", .long)], key: ["n"], fingerprint: "f")

    /// Refuses the first row of the batch before, whenever it takes one: it had too much, and sent it.
    private final class Recorder: Sink {
        private(set) var calls: [String] = []
        private var refused: [RefusedBatch] = []
        private var last: RecordBatch?
        func plan(_ table: TableDefinition) throws -> TableChange { .none }
        func apply(_ table: TableDefinition) throws {}
        func write(_ rows: RecordBatch, to table: TableDefinition) throws {
            calls.append("rows")
            if let last {
                let row = RefusedRows.Row(row: 0, column: nil, reason: "never passes")
                refused.append(
                    RefusedBatch(table: table, rows: last, refused: RefusedRows(code: .sinkFailed, rows: [row])))
            }
            last = rows
        }
        func takeRefused() -> [RefusedBatch] {
            defer { refused = [] }
            return refused
        }
        func flush() throws { calls.append("flush") }
        func query(_ sql: String) throws -> QueryResult? { nil }
        func tables() throws -> [(name: String, rows: Int64)]? { nil }
        func health() throws -> ComponentHealth { ComponentHealth(version: "recorder") }
        func close() throws { calls.append("close") }
        func abandon() throws {
            calls.append("abandon")
            throw PipelineError(.sinkFailed, "a sink that cannot even do that")
        }
    }

    private static func rows(_ value: Int64) -> RecordBatch {
        let batch = RecordBatch(schema: BatchSchema(table.columns))
        if case .int64(let vector) = batch.columns[0] { vector.append(value) }
        batch.rowCount = 1
        return batch
    }

    private struct Parts {
        var recorders: [Recorder] = [Recorder(), Recorder()]
        let control = RunControl(workerCount: 1)
        let queue = BoundedQueue<SinkMessage>(capacity: 8)
        let status = PipelineStatus()
        let thread: SinkThread

        init() throws {
            thread = SinkThread(
                targets: ["a", "b"].map { SinkThread.Target(table: table, sink: $0) }, queue: queue, control: control,
                status: status, workerCount: 1, flushIntervalMilliseconds: 1000, readiness: Readiness(),
                letters: RowLetters(
                    DeadLetterWriter(
                        topic: "dlq", broker: MemoryBroker(), status: status, tally: DeadLetterTally(topic: "dlq"),
                        retrying: Retrying(component: "dead letters", control: control)), status: status))
            let sinks = recorders
            try thread.open { name in name == "a" ? sinks[0] : sinks[1] }
        }
    }

    @Test("rows that a sink refused when it had too much become dead letters at once, before any flush")
    func earlyRefusals() throws {
        let parts = try Parts()
        for value in 0..<4 { #expect(parts.queue.push(.rows(table: 0, Self.rows(Int64(value))))) }
        for expected in [0, 1, 2, 3] {
            #expect(parts.thread.step(waitingMilliseconds: 1) == .worked)
            #expect(parts.status.rowsRefused.load(ordering: .relaxed) == expected)
            #expect(parts.status.deadLetters.load(ordering: .relaxed) == expected)
        }
        #expect(parts.status.rowsWritten.load(ordering: .relaxed) == 1)
        #expect(parts.recorders[0].calls == ["rows", "rows", "rows", "rows"])
    }

    @Test("of a run that failed every sink is let go without a flush, and the run's failure stays the one that is told")
    func abandoned() throws {
        let parts = try Parts()
        #expect(parts.queue.push(.rows(table: 0, Self.rows(1))))
        _ = parts.thread.step(waitingMilliseconds: 1)
        parts.control.fail(PipelineError(.sinkStorage, "the first failure"))
        #expect(parts.thread.step(waitingMilliseconds: 1) == .ended)
        #expect(parts.recorders.map(\.calls) == [["rows", "abandon"], ["abandon"]])
        #expect((parts.control.failure as? PipelineError)?.message == "the first failure")
    }

    @Test("at the end of a run that did not fail every sink is closed")
    func closed() throws {
        let parts = try Parts()
        parts.queue.close()
        #expect(parts.thread.step(waitingMilliseconds: 1) == .ended)
        #expect(parts.recorders.map(\.calls) == [["close"], ["close"]])
    }
}
