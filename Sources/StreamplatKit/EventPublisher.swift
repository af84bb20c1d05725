internal import AvroSchema
public import DataPath
internal import Diagnostics
internal import Metrics
public import PlatformModel
public import PluginAPI

/// Encodes batches of events and sends them to their topics. Threads: one.
public final class EventPublisher {
    private struct Channel {
        var topic: String
        var encoder: AvroEncoder
        var schemaID: Int32
        var keyColumn: Int?
        var timestampColumn: Int
        var metrics: PublishMetrics
    }

    private let producer: any BrokerProducer
    private let deadLetterTopic: String
    private var channels: [String: Channel] = [:]
    private let block = RecordBlock(byteCapacity: 1 << 20)
    private let letters = RecordBlock()
    private let sendLatency = PublishMetrics.latency("send")
    private let flushLatency = PublishMetrics.latency("flush")
    private var letterCounters: [String: Counter] = [:]

    /// Every event type's schema must be registered and its topic there: `apply` does both.
    public init(_ eventTypes: [EventType], broker: any Broker, schemas: any SchemaRegistry, topicPrefix: String) throws {
        producer = try broker.makeProducer()
        deadLetterTopic = DeadLetter.topic(prefix: topicPrefix)
        let topics = Set(try broker.topics().map(\.name))
        for eventType in eventTypes {
            guard topics.contains(eventType.topic.name), topics.contains(deadLetterTopic),
                let latest = try schemas.latest(subject: eventType.subject)
            else {
                throw PipelineError(
                    .notApplied, "topic '\(eventType.topic.name)' or its schema is not there",
                    hint: "run `streamplat apply` first", exitCode: 3)
            }
            // Only what was planned and applied is written: an unchecked schema could make the topic unreadable.
            let wanted = AvroSchema.record(eventType.schema).json(pretty: false)
            guard try latest.schema == wanted || AvroSchema.parse(json: latest.schema) == AvroSchema.parse(json: wanted)
            else {
                throw PipelineError(
                    .notApplied,
                    "the registered schema of topic '\(eventType.topic.name)' is not that of event type '\(eventType.name)'",
                    hint:
                        "look at `streamplat plan`; if the topic belongs to another domain, give this event type a `topic:`",
                    exitCode: 1)
            }
            let columns = BatchSchema(eventType.columns)
            channels[eventType.name] = Channel(
                topic: eventType.topic.name,
                encoder: AvroEncoder(plan: try EncodePlan.compile(schema: eventType.schema, columns: columns)),
                schemaID: latest.id,
                keyColumn: columns.index(of: eventType.messageKey),
                timestampColumn: columns.index(of: "timestamp") ?? 1,
                metrics: PublishMetrics(eventType: eventType.name))
        }
    }

    /// Sends every row of a batch of the event type's columns. Rows that its schema cannot hold are given to `onError`.
    public func publish(
        _ batch: RecordBatch, of eventType: String, onError: (_ row: Int, _ reason: String) -> Void
    ) throws {
        guard let channel = channels[eventType] else { return }
        block.removeAll()
        channel.encoder.encode(
            batch, schemaID: channel.schemaID, keyColumn: channel.keyColumn, timestampColumn: channel.timestampColumn,
            into: block
        ) { row, error in
            channel.metrics.refused.increment()
            onError(row, "\(error)")
        }
        guard block.count > 0 else { return }
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
        if letters.byteCount > 1 << 20 { try sendLetters() }
    }

    /// Returns when everything is as durable as the broker is configured to make it.
    public func flush() throws {
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
