import DataPath
import Diagnostics
import PluginAPI
import Synchronization
import Testing

@testable import StreamRuntime

@Suite("Dead letters while the broker is away")
struct DeadLetterWriterTests {
    /// Takes records, but fails so many times before.
    private final class Flaky: Broker {
        private let error: PipelineError
        private let failuresLeft: Mutex<Int>
        let taken = Mutex(0)

        init(failures: Int, _ error: PipelineError) {
            failuresLeft = Mutex(failures)
            self.error = error
        }

        func attempt(records: Int) throws {
            try failuresLeft.withLock { left in
                if left > 0 {
                    left -= 1
                    throw error
                }
            }
            taken.withLock { $0 += records }
        }

        func makeProducer() throws -> any BrokerProducer { Producer(self) }
        func topics() throws -> [TopicDescription] { [] }
        func createTopic(_ name: String, partitions: Int, replication: Int, config: [String: String]) throws {}
        func alterTopic(_ name: String, partitions: Int?, config: [String: String]) throws {}
        func makeReader(_ partition: TopicPartition, at offset: Int64) throws -> any PartitionReader { throw error }
        func offsets(_ partition: TopicPartition) throws -> (earliest: Int64, next: Int64) { (0, 0) }
        func commit(group: String, offsets: [TopicPartition: Int64]) throws {}
        func committed(group: String) throws -> [TopicPartition: Int64] { [:] }
        func health() throws -> ComponentHealth { ComponentHealth(version: "flaky") }
        func close() throws {}

        private final class Producer: BrokerProducer {
            private let broker: Flaky
            init(_ broker: Flaky) { self.broker = broker }
            func send(_ block: RecordBlock, to topic: String) throws { try broker.attempt(records: block.count) }
            func send(_ block: RecordBlock, to partition: TopicPartition) throws {
                try broker.attempt(records: block.count)
            }
            func flush() throws {}
            func close() throws {}
        }
    }

    private func flushOne(_ broker: Flaky) throws {
        let control = RunControl(workerCount: 1)
        let writer = DeadLetterWriter(
            topic: "events.dlq", broker: broker, status: PipelineStatus(), tally: DeadLetterTally(topic: "events.dlq"),
            retrying: Retrying(component: "dead letters", control: control))
        let block = RecordBlock()
        Array("bad".utf8).withUnsafeBytes { block.append(key: nil, value: $0, timestamp: 1) }
        writer.add(
            block.entries[0], of: block, partition: TopicPartition(topic: "events.a", partition: 0),
            .init(
                code: .undecodable, message: "no header",
                place: SourceLocation(file: "domains/a.yaml", line: 1, column: 1)))
        try writer.flush()
        // What was sent is not sent again.
        try writer.close()
    }

    @Test("a failure that may pass is tried again, and the letter arrives once")
    func retries() throws {
        let broker = Flaky(failures: 2, PipelineError(.sinkFailed, "away", retry: .backoff))
        try flushOne(broker)
        #expect(broker.taken.withLock { $0 } == 1)
    }

    @Test("a failure that stays ends the run")
    func fails() {
        let broker = Flaky(failures: 1, PipelineError(.sinkFailed, "refused", retry: .never))
        #expect(throws: PipelineError.self) { try flushOne(broker) }
        #expect(broker.taken.withLock { $0 } == 0)
    }
}
