import DataPath
import Diagnostics
import Foundation
import PlatformModel
import PluginAPI
import StreamRuntime
import StreamplatKit
import Synchronization
import Testing

/// A run ends within `runtime.stop_timeout`, whatever does not come back.
@Suite("Stopping while a call hangs", .serialized)
struct StoppingTests {
    /// Blocks whoever comes to it, until the test is over.
    private final class Gate: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        let arrivals = Atomic<Int>(0)

        func enter() {
            arrivals.add(1, ordering: .relaxed)
            semaphore.wait()
            semaphore.signal()
        }

        func open() { semaphore.signal() }
    }

    enum Place { case sinkOpen, sinkWrite, sinkFlush, sinkClose, deadLetters, groupOffsets }

    private final class HangingSink: Sink {
        private let place: Place
        private let gate: Gate

        init(_ place: Place, _ gate: Gate) {
            self.place = place
            self.gate = gate
        }

        private func pass(_ here: Place) { if here == place { gate.enter() } }

        func plan(_ table: TableDefinition) throws -> TableChange { .none }
        func apply(_ table: TableDefinition) throws {}
        func write(_ rows: RecordBatch, to table: TableDefinition) throws { pass(.sinkWrite) }
        func flush() throws { pass(.sinkFlush) }
        func query(_ sql: String) throws -> QueryResult? { nil }
        func tables() throws -> [(name: String, rows: Int64)]? { nil }
        func health() throws -> ComponentHealth { ComponentHealth(version: "hanging") }
        func close() throws { pass(.sinkClose) }
    }

    /// A broker that hangs where it is told to.
    private final class HangingBroker: Broker {
        private let inner: any Broker
        private let place: Place
        private let gate: Gate

        init(_ inner: any Broker, _ place: Place, _ gate: Gate) {
            self.inner = inner
            self.place = place
            self.gate = gate
        }

        func topics() throws -> [TopicDescription] { try inner.topics() }
        func createTopic(_ name: String, partitions: Int, replication: Int, config: [String: String]) throws {
            try inner.createTopic(name, partitions: partitions, replication: replication, config: config)
        }
        func alterTopic(_ name: String, partitions: Int?, config: [String: String]) throws {
            try inner.alterTopic(name, partitions: partitions, config: config)
        }
        func makeProducer() throws -> any BrokerProducer {
            place == .deadLetters ? Producer(gate) : try inner.makeProducer()
        }
        func makeReader(_ partition: TopicPartition, at offset: Int64) throws -> any PartitionReader {
            try inner.makeReader(partition, at: offset)
        }
        func offsets(_ partition: TopicPartition) throws -> (earliest: Int64, next: Int64) {
            try inner.offsets(partition)
        }
        func commit(group: String, offsets: [TopicPartition: Int64]) throws {
            if place == .groupOffsets { gate.enter() }
        }
        func committed(group: String) throws -> [TopicPartition: Int64] { [:] }
        func health() throws -> ComponentHealth { try inner.health() }
        func close() throws {}

        private final class Producer: BrokerProducer {
            private let gate: Gate
            init(_ gate: Gate) { self.gate = gate }
            func send(_ block: RecordBlock, to topic: String) throws {}
            func send(_ block: RecordBlock, to partition: TopicPartition) throws {}
            func flush() throws { gate.enter() }
            func close() throws {}
        }
    }

    /// Runs with something that hangs; stops the run when it does, and gives its failure.
    private func failure(hangingIn place: Place, stopping: Bool = true) throws -> PipelineError? {
        let harness = try RunHarness(domain: BadRecordTests.head + BadRecordTests.total)
        try harness.apply()
        try harness.ingest((0..<5).map { BadRecordTests.event($0) }, as: "purchase")
        if place == .deadLetters { try harness.send([1, 2, 3], to: "events.purchase") }
        let system = try harness.open()
        let gate = Gate()
        defer { gate.open() }
        var settings = system.project.platform.runtime
        settings.stopTimeoutMilliseconds = 300
        settings.flushIntervalMilliseconds = 20
        settings.checkpointIntervalMilliseconds = place == .groupOffsets ? 50 : 3_600_000
        let pipeline = Pipeline(
            Pipeline.Parts(
                domain: system.domain, settings: settings, deadLetters: system.project.platform.deadLetters,
                topicPrefix: system.project.platform.topicPrefix,
                broker: HangingBroker(system.broker, place, gate), schemas: system.schemas,
                sinkNatures: ["primary": .table],
                openSink: { _ in
                    if place == .sinkOpen { gate.enter() }
                    return HangingSink(place, gate)
                }, checkpointFolder: harness.folder.appendingPathComponent("checkpoints").path, notify: { _ in }))
        let result = Mutex<(isOver: Bool, failure: PipelineError?)>((false, nil))
        Thread.detachNewThread {
            var failure: PipelineError?
            do { _ = try pipeline.run() } catch { failure = error as? PipelineError }
            result.withLock { $0 = (true, failure) }
        }
        func wait(_ what: String, until isRight: () -> Bool) throws {
            let end = Date(timeIntervalSinceNow: 60)
            while !isRight(), Date() < end { usleep(2000) }
            try #require(isRight(), "\(what)")
        }
        // What hangs at the end only hangs because of the stop.
        if place != .sinkClose { try wait("something hangs") { gate.arrivals.load(ordering: .relaxed) > 0 } }
        if place == .sinkClose {
            try wait("all is read") { pipeline.status.eventsRead.load(ordering: .relaxed) == 5 }
        }
        pipeline.stop()
        // The gate is still shut.
        try wait("the run is over") { result.withLock(\.isOver) }
        #expect(gate.arrivals.load(ordering: .relaxed) > 0)
        return result.withLock(\.failure)
    }

    @Test(
        "the run ends with the reason though a thread is inside a call",
        arguments: [Place.sinkOpen, .sinkWrite, .sinkFlush, .sinkClose, .deadLetters])
    func hangs(place: Place) throws {
        let error = try failure(hangingIn: place)
        #expect(error?.code == .stopTimedOut, "\(String(describing: error))")
        #expect(error?.exitCode == 1)
        #expect(error?.message.contains("runtime.stop_timeout") == true)
    }

    @Test("a broker that does not take the group offsets, which only inform, does not make the run a failure")
    func groupOffsets() throws { #expect(try failure(hangingIn: .groupOffsets) == nil) }
}
