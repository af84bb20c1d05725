internal import DataPath
internal import Diagnostics
internal import PluginAPI
internal import Synchronization

/// Sends records that could not be used to the dead-letter topic. Threads: one.
final class DeadLetterWriter {
    private let writer: TopicWriter
    private let status: PipelineStatus
    private let tally: DeadLetterTally
    private let clock: any RunClock

    init(
        topic: String, broker: any Broker, status: PipelineStatus, tally: DeadLetterTally, retrying: Retrying
    ) {
        writer = TopicWriter(topic: topic, broker: broker, retrying: retrying)
        self.status = status
        self.tally = tally
        clock = retrying.host.clock
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
        /// The step that failed on it, when one did.
        var step: DeadLetter.StreamStep?
    }

    /// Adds one record of `source`; the tally says aloud what a person should know.
    func add(_ entry: RecordBlock.Entry, of source: RecordBlock, partition: TopicPartition, _ reason: Reason) {
        let letter = DeadLetter(
            key: source.key(entry).map(Array.init), value: source.value(entry).map(Array.init),
            headers: source.headers(entry).map { DeadLetter.Header($0.name, $0.value) },
            origin: .topic(partition, offset: entry.offset), stage: reason.stage, code: reason.code.id,
            message: reason.message, field: reason.field,
            timeMilliseconds: clock.wallMilliseconds, configPlace: reason.place.text,
            retryCount: ReplayedRecord(entry, in: source)?.retryCount ?? 0, recordTimestamp: entry.timestamp,
            aggregation: reason.aggregation, step: reason.step)
        add(letter)
    }

    /// Adds a letter.
    func add(_ letter: DeadLetter) {
        letter.encode(into: writer.block)
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

    var isFull: Bool { writer.isFull }

    /// See ``TopicWriter/flush()``.
    func flush() throws { try writer.flush() }

    /// Sends what is left and ends.
    func close() throws { try writer.close() }

    /// See ``TopicWriter/abandon()``.
    func abandon() { writer.abandon() }
}
