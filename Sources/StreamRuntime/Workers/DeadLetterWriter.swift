internal import DataPath
internal import Diagnostics
internal import Foundation
internal import PluginAPI
internal import Synchronization

/// Sends records that could not be used to the dead-letter topic. Threads: one.
final class DeadLetterWriter {
    private let topic: String
    private let broker: any Broker
    private let status: PipelineStatus
    private let tally: DeadLetterTally
    private let retrying: Retrying
    private var producer: (any BrokerProducer)?
    private let block = RecordBlock()

    init(
        topic: String, broker: any Broker, status: PipelineStatus, tally: DeadLetterTally, retrying: Retrying
    ) {
        self.topic = topic
        self.broker = broker
        self.status = status
        self.tally = tally
        self.retrying = retrying
    }

    /// Why a record could not be used.
    struct Reason {
        var stage = DeadLetter.Stage.decode
        var code: DiagnosticCode
        var message: String
        var field: String?
        /// The place in the configuration that it concerns.
        var place: SourceLocation
        /// The aggregation that refused the record, when one did.
        var aggregation: String?
    }

    /// Adds one record of `source`; the tally says aloud what a person should know.
    func add(_ entry: RecordBlock.Entry, of source: RecordBlock, partition: TopicPartition, _ reason: Reason) {
        let letter = DeadLetter(
            key: source.key(entry).map(Array.init), value: source.value(entry).map(Array.init),
            headers: source.headers(entry).map { DeadLetter.Header($0.name, $0.value) },
            origin: .topic(partition, offset: entry.offset), stage: reason.stage, code: reason.code.id,
            message: reason.message, field: reason.field,
            timeMilliseconds: Int64(Date().timeIntervalSince1970 * 1000), configPlace: reason.place.text,
            retryCount: ReplayedRecord(entry, in: source)?.retryCount ?? 0, recordTimestamp: entry.timestamp,
            aggregation: reason.aggregation)
        add(letter)
    }

    /// Adds a letter.
    func add(_ letter: DeadLetter) {
        letter.encode(into: block)
        status.deadLetters.add(1, ordering: .relaxed)
        tally.count(stage: letter.stage, code: letter.code, place: Self.place(letter.origin), reason: letter.message)
    }

    private static func place(_ origin: DeadLetter.Origin) -> String {
        switch origin {
        case .topic(let partition, let offset):
            "\(partition.topic), partition \(partition.partition), offset \(offset)"
        case .file(let file, let line, let column): "\(file):\(line):\(column)"
        case .table(let table): "table \(table)"
        }
    }

    /// Whether so much waits that it should not wait for the next flush: a topic may hold nothing but bad records.
    var isFull: Bool { block.byteCount > Self.byteLimit }
    private static let byteLimit = 8 << 20

    /// Hands everything to the broker. Called before positions are reported: a bad record never vanishes. While the broker
    /// is away it is tried again, and a letter whose arrival is not known is sent once more.
    func flush() throws {
        guard block.count > 0 else { return }
        try retrying {
            do {
                let producer = try producer ?? broker.makeProducer()
                self.producer = producer
                try producer.send(block, to: topic)
                try producer.flush()
            } catch {
                // One that failed may never send again.
                producer = nil
                throw error
            }
        }
        block.removeAll()
    }

    func close() throws {
        try flush()
        try producer?.close()
    }
}
