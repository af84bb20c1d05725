import DataPath
import Diagnostics
import KafkaClient
import PluginAPI

/// A Kafka cluster as a broker. Threads: any.
final class KafkaLog: Broker {
    private let cluster: KafkaCluster

    init(_ cluster: KafkaCluster) { self.cluster = cluster }

    func topics() throws -> [TopicDescription] {
        try cluster.topics().map {
            TopicDescription(
                name: $0.name, partitions: $0.partitions, replication: $0.replication > 0 ? $0.replication : nil,
                config: $0.config)
        }
    }

    func createTopic(_ name: String, partitions: Int, replication: Int, config: [String: String]) throws {
        // Kafka's retention goes by the records' timestamps. Ours are event times, which may lie long ago, and a backfill
        // would be deleted as soon as it is written; so a topic keeps the time of appending unless it is asked otherwise.
        // Event time stands in the value.
        let config = ["message.timestamp.type": "LogAppendTime"].merging(config) { $1 }
        try cluster.createTopic(name, partitions: partitions, replication: replication, config: config)
    }

    func alterTopic(_ name: String, partitions: Int?, config: [String: String]) throws {
        if let partitions {
            guard let present = try cluster.partitionCount(name) else {
                throw PipelineError(
                    .unknownTopic, "there is no topic '\(name)'", hint: "run `streamplat apply`", component: "kafka")
            }
            if partitions > present { try cluster.addPartitions(name, total: partitions) }
        }
        if !config.isEmpty { try cluster.setConfig(name, config) }
    }

    func makeProducer() throws -> any BrokerProducer { KafkaBlockProducer(try cluster.makeProducer()) }

    /// Asks the broker nothing: what earlier readers fetch would come before its answer.
    func makeReader(_ partition: TopicPartition, at offset: Int64) throws -> any PartitionReader {
        KafkaReader(partition, self, try cluster.makeReader(partition.kafka, at: offset))
    }

    func offsets(_ partition: TopicPartition) throws -> (earliest: Int64, next: Int64) {
        try cluster.offsets(partition.kafka)
    }

    func commit(group: String, offsets: [TopicPartition: Int64]) throws {
        var mapped: [KafkaPartition: Int64] = [:]
        for (partition, offset) in offsets { mapped[partition.kafka] = offset }
        try cluster.commit(group: group, offsets: mapped)
    }

    func committed(group: String) throws -> [TopicPartition: Int64] {
        var mapped: [TopicPartition: Int64] = [:]
        for (partition, offset) in try cluster.committed(group: group) {
            mapped[TopicPartition(topic: partition.topic, partition: Int(partition.number))] = offset
        }
        return mapped
    }

    /// Kafka's protocol does not tell the broker's version.
    func health() throws -> ComponentHealth {
        let (brokers, topics) = try cluster.size()
        return ComponentHealth(
            version: "Kafka (librdkafka \(KafkaProperties.libraryVersion))",
            detail: "\(brokers) broker\(brokers == 1 ? "" : "s"), \(topics) topic\(topics == 1 ? "" : "s")")
    }

    func close() throws { cluster.close() }
}

extension TopicPartition {
    fileprivate var kafka: KafkaPartition { KafkaPartition(topic: topic, number: Int32(clamping: partition)) }
}

/// Threads: one.
private final class KafkaBlockProducer: BrokerProducer {
    private let producer: KafkaProducer

    init(_ producer: KafkaProducer) { self.producer = producer }

    func send(_ block: RecordBlock, to topic: String) throws { try producer.send(block, to: topic) }
    func send(_ block: RecordBlock, to partition: TopicPartition) throws {
        try producer.send(block, to: partition.topic, partition: Int32(clamping: partition.partition))
    }
    func flush() throws { try producer.flush() }
    func flush(milliseconds: Int) throws -> Bool { try producer.flush(milliseconds: milliseconds) }
    func close() throws { try producer.close() }
}

/// Threads: one.
private final class KafkaReader: PartitionReader {
    let partition: TopicPartition
    private let log: KafkaLog
    private let reader: KafkaPartitionReader

    init(_ partition: TopicPartition, _ log: KafkaLog, _ reader: KafkaPartitionReader) {
        self.partition = partition
        self.log = log
        self.reader = reader
    }

    var position: Int64 { reader.position }
    var knownEnd: Int64? { reader.knownEnd }

    func fetch(into block: RecordBlock, maxBytes: Int) throws -> FetchResult {
        do {
            switch try reader.fetch(into: block, maxBytes: maxBytes) {
            case .records: return .records
            case .end: return .endOfPartition
            case .nothingYet: return .nothingYet
            }
        } catch let error as KafkaPartitionReader.OutOfRange {
            let (earliest, next) = try log.offsets(partition)
            throw OffsetOutOfRangeError(
                partition: partition, position: error.position, earliest: earliest, next: next)
        }
    }

    func close() throws { reader.close() }
}
