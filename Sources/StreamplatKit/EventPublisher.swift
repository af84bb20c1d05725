internal import AvroSchema
public import DataPath
internal import Diagnostics
internal import Metrics
public import PlatformModel
public import PluginAPI
internal import RecordConversion

/// Encodes batches of events, in the format of their topics, and sends them there. Threads: one at a time.
public final class EventPublisher {
    private struct Channel {
        var topic: String
        var encoding: Encoding
        var keyColumn: Int?
        var timestampColumn: Int
        var metrics: PublishMetrics
        /// Encoded and not yet sent.
        var block = RecordBlock()
    }

    private enum Encoding {
        case avro(AvroEncoder, schemaID: Int32)
        case json(JSONMessageWriter)
    }

    private static let gatheredRecords = 4096
    private static let gatheredBytes = 1 << 20

    private let producer: any BrokerProducer
    private let deadLetterTopic: String
    private var channels: [String: Channel] = [:]
    private let letters = RecordBlock()
    private let sendLatency = PublishMetrics.latency("send")
    private let flushLatency = PublishMetrics.latency("flush")
    private var letterCounters: [String: Counter] = [:]

    /// Every event type's topic must be there, and its schema registered if it is in Avro: `apply` does both.
    public init(_ eventTypes: [EventType], broker: any Broker, schemas: any SchemaRegistry, topicPrefix: String) throws
    {
        producer = try broker.makeProducer()
        deadLetterTopic = DeadLetter.topic(prefix: topicPrefix)
        let topics = Set(try broker.topics().map(\.name))
        for eventType in eventTypes {
            guard topics.contains(eventType.topic.name), topics.contains(deadLetterTopic) else {
                throw PipelineError(
                    .notApplied, "topic '\(eventType.topic.name)' or the topic of dead letters is not there",
                    hint: "run `streamplat apply` first", exitCode: 3)
            }
            let columns = BatchSchema(eventType.columns)
            channels[eventType.name] = Channel(
                topic: eventType.topic.name,
                encoding: try Self.encoding(of: eventType, columns, schemas),
                keyColumn: columns.index(of: eventType.messageKey),
                timestampColumn: columns.index(of: "timestamp") ?? 1,
                metrics: PublishMetrics(eventType: eventType.name))
        }
    }

    private static func encoding(
        of eventType: EventType, _ columns: BatchSchema, _ schemas: any SchemaRegistry
    ) throws -> Encoding {
        if eventType.format == .json { return .json(try JSONMessageWriter(eventType)) }
        guard let latest = try schemas.latest(subject: eventType.subject) else {
            throw PipelineError(
                .notApplied, "the schema of topic '\(eventType.topic.name)' is not there",
                hint: "run `streamplat apply` first", exitCode: 3)
        }
        // Only what was planned and applied is written: an unchecked schema could make the topic unreadable.
        let wanted = AvroSchema.record(eventType.schema).json(pretty: false)
        guard
            latest.schema == wanted
                || (try? AvroSchema.parse(json: latest.schema)) == (try? AvroSchema.parse(json: wanted))
        else {
            throw PipelineError(
                .notApplied,
                "the registered schema of topic '\(eventType.topic.name)' is not that of event type '\(eventType.name)'",
                hint:
                    "look at `streamplat plan`; if the topic belongs to another domain, give this event type a `topic:`",
                exitCode: 1)
        }
        let plan = try EncodePlan.compile(schema: eventType.schema, columns: columns)
        return .avro(AvroEncoder(plan: plan), schemaID: latest.id)
    }

    /// Sends every row of a batch of the event type's columns. Rows that its schema cannot hold are given to `onError`.
    public func publish(
        _ batch: RecordBatch, of eventType: String, onError: (_ row: Int, _ error: AvroEncodeError) -> Void
    ) throws {
        try add(batch, of: eventType, onError: onError)
        if let channel = channels[eventType] { try send(channel) }
    }

    /// As ``publish(_:of:onError:)``, but small batches are gathered and sent together, by ``flush()`` at the latest.
    public func add(
        _ batch: RecordBatch, of eventType: String, onError: (_ row: Int, _ error: AvroEncodeError) -> Void
    ) throws {
        guard let channel = channels[eventType] else { return }
        func refuse(_ row: Int, _ error: AvroEncodeError) {
            channel.metrics.refused.increment()
            onError(row, error)
        }
        switch channel.encoding {
        case .avro(let encoder, let schemaID):
            encoder.encode(
                batch, schemaID: schemaID, keyColumn: channel.keyColumn, timestampColumn: channel.timestampColumn,
                into: channel.block, onError: refuse)
        case .json(let writer):
            writer.write(
                batch, keyColumn: channel.keyColumn, timestampColumn: channel.timestampColumn, into: channel.block,
                onError: refuse)
        }
        if channel.block.count >= Self.gatheredRecords || channel.block.byteCount >= Self.gatheredBytes {
            try send(channel)
        }
    }

    private func send(_ channel: Channel) throws {
        let block = channel.block
        guard block.count > 0 else { return }
        // Also when it fails: some of its records may be in the topic already.
        defer { block.removeAll() }
        do {
            try sendLatency.measure { try producer.send(block, to: channel.topic) }
        } catch {
            channel.metrics.failed.increment(by: block.count)
            throw error
        }
        channel.metrics.ok.increment(by: block.count)
    }

    /// Adds a dead letter to what the next flush sends.
    public func reject(_ letter: DeadLetter) throws {
        letter.encode(into: letters)
        counter(of: letter).increment()
        if letters.byteCount > Self.gatheredBytes { try sendLetters() }
    }

    /// Returns when everything is as durable as the broker is configured to make it.
    public func flush() throws {
        for channel in channels.values { try send(channel) }
        try sendLetters()
        try flushLatency.measure { try producer.flush() }
    }

    public func close() throws {
        try flush()
        try producer.close()
    }

    private func counter(of letter: DeadLetter) -> Counter {
        let labels = [("stage", letter.stage.rawValue), ("code", letter.code)]
        let key = "\(letter.stage.rawValue) \(letter.code)"
        if let known = letterCounters[key] { return known }
        let made = Counter(label: "streamplat_dead_letters_total", dimensions: labels)
        letterCounters[key] = made
        return made
    }

    private func sendLetters() throws {
        guard letters.count > 0 else { return }
        try producer.send(letters, to: deadLetterTopic)
        letters.removeAll()
    }
}
