import CRdKafka
import DataPath
import Foundation
import KafkaClient

/// librdkafka's in-process cluster, which can be told to fail. It keeps some MiB a partition and creates no topics on
/// request.
final class MockCluster {
    struct Failure: Error {}

    private let handle: OpaquePointer
    private let cluster: OpaquePointer
    let servers: String

    init(brokers: Int32 = 1, topics: [(name: String, partitions: Int32)] = [("t", 1)]) throws {
        guard let configuration = rd_kafka_conf_new() else { throw Failure() }
        _ = rd_kafka_conf_set(configuration, "log_level", "0", nil, 0)
        guard let handle = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, nil, 0) else {
            rd_kafka_conf_destroy(configuration)
            throw Failure()
        }
        guard let cluster = rd_kafka_mock_cluster_new(handle, brokers) else {
            rd_kafka_destroy(handle)
            throw Failure()
        }
        self.handle = handle
        self.cluster = cluster
        servers = String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
        for topic in topics { rd_kafka_mock_topic_create(cluster, topic.name, topic.partitions, brokers) }
    }

    deinit {
        rd_kafka_mock_cluster_destroy(cluster)
        rd_kafka_destroy(handle)
    }

    enum Request: Int16 {
        case produce = 0, fetch = 1, listOffsets = 2, metadata = 3, findCoordinator = 10, initProducerID = 22
        case addPartitions = 24, endTransaction = 26
    }

    /// The next requests of the kind get these errors.
    func fail(_ request: Request, _ errors: [rd_kafka_resp_err_t]) {
        rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, errors.count, errors)
    }

    func setDown(_ broker: Int32 = 1) { rd_kafka_mock_broker_set_down(cluster, broker) }
    func setUp(_ broker: Int32 = 1) { rd_kafka_mock_broker_set_up(cluster, broker) }
    func setRoundTrip(milliseconds: Int32, broker: Int32 = 1) {
        rd_kafka_mock_broker_set_rtt(cluster, broker, milliseconds)
    }
    func setLeader(_ broker: Int32, of topic: String, partition: Int32 = 0) {
        rd_kafka_mock_partition_set_leader(cluster, topic, partition, broker)
    }

    func setError(_ error: rd_kafka_resp_err_t, topic: String) { rd_kafka_mock_topic_set_error(cluster, topic, error) }

    func connect(
        producer: [String: String] = [:], reader: [String: String] = [:], requestTimeoutMilliseconds: Int32 = 5000,
        missingTopicTimeoutMilliseconds: Int64 = 30_000,
        onStatistics: @escaping @Sendable (String, KafkaStatistics) -> Void = { _, _ in }
    ) throws -> KafkaCluster {
        var settings = KafkaSettings(
            common: ["bootstrap.servers": servers, "topic.metadata.refresh.interval.ms": "200"],
            producer: [
                "enable.idempotence": "true", "linger.ms": "1", "message.timeout.ms": "10000", "retry.backoff.ms": "10",
            ].merging(producer, uniquingKeysWith: { $1 }),
            reader: ["fetch.error.backoff.ms": "10"].merging(reader, uniquingKeysWith: { $1 }),
            requestTimeoutMilliseconds: requestTimeoutMilliseconds)
        settings.missingTopicTimeoutMilliseconds = missingTopicTimeoutMilliseconds
        let cluster = try KafkaCluster(
            settings, notices: KafkaNotices(sensitiveValues: []) { _ in }, onStatistics: onStatistics)
        try cluster.connect()
        return cluster
    }
}

extension RecordBlock {
    /// One record for each number, which is its key and its value; zeros before it up to `width` bytes.
    static func numbers(_ range: Range<Int>, width: Int = 0) -> RecordBlock {
        let block = RecordBlock()
        for number in range {
            let text = "\(number)"
            let zeros = String(repeating: "0", count: max(0, width - text.utf8.count))
            Array((zeros + text).utf8).withUnsafeBytes {
                block.append(key: $0, value: $0, timestamp: 1_700_000_000_000)
            }
        }
        return block
    }

    var numbers: [Int] {
        entries.compactMap { entry in value(entry).flatMap { Int(String(decoding: $0, as: UTF8.self)) } }
    }
}

extension KafkaPartitionReader {
    /// Fetches until the result is `wanted`, gives what was read meanwhile; nil after `seconds`.
    func read(until wanted: Result, seconds: Double = 5) throws -> [Int]? {
        let block = RecordBlock()
        var numbers: [Int] = []
        let end = Date(timeIntervalSinceNow: seconds)
        while Date() < end {
            let result = try fetch(into: block, maxBytes: 1 << 20)
            numbers += block.numbers
            if result == wanted { return numbers }
            usleep(1000)
        }
        return nil
    }
}
