import DataPath
import Diagnostics
import Dispatch
import Foundation
import InMemoryLogging
import Logging
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
        /// Called with the name of a call before it does anything.
        var onCall: (String) throws -> Void = { _ in }
        private var refused: [RefusedBatch] = []
        private var last: RecordBatch?
        func plan(_ table: TableDefinition) throws -> TableChange { .none }
        func apply(_ table: TableDefinition) throws {}
        func write(_ rows: RecordBatch, to table: TableDefinition) throws {
            calls.append("rows")
            try onCall("rows")
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
        func flush() throws {
            calls.append("flush")
            try onCall("flush")
        }
        func query(_ sql: String) throws -> QueryResult? { nil }
        func tables() throws -> [(name: String, rows: Int64)]? { nil }
        func health() throws -> ComponentHealth { ComponentHealth(version: "recorder") }
        func close() throws {
            calls.append("close")
            try onCall("close")
        }
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
        let control: RunControl
        let queue = BoundedQueue<SinkMessage>(capacity: 8)
        let status = PipelineStatus()
        let log = InMemoryLogHandler()
        let thread: SinkThread

        init() throws {
            let log = log
            control = RunControl(workerCount: 1, host: RunHost(logger: Logger(label: "runtime") { _ in log }))
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
        let lines = parts.log.entries.filter { "\($0.message)".contains("cannot even do that") }
        #expect(lines.map(\.level) == [.warning, .warning])
        #expect(lines.map { $0.metadata["sink"] } == ["a", "b"])
    }

    @Test("of a run whose sink fails every sink is let go once, that one too", arguments: ["rows", "flush"])
    func ownFailure(_ call: String) throws {
        let parts = try Parts()
        parts.recorders[0].onCall = { if $0 == call { throw PipelineError(.sinkStorage, "no more") } }
        #expect(parts.queue.push(.rows(table: 0, Self.rows(1))))
        parts.queue.close()
        parts.thread.run()
        #expect((parts.control.failure as? PipelineError)?.message == "no more")
        #expect(parts.recorders[0].calls == (call == "rows" ? ["rows", "abandon"] : ["rows", "flush", "abandon"]))
        #expect(parts.recorders[1].calls == ["abandon"])
        // Nothing is left for whoever comes later.
        parts.thread.letGo()
        #expect(parts.recorders[1].calls == ["abandon"])
    }

    @Test("a sink whose end fails is not let go once more; those behind it are")
    func failedClose() throws {
        let parts = try Parts()
        parts.recorders[0].onCall = { if $0 == "close" { throw PipelineError(.sinkStorage, "no more") } }
        parts.queue.close()
        parts.thread.run()
        #expect((parts.control.failure as? PipelineError)?.message == "no more")
        #expect(parts.recorders.map(\.calls) == [["close"], ["abandon"]])
    }

    @Test("a sink is not asked for a flush any more when another thread fails during that of the one before")
    func failureBetween() throws {
        let parts = try Parts()
        let control = parts.control
        parts.recorders[0].onCall = { call in
            if call == "flush" { control.fail(PipelineError(.sinkFailed, "the first failure")) }
        }
        #expect(parts.queue.push(.rows(table: 1, Self.rows(1))))
        while parts.thread.step(waitingMilliseconds: 1) != .ended {}
        #expect((control.failure as? PipelineError)?.message == "the first failure")
        #expect(parts.recorders.map(\.calls) == [["flush", "abandon"], ["rows", "abandon"]])
    }

    @Test("a sink that waits to try again when another thread fails is not asked again, and let go")
    func failureMeanwhile() throws {
        let parts = try Parts()
        let (control, recorder) = (parts.control, parts.recorders[0])
        let isTried = DispatchSemaphore(value: 0)
        var triesAfterwards = 0
        recorder.onCall = { call in
            guard call == "rows" else { return }
            if control.shouldAbandon { triesAfterwards += 1 }
            isTried.signal()
            throw PipelineError(.sinkStorage, "away", retry: .backoff)
        }
        Thread.detachNewThread {
            isTried.wait()
            control.fail(PipelineError(.sinkFailed, "the first failure"))
        }
        #expect(parts.queue.push(.rows(table: 0, Self.rows(1))))
        #expect(parts.thread.step(waitingMilliseconds: 1) == .ended)
        #expect((control.failure as? PipelineError)?.message == "the first failure")
        #expect(triesAfterwards == 0)
        #expect(recorder.calls.drop { $0 == "rows" } == ["abandon"])
        #expect(parts.recorders[1].calls == ["abandon"])
    }

    @Test("at the end of a run that did not fail every sink is closed")
    func closed() throws {
        let parts = try Parts()
        parts.queue.close()
        #expect(parts.thread.step(waitingMilliseconds: 1) == .ended)
        #expect(parts.recorders.map(\.calls) == [["close"], ["close"]])
    }
}
