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
    /// How many outages of the leader were known when the reading was started last.
    private var outagesAtStart: Int
    private var isClosed = false
    /// The cluster said that the topic or partition is not there; false after any sign of it.
    private var isReportedMissing = false
    /// Since when nobody could be asked for records, or since the last look whether the topic is still there.
    private var awaySince: ContinuousClock.Instant?
    /// An error that came behind records: the records are given first.
    private var pending: KafkaFault?
    private var readAhead: KafkaReadAhead
    /// The mean size of a record, for the number of records to take at once.
    private var meanBytes = 256

    private static let batchLimit = 1024

    /// `isAgain`: an earlier reader of this partition, on this handle, is closed.
    init(
        _ cluster: KafkaCluster, _ handle: KafkaHandle, _ partition: KafkaPartition, at offset: Int64, isAgain: Bool
    ) throws {
        let doing = "reading topic \(partition.topic), partition \(partition.number)"
        guard let topic = rd_kafka_topic_new(handle.pointer, partition.topic, nil) else {
            throw KafkaFault(rd_kafka_last_error()).error(doing)
        }
        if isAgain {
            Self.setPaused(false, partition, handle)
            rd_kafka_consume_stop(topic, partition.number)
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
        outagesAtStart = handle.events.outage(of: partition).count
        position = offset
        readAhead = KafkaReadAhead(cluster.settings.readerProperties)
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
        return try resultWithoutRecords()
    }

    /// An end that was reported before the leader went away says nothing about now, and librdkafka reports an end only
    /// once: after an outage the reading is started again where it stands.
    private func resultWithoutRecords() throws -> Result {
        let outage = handle.events.outage(of: partition)
        if outage.isAway || isReportedMissing {
            let since = awaySince ?? .now
            awaySince = since
            let timeout = Duration.milliseconds(cluster.settings.missingTopicTimeoutMilliseconds)
            if .now - since > timeout {
                awaySince = .now
                if try isThere() { try restart(outage.count) }
            }
            return .nothingYet
        }
        awaySince = nil
        guard isAtEnd else { return .nothingYet }
        guard outage.count == outagesAtStart else {
            try restart(outage.count)
            return .nothingYet
        }
        return .end
    }

    /// Asks for the topic; throws when it is gone, gives false when nobody answers.
    private func isThere() throws -> Bool {
        do {
            guard let count = try cluster.partitionCount(partition.topic), count > partition.number else {
                throw KafkaFault(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART).error(doing)
            }
            return true
        } catch let error as PipelineError where error.retry == .backoff {
            return false
        }
    }

    private func restart(_ outages: Int) throws {
        outagesAtStart = outages
        isAtEnd = false
        isReportedMissing = false
        guard rd_kafka_consume_stop(topic, partition.number) == 0,
            rd_kafka_consume_start(topic, partition.number, position) == 0
        else { throw KafkaFault(rd_kafka_last_error()).error(doing) }
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
    ///
    /// The partition is paused: nothing is fetched for it any more, and what was fetched ahead is given back. Stopping it
    /// would be wrong with librdkafka 2.0: after stopping a partition whose topic has just been deleted, destroying the
    /// handle waits for ever.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        Self.setPaused(true, partition, handle)
        var count = KafkaPartitionReader.batchLimit
        while count == KafkaPartitionReader.batchLimit {
            count = max(0, rd_kafka_consume_batch(topic, partition.number, 0, messages, count))
            for index in 0..<count { if let message = messages[index] { rd_kafka_message_destroy(message) } }
        }
        rd_kafka_topic_destroy(topic)
        cluster.release(partition, of: handle)
    }

    /// Waits for no broker.
    private static func setPaused(_ isPaused: Bool, _ partition: KafkaPartition, _ handle: KafkaHandle) {
        guard let list = rd_kafka_topic_partition_list_new(1) else { return }
        defer { rd_kafka_topic_partition_list_destroy(list) }
        rd_kafka_topic_partition_list_add(list, partition.topic, partition.number)
        // Fails for a partition alone that is not being read.
        _ =
            isPaused
            ? rd_kafka_pause_partitions(handle.pointer, list) : rd_kafka_resume_partitions(handle.pointer, list)
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
            isReportedMissing = false
        }
        guard rows > 0 else { return }
        block.entries.append(contentsOf: UnsafeBufferPointer(start: entries, count: rows))
        let taken = block.byteCount - first
        meanBytes = max(16, (meanBytes * 3 + taken / rows) / 4)
        if readAhead.take(bytes: taken, records: rows) { handle.wakeBrokers() }
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
        if kind == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME { entry.appendTime = entry.timestamp }
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
            isReportedMissing = false
        } else if pending == nil {
            pending = KafkaFault(message.pointee.err, rd_kafka_message_errstr(message))
        }
    }

    private func take(_ fault: KafkaFault) throws {
        let facts = fault.facts
        if facts.code == .offsetOutOfRange {
            // librdkafka fetches nothing more and says it once.
            pending = fault
            throw OutOfRange(position: position)
        }
        if facts.code == .unknownTopic || facts.code == .unknownPartition {
            // A broker that has just started may not know its topics yet.
            isReportedMissing = true
        } else if !facts.isPassing {
            throw fault.error(doing)
        }
        isAtEnd = false
        cluster.notices.say("\(doing): \(fault.text); trying again", topic: doing)
    }
}
