import DataPath
import EventLog
import PluginAPI

/// The event log as a broker. Threads: any.
final class EmbeddedLog: Broker {
    private let log: EventLog

    init(_ log: EventLog) { self.log = log }

    func topics() throws -> [TopicDescription] {
        try log.topics().map { TopicDescription(name: $0.name, partitions: $0.partitions, config: $0.config) }
    }

    func createTopic(_ name: String, partitions: Int, replication: Int, config: [String: String]) throws {
        try log.createTopic(name, partitions: partitions, config: config)
    }

    func alterTopic(_ name: String, partitions: Int?, config: [String: String]) throws {
        try log.alterTopic(name, partitions: partitions, config: config)
    }

    func makeProducer() throws -> any BrokerProducer { EmbeddedProducer(try log.makeProducer()) }

    func makeTransientProducer() throws -> any BrokerProducer {
        EmbeddedProducer(try log.makeProducer(isDurable: false))
    }

    func makeReader(_ partition: TopicPartition, at offset: Int64) throws -> any PartitionReader {
        try mappingOffsets {
            EmbeddedReader(
                partition, log,
                try log.makeReader(topic: partition.topic, partition: partition.partition, at: offset))
        }
    }

    func offsets(_ partition: TopicPartition) throws -> (earliest: Int64, next: Int64) {
        try log.offsets(topic: partition.topic, partition: partition.partition)
    }

    func commit(group: String, offsets: [TopicPartition: Int64]) throws {
        var mapped: [LogPartition: Int64] = [:]
        for (key, offset) in offsets { mapped[LogPartition(topic: key.topic, partition: key.partition)] = offset }
        try log.commit(group: group, offsets: mapped)
    }

    func committed(group: String) throws -> [TopicPartition: Int64] {
        var mapped: [TopicPartition: Int64] = [:]
        for (key, offset) in try log.committed(group: group) {
            mapped[TopicPartition(topic: key.topic, partition: key.partition)] = offset
        }
        return mapped
    }

    func health() throws -> ComponentHealth {
        ComponentHealth(version: "embedded log", detail: "\(try log.topics().count) topics in \(log.root)")
    }

    func close() throws { log.close() }
}

/// Threads: one.
final class EmbeddedProducer: BrokerProducer {
    private let producer: LogProducer

    init(_ producer: LogProducer) { self.producer = producer }

    func send(_ block: RecordBlock, to topic: String) throws { try producer.send(block, to: topic) }
    func send(_ block: RecordBlock, to partition: TopicPartition) throws {
        try producer.send(block, to: partition.topic, partition: partition.partition)
    }
    func flush() throws { try producer.flush() }
    func close() throws { try producer.close() }
}

/// Threads: one.
final class EmbeddedReader: PartitionReader {
    let partition: TopicPartition
    private let log: EventLog
    private let reader: LogReader

    init(_ partition: TopicPartition, _ log: EventLog, _ reader: LogReader) {
        self.partition = partition
        self.log = log
        self.reader = reader
    }

    var position: Int64 { reader.position }

    var knownEnd: Int64? {
        get throws { try log.offsets(topic: partition.topic, partition: partition.partition).next }
    }

    func fetch(into block: RecordBlock, maxBytes: Int) throws -> FetchResult {
        try mappingOffsets { try reader.fetch(into: block, maxBytes: maxBytes) ? .records : .endOfPartition }
    }

    func close() throws { reader.close() }
}

/// The event log knows nothing of plugins: its error becomes the broker's.
private func mappingOffsets<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as OffsetOutOfRange {
        throw OffsetOutOfRangeError(
            partition: TopicPartition(topic: error.topic, partition: error.partition), position: error.position,
            earliest: error.earliest, next: error.next)
    }
}
