import DataPath
import Glibc
import PluginAPI
import Synchronization

/// Partitions in memory. Threads: any.
final class MemoryBroker: Broker {
    let records = Mutex<[TopicPartition: [[UInt8]]]>([:])
    /// It acknowledges nothing.
    let isAway = Atomic<Bool>(false)

    func topics() throws -> [TopicDescription] { [] }
    func createTopic(_ name: String, partitions: Int, replication: Int, config: [String: String]) throws {}
    func alterTopic(_ name: String, partitions: Int?, config: [String: String]) throws {}
    func makeProducer() throws -> any BrokerProducer { Producer(self) }
    func makeReader(_ partition: TopicPartition, at offset: Int64) throws -> any PartitionReader {
        Reader(self, partition, offset)
    }
    func offsets(_ partition: TopicPartition) throws -> (earliest: Int64, next: Int64) {
        (0, Int64(records.withLock { $0[partition]?.count ?? 0 }))
    }
    func commit(group: String, offsets: [TopicPartition: Int64]) throws {}
    func committed(group: String) throws -> [TopicPartition: Int64] { [:] }
    func health() throws -> ComponentHealth { ComponentHealth(version: "memory") }
    func close() throws {}

    private final class Producer: BrokerProducer {
        private let broker: MemoryBroker
        init(_ broker: MemoryBroker) { self.broker = broker }
        func send(_ block: RecordBlock, to topic: String) throws {
            try send(block, to: TopicPartition(topic: topic, partition: 0))
        }
        func send(_ block: RecordBlock, to partition: TopicPartition) throws {
            let values = block.entries.map { block.value($0).map(Array.init) ?? [] }
            broker.records.withLock { $0[partition, default: []] += values }
        }
        func flush() throws { while try !flush(milliseconds: 100) {} }
        func flush(milliseconds: Int) throws -> Bool {
            guard broker.isAway.load(ordering: .relaxed) else { return true }
            usleep(UInt32(milliseconds) * 1000)
            return false
        }
        func close() throws {}
    }

    private final class Reader: PartitionReader {
        let partition: TopicPartition
        private(set) var position: Int64
        private let broker: MemoryBroker

        init(_ broker: MemoryBroker, _ partition: TopicPartition, _ position: Int64) {
            (self.broker, self.partition, self.position) = (broker, partition, position)
        }

        var knownEnd: Int64? { nil }

        func fetch(into block: RecordBlock, maxBytes: Int) throws -> FetchResult {
            block.removeAll()
            let all = broker.records.withLock { $0[partition] ?? [] }
            for value in all.dropFirst(Int(position)) {
                value.withUnsafeBytes { block.append(key: nil, value: $0, timestamp: 0) }
                block.entries[block.count - 1].offset = position
                position += 1
            }
            return block.count > 0 ? .records : .endOfPartition
        }

        func close() throws {}
    }
}
