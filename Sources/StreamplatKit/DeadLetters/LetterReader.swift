internal import DataPath
internal import Diagnostics
internal import InputFiles
public import PlatformModel
public import PluginAPI

/// Reads the dead letters of one domain, in the order of their topic. Threads: one.
///
/// The topic is read twice: first the receipts, which say what was sent again, then the letters. Memory: the receipts,
/// and one block of records at a time. What arrives meanwhile is not read.
public final class LetterReader {
    private let domain: DomainDefinition
    private let broker: any Broker
    private let topic: String
    private var ends: [TopicPartition: (earliest: Int64, next: Int64)] = [:]
    /// How often each record was sent again.
    private var receipts: [Origin: Int] = [:]
    /// Letters that are no letters of the domain; those of other domains under the same prefix.
    public private(set) var otherLetters = 0

    private struct Origin: Hashable {
        var partition: TopicPartition
        var offset: Int64
    }

    private static let fetchBytes = 1 << 20
    /// How long a partition whose leader cannot be reached is waited for.
    private static let patienceMilliseconds: Int64 = 30_000

    /// Reads the receipts. A topic that is not there has no letters.
    public init(_ domain: DomainDefinition, broker: any Broker, topicPrefix: String) throws {
        self.domain = domain
        self.broker = broker
        topic = DeadLetter.topic(prefix: topicPrefix)
        guard let description = try broker.topics().first(where: { $0.name == topic }) else { return }
        for number in 0..<description.partitions {
            let partition = TopicPartition(topic: topic, partition: number)
            ends[partition] = try broker.offsets(partition)
        }
        try forEachRecord { _, entry, block in
            guard let receipt = ReplayReceipt.decode(entry, in: block) else { return }
            for record in receipt.records {
                let origin = Origin(partition: record.partition, offset: record.offset)
                receipts[origin] = max(receipts[origin] ?? 0, record.retryCount)
            }
        }
    }

    /// The topic of dead letters.
    public var topicName: String { topic }

    /// Gives the domain's letters in runs of up to some thousands, until `body` wants no more.
    public func read(_ body: ([StoredLetter]) throws -> Bool) throws {
        var letters: [StoredLetter] = []
        otherLetters = 0
        for partition in ends.keys.sorted() {
            let isDone = try forEachBlock(of: partition) { block in
                letters.removeAll(keepingCapacity: true)
                for entry in block.entries {
                    if let letter = stored(entry, block, partition) { letters.append(letter) }
                }
                return try letters.isEmpty || body(letters)
            }
            if !isDone { return }
        }
    }

    private func stored(_ entry: RecordBlock.Entry, _ block: RecordBlock, _ partition: TopicPartition) -> StoredLetter?
    {
        guard let letter = DeadLetter.decode(entry, in: block) else { return nil }
        guard let eventType = eventType(of: letter) else {
            otherLetters += 1
            return nil
        }
        var stored = StoredLetter(
            letter: letter, partition: partition.partition, offset: entry.offset,
            eventType: eventType.isEmpty ? nil : eventType, isReplayed: false)
        let identity = stored.identity
        let origin = Origin(partition: identity.partition, offset: identity.offset)
        stored.isReplayed = (receipts[origin] ?? 0) >= identity.retryCount
        return stored
    }

    /// The event type of a letter of the domain, empty when it has none; nil for a letter of another domain.
    private func eventType(of letter: DeadLetter) -> String? {
        switch letter.origin {
        case .topic(let partition, _) where InputFile.isTopic(partition.topic): return eventTypeByPlace(letter)
        case .topic(let partition, _):
            return domain.eventTypes.first { $0.topic.name == partition.topic }?.name
        case .table(let table):
            if domain.aggregations.contains(where: { $0.table.name == table }) { return "" }
            return domain.eventTypes.first { $0.rawEvents && $0.rawTable.name == table }?.name
                ?? domain.streams.first { $0.table?.name == table }?.eventType
        case .file: return eventTypeByPlace(letter)
        }
    }

    /// The place is that of the event type, in the file of its domain.
    private func eventTypeByPlace(_ letter: DeadLetter) -> String? {
        guard let place = letter.configPlace else { return nil }
        if let found = domain.eventTypes.first(where: { $0.location.text == place }) { return found.name }
        let file = domain.location.file
        guard place.hasPrefix("\(file):") else { return nil }
        return letter.step.flatMap { domain.stream($0.stream)?.eventType } ?? ""
    }

    private func forEachRecord(
        _ body: (TopicPartition, RecordBlock.Entry, RecordBlock) throws -> Void
    ) throws {
        for partition in ends.keys.sorted() {
            _ = try forEachBlock(of: partition) { block in
                for entry in block.entries { try body(partition, entry, block) }
                return true
            }
        }
    }

    /// False when `body` wanted no more.
    private func forEachBlock(of partition: TopicPartition, _ body: (RecordBlock) throws -> Bool) throws -> Bool {
        guard let end = ends[partition], end.earliest < end.next else { return true }
        let reader = try broker.makeReader(partition, at: end.earliest)
        let block = RecordBlock()
        var waited = Waiting(limitMilliseconds: Self.patienceMilliseconds)
        while reader.position < end.next {
            switch try reader.fetch(into: block, maxBytes: Self.fetchBytes) {
            case .records:
                waited.reset()
                block.entries.removeAll { $0.offset >= end.next }
                if !block.entries.isEmpty, try !body(block) {
                    try reader.close()
                    return false
                }
            case .endOfPartition:
                try reader.close()
                return true
            case .nothingYet: try waited.pause(for: partition)
            }
        }
        try reader.close()
        return true
    }
}
