internal import CRdKafka
public import DataPath
internal import Diagnostics

/// Writes records to topics. Threads: one at a time.
///
/// Records are copied into librdkafka's queue, which its threads send in batches; the queue is bounded, and
/// ``send(_:to:)`` waits while it is full. librdkafka tries again what may succeed, in order and without duplicates
/// (`acks: all` makes the producer idempotent), until the delivery timeout. A record that is given up makes the next
/// call throw, and every call after it: what follows cannot make up for a record that is missing. Where the error's
/// `retry` is `backoff`, another producer may succeed with the same records.
public final class KafkaProducer {
    private let cluster: KafkaCluster
    private let handle: KafkaHandle
    private var topics: [String: OpaquePointer] = [:]
    private var isClosed = false

    /// `RD_KAFKA_PARTITION_UA`, a macro that Swift does not see: the partitioner chooses.
    private static let anyPartition: Int32 = -1

    /// `number` is given back to the cluster when librdkafka has ended.
    init(_ cluster: KafkaCluster, number: Int) throws {
        self.cluster = cluster
        let onStatistics = cluster.onStatistics
        let name = "producer \(number)"
        handle = try KafkaHandle(
            RD_KAFKA_PRODUCER, cluster.settings.producerProperties, role: "producer", notices: cluster.notices
        ) { [weak cluster] statistics in
            onStatistics(name, statistics)
            if statistics.instance.isEmpty { cluster?.releaseProducer(number) }
        }
    }

    deinit { release() }

    /// Hands every record of the block to librdkafka; the block can be reused when this returns.
    ///
    /// The key chooses the partition: murmur2, as in Kafka's own clients. Records without a key go to a random
    /// partition, the same one for some milliseconds, so that batches stay large. A timestamp of 0 or less becomes the
    /// time of sending. The first call for a topic asks whether it is there; nothing creates it.
    ///
    /// - Parameter partition: Takes all records, whatever their keys; nil = the keys choose.
    public func send(_ block: RecordBlock, to topic: String, partition: Int32? = nil) throws {
        try checkHealth()
        guard block.count > 0 else { return }
        let object = try object(of: topic)
        let bytes = UnsafeRawPointer(block.bytes)
        try block.entries.withUnsafeBufferPointer { entries in
            for row in 0..<entries.count {
                let headers = entries[row].headersLength > 0 ? KafkaHeaders.encode(block.headers(entries[row])) : nil
                let entry = entries[row]
                let code = sp_rd_kafka_produce(
                    handle.pointer, object, partition ?? Self.anyPartition, max(0, entry.timestamp),
                    entry.keyLength < 0 ? nil : bytes + entry.keyStart, max(0, entry.keyLength),
                    entry.valueLength < 0 ? nil : bytes + entry.valueStart, max(0, entry.valueLength), headers)
                guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                    if let headers { rd_kafka_headers_destroy(headers) }
                    try checkHealth()
                    throw KafkaFault(code).error("sending to topic \(topic)")
                }
            }
        }
        try checkHealth()
    }

    /// Returns when every record has been acknowledged; throws when one was given up.
    ///
    /// While no broker can be reached this waits, up to the delivery timeout of the oldest record.
    public func flush() throws {
        try checkHealth()
        while rd_kafka_flush(handle.pointer, 500) == RD_KAFKA_RESP_ERR__TIMED_OUT { try checkHealth() }
        try checkHealth()
    }

    /// As ``flush()``, but returns after that long at the latest; false when not every record was acknowledged by then.
    public func flush(milliseconds: Int) throws -> Bool {
        try checkHealth()
        let isWaiting = rd_kafka_flush(handle.pointer, Int32(clamping: milliseconds)) == RD_KAFKA_RESP_ERR__TIMED_OUT
        try checkHealth()
        return !isWaiting
    }

    /// Flushes and ends; a second call does nothing.
    public func close() throws {
        guard !isClosed else { return }
        defer { release() }
        try flush()
    }

    /// Records that were given up.
    public var failedRecords: Int { handle.events.read { $0.failedDeliveries } }

    /// Drops what was not sent: after ``flush()`` that is nothing.
    private func release() {
        guard !isClosed else { return }
        isClosed = true
        rd_kafka_purge(handle.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        for topic in topics.values { rd_kafka_topic_destroy(topic) }
        topics = [:]
    }

    private func checkHealth() throws {
        guard !isClosed else { throw KafkaCluster.closedError }
        let (failed, first, fatal) = handle.events.read {
            ($0.failedDeliveries, $0.firstFailedDelivery, $0.fatal)
        }
        if let first {
            var fault = first.fault
            if let fatal, fault.code != RD_KAFKA_RESP_ERR__MSG_TIMED_OUT { fault = fatal }
            throw fault.error(
                "\(failed) record\(failed == 1 ? "" : "s") not delivered, the first to topic \(first.topic)")
        }
        if let fatal { throw fatal.error("sending") }
    }

    private func object(of topic: String) throws -> OpaquePointer {
        if let known = topics[topic] { return known }
        let doing = "sending to topic \(topic)"
        guard try cluster.partitionCount(topic) != nil else {
            throw KafkaFault(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART).error(doing)
        }
        guard let object = rd_kafka_topic_new(handle.pointer, topic, nil) else {
            throw KafkaFault(rd_kafka_last_error()).error(doing)
        }
        topics[topic] = object
        return object
    }
}
