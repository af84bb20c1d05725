/// How the messages of a topic are written.
public enum MessageFormat: String, Sendable, CaseIterable {
    /// Confluent's wire format: an id of a registered schema, then the Avro datum.
    case avro
    /// One JSON object; nothing is registered.
    case json
}

/// Where a JSON message has its event's time.
public struct EventTime: Hashable, Sendable {
    /// The name in the message; dots step into objects.
    public var field: String
    /// One of ``namedFormats`` or a pattern as of strptime; nil = ISO 8601 text or milliseconds since the epoch. A time
    /// without an offset is in UTC.
    public var format: String?

    public static let namedFormats = ["iso8601", "epoch_s", "epoch_ms", "epoch_us"]

    public init(field: String, format: String? = nil) {
        self.field = field
        self.format = format
    }
}
