/// What librdkafka is configured with: its properties by name, and how long requests may take.
///
/// Passwords are among the properties, so it prints none of them.
public struct KafkaSettings: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Properties of every handle: `bootstrap.servers`, `security.protocol`, ….
    public var common: [String: String]
    /// Properties of the producer's handle alone; they win over the common ones.
    public var producer: [String: String]
    /// Properties of the reading handle alone; they win over the common ones.
    public var reader: [String: String]
    /// How long a request of the administration, or the opening, may take.
    public var requestTimeoutMilliseconds: Int32
    /// How long a topic that was there may be missing, as while a cluster starts, before a reader gives up.
    public var missingTopicTimeoutMilliseconds: Int64 = 30_000
    /// Values that must not appear in any text: passwords.
    public var sensitiveValues: [String]

    public init(
        common: [String: String], producer: [String: String] = [:], reader: [String: String] = [:],
        requestTimeoutMilliseconds: Int32 = 10_000, sensitiveValues: [String] = []
    ) {
        self.common = common
        self.producer = producer
        self.reader = reader
        self.requestTimeoutMilliseconds = requestTimeoutMilliseconds
        self.sensitiveValues = sensitiveValues
    }

    public var description: String { "KafkaSettings(\(common.count) properties)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// What the runtime relies on, whatever else is set.
    var readerProperties: [String: String] {
        common.merging(
            [
                // Answers faster that there is nothing more; an idle partition costs ten small requests a second.
                "fetch.wait.max.ms": "100",
                // What bounds a request for offsets: librdkafka looks at no other timeout there.
                "socket.timeout.ms": "\(max(30_000, requestTimeoutMilliseconds))",
            ], uniquingKeysWith: { given, _ in given }
        )
        .merging(KafkaReadAhead.properties, uniquingKeysWith: { given, _ in given })
        .merging(reader, uniquingKeysWith: { $1 })
        .merging(
            [
                "enable.auto.commit": "false", "enable.partition.eof": "true", "auto.offset.reset": "error",
                "allow.auto.create.topics": "false", "statistics.interval.ms": "1000",
            ], uniquingKeysWith: { $1 })
    }

    var producerProperties: [String: String] {
        common.merging(
            [
                // librdkafka's own limit of 1 GiB is more than a stalled broker should cost.
                "queue.buffering.max.kbytes": "131072"
            ], uniquingKeysWith: { given, _ in given }
        )
        .merging(producer, uniquingKeysWith: { $1 })
        .merging(
            [
                "partitioner": "murmur2_random", "delivery.report.only.error": "true",
                "statistics.interval.ms": "1000",
            ], uniquingKeysWith: { $1 })
    }
}
