import DataPath
import Diagnostics
import Metrics
import PluginAPI
import Testing

@testable import StreamRuntime

@Suite("Who tells a store of a checkpoint")
struct ClusterMarkTests {
    /// Says what it was asked to do.
    private final class Recorder: Sink {
        private(set) var calls: [String] = []
        func plan(_ table: TableDefinition) throws -> TableChange { .none }
        func apply(_ table: TableDefinition) throws {}
        func write(_ rows: RecordBatch, to table: TableDefinition) throws { calls.append("rows") }
        func flush() throws { calls.append("flush") }
        func commit(_ mark: CheckpointMark) throws -> [String: [UInt8]] {
            calls.append("checkpoint \(mark.number.sequence): \(mark.positions)")
            return [:]
        }
        func query(_ sql: String) throws -> QueryResult? { nil }
        func tables() throws -> [(name: String, rows: Int64)]? { nil }
        func health() throws -> ComponentHealth { ComponentHealth(version: "recorder") }
        func close() throws {}
    }

    private let table = TableDefinition(
        name: "sums", content: .aggregation, columns: [], key: [], fingerprint: "f")

    private func position(_ partition: Int, _ offset: Int64) -> RunControl.SectionPosition {
        RunControl.SectionPosition(
            section: "sums",
            position: Checkpoint.Position(
                partition: TopicPartition(topic: "t", partition: partition), nextOffset: offset, maxEventTime: .min))
    }

    private func report(_ position: RunControl.SectionPosition) -> RunControl.Report {
        RunControl.Report(positions: [position], state: [], letters: [])
    }

    /// A process with worker 0 of so many, and its sink's thread before its first step.
    private func process(
        _ marking: SinkThread.Marking, workers: Int
    ) throws -> (Recorder, RunControl, BoundedQueue<SinkMessage>, SinkThread) {
        let control = RunControl(workerCount: workers)
        let queue = BoundedQueue<SinkMessage>(capacity: 8)
        let status = PipelineStatus()
        let tally = DeadLetterTally(topic: "dlq")
        let thread = SinkThread(
            targets: [SinkThread.Target(table: table, sink: "primary")], queue: queue, control: control, status: status,
            workerCount: 1, flushIntervalMilliseconds: 1000, readiness: Readiness(),
            letters: RowLetters(
                DeadLetterWriter(
                    topic: "dlq", broker: MemoryBroker(), status: status, tally: tally,
                    retrying: Retrying(component: "dead letters", control: control)), status: status))
        thread.marking = marking
        let recorder = Recorder()
        try thread.open { _ in recorder }
        _ = try thread.restore([], after: CheckpointNumber(epoch: 3, sequence: 40))
        return (recorder, control, queue, thread)
    }

    @Test("the leader's store learns of it when the rows of all members are committed, with the positions of all")
    func afterAll() throws {
        let (store, control, queue, thread) = try process(.afterAll, workers: 2)
        control.requestBarrier(.checkpoint)
        control.report(report(position(0, 7)), worker: 0)
        #expect(queue.push(.barrier(1, [position(0, 7)])))
        for _ in 0..<3 { _ = thread.step(waitingMilliseconds: 1) }
        #expect(store.calls == ["flush"], "the other member's rows may be missing")
        #expect(control.outcome(ofBarrier: 1) == nil)
        control.add([1: report(position(1, 9))])
        #expect(control.outcome(ofBarrier: 1) == nil, "no checkpoint without its mark")
        for _ in 0..<3 { _ = thread.step(waitingMilliseconds: 1) }
        #expect(store.calls == ["flush", "checkpoint 41: {\"sums\":{\"t\":{\"0\":7,\"1\":9}}}"])
        #expect(control.outcome(ofBarrier: 1)?.reports.count == 2)
    }

    @Test("a run that is alone tells it with its rows, in one transaction")
    func withRows() throws {
        let (store, control, queue, thread) = try process(.withRows, workers: 1)
        control.requestBarrier(.checkpoint)
        #expect(queue.push(.barrier(1, [position(0, 7)])))
        _ = thread.step(waitingMilliseconds: 1)
        #expect(store.calls == ["checkpoint 41: {\"sums\":{\"t\":{\"0\":7}}}"])
        control.report(report(position(0, 7)), worker: 0)
        #expect(control.outcome(ofBarrier: 1) != nil)
    }

    @Test("a member that does not lead commits its rows and says nothing of checkpoints")
    func never() throws {
        let (store, control, queue, thread) = try process(.never, workers: 1)
        control.requestBarrier(.checkpoint)
        #expect(queue.push(.barrier(1, [position(0, 7)])))
        _ = thread.step(waitingMilliseconds: 1)
        control.report(report(position(0, 7)), worker: 0)
        #expect(store.calls == ["flush"] && control.outcome(ofBarrier: 1) != nil)
    }
}
