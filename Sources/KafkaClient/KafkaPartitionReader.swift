internal import CRdKafka
public import DataPath
internal import Diagnostics

/// Reads one partition in order, from librdkafka's queue of it. Threads: one.
///
/// librdkafka's threads fetch and decompress ahead; ``fetch(into:maxBytes:)`` takes what has arrived. Every reader has a
/// queue of its own (librdkafka's simple consumer), so readers of one cluster never wait for each other.
///
/// Each payload is copied once, to the block. A block that pointed into librdkafka's memory instead would have to keep
/// thousands of messages alive and free them one by one later; measured, both ways take the same time.
public final class KafkaPartitionReader {
    public enum Result: Sendable {
        /// The block holds at least one record.
        case records
        /// The leader has said that nothing lies behind ``position``.
        case end
        /// Nothing has arrived, and whether there is more is not known.
        case nothingYet
    }

    /// The position is not in the partition.
    public struct OutOfRange: Error {
        public var position: Int64
    }

    public let partition: KafkaPartition
    /// The offset that the next fetch begins at.
    public private(set) var position: Int64
    private let cluster: KafkaCluster
    private let handle: KafkaHandle
    private let topic: OpaquePointer
    private let messages: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
    private let entries: UnsafeMutablePointer<RecordBlock.Entry>
    private var isAtEnd = false
    private var isClosed = false
    /// An error that came behind records: the records are given first.
    private var pending: KafkaFault?
    /// The mean size of a record, for the number of records to take at once.
    private var meanBytes = 256

    private static let batchLimit = 1024

    init(_ cluster: KafkaCluster, _ handle: KafkaHandle, _ partition: KafkaPartition, at offset: Int64) throws {
        let doing = "reading topic \(partition.topic), partition \(partition.number)"
        guard let topic = rd_kafka_topic_new(handle.pointer, partition.topic, nil) else {
            throw KafkaFault(rd_kafka_last_error()).error(doing)
        }
        guard rd_kafka_consume_start(topic, partition.number, offset) == 0 else {
            let fault = KafkaFault(rd_kafka_last_error())
            rd_kafka_topic_destroy(topic)
            throw fault.error(doing)
        }
        self.cluster = cluster
        self.handle = handle
        self.topic = topic
        self.partition = partition
        position = offset
        messages = .allocate(capacity: KafkaPartitionReader.batchLimit)
        entries = .allocate(capacity: KafkaPartitionReader.batchLimit)
    }

    deinit {
        close()
        messages.deallocate()
        entries.deallocate()
    }

    /// Replaces the block's contents with what has arrived, up to about `maxBytes`. Does not wait.
    ///
    /// Throws ``OutOfRange``, or ``PipelineError`` for what will not pass. While the leader cannot be reached the result is
    /// `nothingYet`, and librdkafka goes on trying.
    public func fetch(into block: RecordBlock, maxBytes: Int) throws -> Result {
        block.removeAll()
        guard !isClosed else { throw KafkaCluster.closedError }
        if let pending {
            self.pending = nil
            try take(pending)
        }
        while block.byteCount < maxBytes {
            let room = max(1, (maxBytes - block.byteCount) / meanBytes)
            let limit = min(KafkaPartitionReader.batchLimit, room)
            let count = rd_kafka_consume_batch(topic, partition.number, 0, messages, limit)
            guard count >= 0 else { throw KafkaFault(rd_kafka_last_error()).error(doing) }
            if count > 0 { append(count, to: block) }
            if let pending {
                if block.count > 0 { break }
                self.pending = nil
                try take(pending)
            }
            if count < limit { break }
        }
        if block.count > 0 { return .records }
        return isAtEnd && !handle.events.isAway(partition) ? .end : .nothingYet
    }

    /// The offset that the next record will get, as the last answer of the leader said; nil before the first.
    public var knownEnd: Int64? {
        var earliest: Int64 = 0
        var next: Int64 = 0
        guard !isClosed,
            rd_kafka_get_watermark_offsets(handle.pointer, partition.topic, partition.number, &earliest, &next)
                == RD_KAFKA_RESP_ERR_NO_ERROR, next >= 0
        else { return nil }
        return max(next, position)
    }

    /// Ends the reading; a second call does nothing.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        // It fails only for a partition that is not being read.
        rd_kafka_consume_stop(topic, partition.number)
        rd_kafka_topic_destroy(topic)
        cluster.release(partition, of: handle)
    }

    private var doing: String { "reading topic \(partition.topic), partition \(partition.number)" }

    /// Copies the first `count` messages to the block and gives them back to librdkafka.
    private func append(_ count: Int, to block: RecordBlock) {
        var bytes = 0
        for index in 0..<count {
            if let message = messages[index], message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                bytes += message.pointee.len + message.pointee.key_len
            }
        }
        block.reserve(bytes)
        let first = block.byteCount
        var rows = 0
        for index in 0..<count {
            guard let message = messages[index] else { continue }
            defer { rd_kafka_message_destroy(message) }
            guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                note(message)
                continue
            }
            (entries + rows).initialize(to: entry(message, block))
            rows += 1
            position = message.pointee.offset + 1
            isAtEnd = false
        }
        guard rows > 0 else { return }
        block.entries.append(contentsOf: UnsafeBufferPointer(start: entries, count: rows))
        meanBytes = max(16, (meanBytes * 3 + (block.byteCount - first) / rows) / 4)
    }

    private func entry(
        _ message: UnsafeMutablePointer<rd_kafka_message_t>, _ block: RecordBlock
    ) -> RecordBlock.Entry {
        // The message itself, not a copy of it: librdkafka finds its own data behind its address.
        let hasKey = message.pointee.key != nil
        let hasValue = message.pointee.payload != nil
        let keyStart = block.byteCount
        copy(message.pointee.key, message.pointee.key_len, to: block)
        let valueStart = block.byteCount
        copy(message.pointee.payload, message.pointee.len, to: block)
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        var entry = RecordBlock.Entry(
            offset: message.pointee.offset, timestamp: rd_kafka_message_timestamp(message, &kind), keyStart: keyStart,
            keyLength: hasKey ? message.pointee.key_len : -1, valueStart: valueStart,
            valueLength: hasValue ? message.pointee.len : -1)
        var headers: OpaquePointer?
        if rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR, let headers {
            let encoded = RecordHeaders.encode(KafkaHeaders.decode(headers))
            entry.headersStart = block.byteCount
            entry.headersLength = encoded.count
            encoded.withUnsafeBytes { copy($0.baseAddress, $0.count, to: block) }
        }
        return entry
    }

    /// Room for all keys and values was reserved at once; headers may have taken of it, so each part asks again.
    private func copy(_ part: UnsafeRawPointer?, _ count: Int, to block: RecordBlock) {
        guard let part, count > 0 else { return }
        block.reserve(count)
        UnsafeMutableRawPointer(block.bytes + block.byteCount).copyMemory(from: part, byteCount: count)
        block.byteCount += count
    }

    /// Remembers what an event among the messages says.
    private func note(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        if message.pointee.err == RD_KAFKA_RESP_ERR__PARTITION_EOF {
            // Markers of transactions and compacted records lie before it too.
            position = max(position, message.pointee.offset)
            isAtEnd = true
        } else if pending == nil {
            pending = KafkaFault(message.pointee.err, rd_kafka_message_errstr(message))
        }
    }

    private func take(_ fault: KafkaFault) throws {
        let facts = fault.facts
        if facts.code == .offsetOutOfRange { throw OutOfRange(position: position) }
        guard facts.isPassing else { throw fault.error(doing) }
        isAtEnd = false
        cluster.notices.say("\(doing): \(fault.text); trying again", topic: doing)
    }
}
