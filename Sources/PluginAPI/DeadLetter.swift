/// A record that could not be used, with all that is known about why.
///
/// On a topic it is one record: key and value are the original's, unchanged; everything else is a header, the original's
/// own headers first, then ours, whose names begin with `dlq.`. So a replay sends key, value and the headers without
/// that beginning. The names are final; docs/dead-letters.md lists them.
public struct DeadLetter: Hashable, Sendable {
    public enum Stage: String, Hashable, Sendable, CaseIterable {
        case decode, step, sink, ingest
    }

    /// Where the record came from.
    public enum Origin: Hashable, Sendable {
        case topic(TopicPartition, offset: Int64)
        /// Line and column are 1-based; a column counts Unicode scalars. For files without lines, `line` is the record's number.
        case file(String, line: Int, column: Int)
        /// A row of this result table, which a sink refused.
        case table(String)
    }

    public var key: [UInt8]?
    public var value: [UInt8]?
    /// The original's own headers.
    public var headers: [Header]
    public var origin: Origin
    public var stage: Stage
    /// The code's id, such as `SP3204`.
    public var code: String
    /// The reason; without values of the record.
    public var message: String
    /// The field at fault, when there is one.
    public var field: String?
    /// When it became a dead letter, in milliseconds since the epoch.
    public var timeMilliseconds: Int64
    /// The place in the configuration that it concerns, such as `domains/shop.yaml:12:7`.
    public var configPlace: String?
    public var retryCount: Int
    /// The value is only the beginning of a larger record.
    public var isTruncated: Bool
    /// The timestamp of the original record, in milliseconds since the epoch; nil when it had none.
    public var recordTimestamp: Int64?
    /// The aggregation that refused the record, when one did.
    public var aggregation: String?
    /// The step of a stream that failed on the record, when one did.
    public var step: StreamStep?

    /// One step of a derived stream.
    public struct StreamStep: Hashable, Sendable {
        public var stream: String
        /// From 1.
        public var number: Int

        public init(stream: String, number: Int) {
            self.stream = stream
            self.number = number
        }
    }

    public struct Header: Hashable, Sendable {
        public var name: String
        public var value: [UInt8]

        public init(_ name: String, _ value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    public init(
        key: [UInt8]?, value: [UInt8]?, headers: [Header] = [], origin: Origin, stage: Stage, code: String,
        message: String, field: String? = nil, timeMilliseconds: Int64, configPlace: String? = nil,
        retryCount: Int = 0, isTruncated: Bool = false, recordTimestamp: Int64? = nil, aggregation: String? = nil,
        step: StreamStep? = nil
    ) {
        self.key = key
        self.value = value
        self.headers = headers
        self.origin = origin
        self.stage = stage
        self.code = code
        self.message = message
        self.field = field
        self.timeMilliseconds = timeMilliseconds
        self.configPlace = configPlace
        self.retryCount = retryCount
        self.isTruncated = isTruncated
        self.recordTimestamp = recordTimestamp
        self.aggregation = aggregation
        self.step = step
    }

    /// The topic of a pipeline's dead letters.
    public static func topic(prefix: String) -> String { "\(prefix).dlq" }
}
