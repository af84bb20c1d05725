internal import DataPath
internal import Diagnostics
internal import PluginAPI

/// A worker's way to and from the shards of other processes: it writes into their inboxes and reads its own. What comes is
/// whole, in order and once for each sender, or the round is over. Threads: the worker's.
final class Exchange {
    struct Place: Sendable {
        var topic: String
        var round: Int64
        /// Where the round's messages in each worker's inbox begin at the earliest.
        var inboxOffsets: [Int64]
    }

    private let place: Place
    private let worker: Int
    private let broker: any Broker
    private let retrying: Retrying
    private let aggregations: Int
    private var producer: (any BrokerProducer)?
    private var reader: (any PartitionReader)?
    /// By receiver.
    private var outgoing: [Int: RecordBlock] = [:]
    private var nextSequence: [Int: UInt64] = [:]
    private let incoming = RecordBlock(byteCapacity: 1 << 16)
    /// By sender.
    private var expected: [Int: UInt64] = [:]
    private var parts: [Int: [UInt8]] = [:]

    /// Well below what brokers take in one record by default.
    private static let partBytes = 512 << 10
    private static let flushBytes = 4 << 20

    init(_ place: Place, worker: Int, aggregations: Int, broker: any Broker, retrying: Retrying) {
        self.place = place
        self.worker = worker
        self.aggregations = aggregations
        self.broker = broker
        self.retrying = retrying
    }

    private func inbox(_ worker: Int) -> TopicPartition {
        TopicPartition(topic: place.topic, partition: ClusterTopic.inbox(ofWorker: worker))
    }

    // MARK: Sending.

    func send(_ message: ShardMessage, to target: Int, at wallMilliseconds: Int64) throws {
        let (kind, bytes) = message.encoded()
        let block = outgoing[target] ?? RecordBlock()
        outgoing[target] = block
        var next = 0
        repeat {
            let end = min(next + Self.partBytes, bytes.count)
            let sequence = nextSequence[target, default: 0]
            nextSequence[target] = sequence + 1
            let header = ExchangeMessage(
                round: place.round, sender: worker, sequence: sequence, kind: kind, isLast: end == bytes.count)
            (header.header() + bytes[next..<end]).withUnsafeBytes {
                block.append(key: nil, value: $0, timestamp: wallMilliseconds)
            }
            next = end
        } while next < bytes.count
        if block.byteCount > Self.flushBytes { try flush(target, block) }
    }

    /// Hands over everything that was sent.
    func flush() throws {
        for (target, block) in outgoing where block.count > 0 { try flush(target, block) }
    }

    private func flush(_ target: Int, _ block: RecordBlock) throws {
        try retrying {
            do {
                let producer = try producer ?? broker.makeTransientProducer()
                self.producer = producer
                try producer.send(block, to: inbox(target))
                try retrying.flush(producer)
            } catch {
                // One that failed may never send again. What arrives twice is known by its sequence.
                producer = nil
                throw error
            }
        }
        block.removeAll()
    }

    // MARK: Receiving.

    /// Takes some of what has arrived. Throws ``RoundOver`` when something is missing.
    func receive(_ take: (ShardMessage) throws -> Void) throws {
        let isThere = try retrying {
            do {
                let reader = try reader ?? broker.makeReader(inbox(worker), at: place.inboxOffsets[worker])
                self.reader = reader
                return try reader.fetch(into: incoming, maxBytes: 1 << 20)
            } catch let error as OffsetOutOfRangeError {
                throw RoundOver("messages to worker \(worker) were deleted by retention: \(error.position)")
            }
        }
        guard case .records = isThere else { return }
        for entry in incoming.entries {
            guard let value = incoming.value(entry), let part = ExchangeMessage(value), part.round == place.round
            else { continue }
            try collect(part, value[ExchangeMessage.headerBytes...], take)
        }
    }

    private func collect(
        _ part: ExchangeMessage, _ bytes: Slice<UnsafeRawBufferPointer>, _ take: (ShardMessage) throws -> Void
    ) throws {
        guard place.inboxOffsets.indices.contains(part.sender) else {
            throw RoundOver("a message comes from worker \(part.sender), who is not in the round")
        }
        let wanted = expected[part.sender, default: 0]
        // It came before: the sender did not know that it had arrived.
        guard part.sequence >= wanted else { return }
        guard part.sequence == wanted else {
            throw RoundOver("messages \(wanted) to \(part.sequence - 1) of worker \(part.sender) were lost")
        }
        expected[part.sender] = wanted + 1
        parts[part.sender, default: []] += bytes
        guard part.isLast, let whole = parts.removeValue(forKey: part.sender) else { return }
        guard let message = ShardMessage(part.kind, sender: part.sender, whole, aggregations: aggregations) else {
            throw RoundOver("a message of worker \(part.sender) cannot be read")
        }
        try take(message)
    }

    func close() throws {
        try producer?.close()
        try reader?.close()
        (producer, reader) = (nil, nil)
    }

    func abandon() { (producer, reader) = (nil, nil) }
}

/// Why a round cannot go on though nothing is wrong with this process: another one follows.
struct RoundOver: Error, CustomStringConvertible {
    var description: String
    init(_ reason: String) { description = reason }
}
