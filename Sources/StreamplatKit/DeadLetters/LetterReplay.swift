internal import DataPath
internal import Diagnostics
internal import Foundation
internal import InputFiles
internal import PlatformModel
internal import PluginAPI
internal import StreamRuntime

/// Sends dead letters' originals again. Order of calls: ``plan()`` → ``run(_:)``, once. Threads: one.
///
/// Every original goes to the partition that it came from, once, however many letters there are of it; when it has arrived
/// a receipt in the dead-letter topic says so. A crash in between sends it a second time, which the pipeline ignores. A row
/// that a sink refused is not sent anywhere: its table is counted anew by the next run.
public final class LetterReplay {
    private let system: LiveSystem
    private let reader: LetterReader
    private let filter: LetterFilter?
    private let isAgain: Bool
    /// The highest retry count of each original's letters.
    private var retries: [Origin: Int] = [:]

    fileprivate struct Origin: Hashable {
        var partition: TopicPartition
        var offset: Int64
    }

    /// What a replay would do.
    public struct Plan: Sendable {
        /// Letters that were chosen.
        public var letters = 0
        /// Originals to send, by topic.
        public var records: [String: Int] = [:]
        /// Tables whose refused rows are counted anew, with the number of rows.
        public var tables: [String: Int] = [:]
        /// Letters that cannot be sent again, with the reason.
        public var refused: [String: Int] = [:]
        /// What a person should know before.
        public var warnings: [String] = []

        public var isEmpty: Bool { records.isEmpty && tables.isEmpty }
        public var recordCount: Int { records.values.reduce(0, +) }
    }

    private static let recordLimit = 1000
    private static let byteLimit = 1 << 20

    /// - Parameters:
    ///   - filter: Nil = all letters.
    ///   - isAgain: Also those that were sent again before.
    public init(_ system: LiveSystem, filter: LetterFilter?, isAgain: Bool) throws {
        self.system = system
        self.filter = filter
        self.isAgain = isAgain
        reader = try LetterReader(
            system.domain, broker: system.broker, topicPrefix: system.project.platform.topicPrefix)
    }

    /// Reads the letters and says what there is to do. Changes nothing.
    public func plan() throws -> Plan {
        var plan = Plan()
        retries = [:]
        let topics = Dictionary(uniqueKeysWithValues: try system.broker.topics().map { ($0.name, $0.partitions) })
        try forEachLetter { stored in
            plan.letters += 1
            if let reason = try refusal(stored, topics) {
                plan.refused[reason, default: 0] += 1
                return
            }
            let origin = Origin(stored)
            let isKnown = retries[origin] != nil
            retries[origin] = max(retries[origin] ?? 0, stored.letter.retryCount)
            if isKnown { return }
            if case .table(let table) = stored.letter.origin {
                plan.tables[table, default: 0] += 1
            } else {
                plan.records[stored.source, default: 0] += 1
            }
        }
        for topic in plan.records.keys.sorted() {
            let deleted = try deletedRecords(topic, partitions: topics[topic] ?? 0)
            guard deleted else { continue }
            plan.warnings.append(
                "retention has deleted records of '\(topic)': a record that belongs to a closed window will be counted as "
                    + "late, unless the aggregation began behind what was deleted")
        }
        return plan
    }

    /// Does what the plan says. Gives the number of records that were sent.
    public func run(_ plan: Plan) throws -> Int {
        if !plan.tables.isEmpty { try system.recount(tables: Set(plan.tables.keys)) }
        let producer = try system.broker.makeProducer()
        var blocks: [TopicPartition: RecordBlock] = [:]
        var sent: [ReplayedRecord] = []
        var waiting: [ReplayedRecord] = []
        var done: Set<Origin> = []
        func flush() throws {
            for (partition, block) in blocks where block.count > 0 {
                try producer.send(block, to: partition)
                block.removeAll()
            }
            // The receipt never comes before what it says has arrived.
            try producer.flush()
            try send(ReplayReceipt(records: waiting), producer)
            sent += waiting
            waiting = []
        }
        let topics = Dictionary(uniqueKeysWithValues: try system.broker.topics().map { ($0.name, $0.partitions) })
        var bytes = 0
        try forEachLetter { stored in
            let origin = Origin(stored)
            guard try refusal(stored, topics) == nil, retries[origin] == stored.letter.retryCount,
                done.insert(origin).inserted
            else { return }
            if case .topic(let partition, _) = stored.letter.origin {
                let block = blocks[partition] ?? RecordBlock()
                blocks[partition] = block
                guard let record = ReplayedRecord.append(stored.letter, to: block) else { return }
                waiting.append(record)
                bytes += stored.letter.value?.count ?? 0
            } else {
                waiting.append(stored.identity)
            }
            if waiting.count >= Self.recordLimit || bytes >= Self.byteLimit {
                try flush()
                bytes = 0
            }
        }
        try flush()
        try producer.close()
        return sent.count
    }

    private func send(_ receipt: ReplayReceipt, _ producer: any BrokerProducer) throws {
        guard !receipt.records.isEmpty else { return }
        let block = RecordBlock()
        receipt.encode(into: block, timestamp: Int64(Date().timeIntervalSince1970 * 1000))
        try producer.send(block, to: TopicPartition(topic: reader.topicName, partition: 0))
        try producer.flush()
    }

    private func forEachLetter(_ body: (StoredLetter) throws -> Void) throws {
        try reader.read { letters in
            for letter in try filter?.select(letters) ?? letters where isAgain || !letter.isReplayed {
                try body(letter)
            }
            return true
        }
    }

    /// Why a letter cannot be sent again; nil when it can.
    private func refusal(_ stored: StoredLetter, _ topics: [String: Int]) throws -> String? {
        switch stored.letter.origin {
        case .file:
            return "lines of files, which never were records of a topic: mend them and `ingest` them "
                + "(`streamplat dlq show` prints them)"
        case .topic(let partition, _) where InputFile.isTopic(partition.topic):
            return
                "records of files that a run has read: mend the file and run with --from-earliest, or `ingest` the mended "
                + "records alone (`streamplat dlq show` prints them)"
        case .topic(let partition, _):
            if stored.letter.isTruncated { return "records of which only the beginning was kept" }
            guard let partitions = topics[partition.topic], partition.partition < partitions else {
                return "records of topic '\(partition.topic)', which is not there any more, or has fewer partitions"
            }
            return nil
        case .table(let table):
            return try isWhole(table, topics)
                ? nil
                : "rows of table '\(table)', whose topics have lost records to retention: counting it anew would lose rows"
        }
    }

    private func isWhole(_ table: String, _ topics: [String: Int]) throws -> Bool {
        let aggregation = system.domain.aggregations.first { $0.table.name == table }
        let stream = system.domain.streams.first { $0.table?.name == table }
        let inputs = system.domain.eventTypes.filter { eventType in
            aggregation?.inputs.contains(eventType.name)
                ?? (eventType.name == stream?.eventType || eventType.rawTable.name == table)
        }
        for input in inputs where try deletedRecords(input.topic.name, partitions: topics[input.topic.name] ?? 0) {
            return false
        }
        return true
    }

    private func deletedRecords(_ topic: String, partitions: Int) throws -> Bool {
        for number in 0..<partitions
        where try system.broker.offsets(TopicPartition(topic: topic, partition: number)).earliest > 0 { return true }
        return false
    }
}

extension LetterReplay.Origin {
    fileprivate init(_ stored: StoredLetter) {
        let identity = stored.identity
        self.init(partition: identity.partition, offset: identity.offset)
    }
}
