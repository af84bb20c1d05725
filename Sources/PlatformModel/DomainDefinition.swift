public import AvroSchema
public import DataPath
public import Diagnostics
public import Expressions

/// One domain: everything that its file says, typed, checked and bound.
public struct DomainDefinition: Sendable {
    public var name: String
    public var version: String?
    public var description: String?
    /// The entity's key field: default message key of every event type, and what `entity_id` means.
    public var primaryKey: String
    /// The Avro namespace of the records.
    public var namespace: String
    public var eventTypes: [EventType]
    /// A stream comes after those that it reads.
    public var streams: [DerivedStream]
    public var aggregations: [Aggregation]
    public var alerts: [Alert]
    public var synthetic: SyntheticSettings
    /// Values by field name.
    public var sampleData: [String: [String]]
    public var location: SourceLocation

    public func eventType(_ name: String) -> EventType? { eventTypes.first { $0.name == name } }
    /// The sinks that aggregations and streams name.
    public var sinkNames: [String] { aggregations.map(\.sink) + streams.compactMap(\.sink) }
    public func stream(_ name: String) -> DerivedStream? { streams.first { $0.name == name } }
}

/// One event type: its record, its topic.
public struct EventType: Sendable {
    public var name: String
    public var description: String?
    /// As written, in the record's order: attributes, metrics, dimensions, fields. Without event_id, timestamp and key.
    public var fields: [Field]
    /// The record's field that holds the entity key.
    public var primaryKey: String
    /// The field that becomes the message key.
    public var messageKey: String
    public var topic: TopicDefinition
    /// Also write every event to a table of the sink.
    public var rawEvents: Bool
    public var schema: AvroRecord
    public var location: SourceLocation

    /// The flattened columns of the record in its order: `event_id`, `timestamp`, the key, then each field's leaves
    /// (`location.country`); a money field is the long column `<name>_cents`.
    public var columns: [ColumnSpec]
    /// How the topic's messages are written.
    public var format = MessageFormat.avro
    /// Where JSON messages have the event's time; nil = in `timestamp`, as ISO 8601 or milliseconds since the epoch.
    public var eventTime: EventTime? = nil
    /// Where JSON messages have the event's id, dots step into objects; nil = in `event_id`.
    public var eventIDField: String? = nil
    /// The subject of the value schema; only Avro messages have one.
    public var subject: String { "\(topic.name)-value" }
}

/// One field of an event type.
public struct Field: Hashable, Sendable {
    /// Which of the four lists it stands in.
    public enum Role: String, Hashable, Sendable {
        case attribute, metric, dimension, field
    }

    public var name: String
    public var type: FieldType
    public var role: Role
    public var isNullable: Bool
    public var defaultValue: AvroDefault?
    public var doc: String?
    /// The values that the generator draws from, with optional weights.
    public var values: [WeightedValue]
    public var generator: GeneratorSpec?
    public var location: SourceLocation
    /// The name in payloads that others write, where it is another.
    public var sourceName: String? = nil

    /// The name in the Avro record and in columns: `<name>_cents` for money, else the name.
    public var storedName: String {
        if case .money = type { "\(name)_cents" } else { name }
    }
}

/// A value that the generator may draw, as text, with its weight.
public struct WeightedValue: Hashable, Sendable {
    public var text: String
    public var weight: Double

    public init(text: String, weight: Double = 1) {
        self.text = text
        self.weight = weight
    }
}

/// How the generator makes a field's values.
public enum GeneratorSpec: Hashable, Sendable {
    case uniform(minimum: Double, maximum: Double)
    case normal(mean: Double, deviation: Double)
    /// `median` = e^mu.
    case lognormal(median: Double, sigma: Double)
    /// Integers from 1 to `count`; exponent `s`.
    case zipf(count: Int, exponent: Double)
    /// `start`, `start + step`, ….
    case sequence(start: Int, step: Int)
    /// `#` becomes a digit, `?` a lower-case letter, `*` either; everything else stands for itself.
    case pattern(String)
    case constant(String)
    /// Share of nulls and a generator for the rest.
    indirect case nullable(share: Double, GeneratorSpec?)
    /// A named provider (a plugin of kind value provider), such as `email`, `country_code`.
    case provider(String)
}

/// A topic as the domain wants it.
public struct TopicDefinition: Hashable, Sendable {
    public var name: String
    public var partitions: Int
    public var replication: Int
    public var retentionMilliseconds: Int64?
    public var retentionBytes: Int64?
    /// Any further topic configuration.
    public var config: [String: String]
    public var location: SourceLocation?
    /// Where single settings are written: `partitions`, `replication` and the keys of ``config``.
    public var settingLocations: [String: SourceLocation] = [:]

    /// What topics are called that neither the platform nor the domain names.
    public static let defaultPrefix = "events"

    /// The topic of an event type that names none.
    public static func defaultName(prefix: String, eventType: String) -> String { "\(prefix).\(eventType)" }

    public init(
        name: String, partitions: Int, replication: Int = 1, retentionMilliseconds: Int64? = nil,
        retentionBytes: Int64? = nil, config: [String: String] = [:], location: SourceLocation? = nil
    ) {
        self.name = name
        self.partitions = partitions
        self.replication = replication
        self.retentionMilliseconds = retentionMilliseconds
        self.retentionBytes = retentionBytes
        self.config = config
        self.location = location
    }
}

/// An aggregation, bound to its inputs.
public struct Aggregation: Sendable {
    public enum EmitMode: String, Sendable {
        /// Changed rows every flush interval, as upserts.
        case updates
        /// Each row once, when its window is closed.
        case final
    }

    public enum LatePolicy: String, Sendable {
        case drop
        case sideOutput = "side_output"
    }

    public var name: String
    public var description: String?
    /// Names of the event types whose events it reads, each once.
    public var inputs: [String]
    /// For each of the inputs the stream through which its events come; nil = as they are.
    public var streams: [String?]
    /// True when `from` was absent and the inputs were inferred.
    public var inputsAreInferred: Bool
    /// Bound per input event type, in the order of `inputs`; nil when there is no filter.
    public var filters: [TypedExpression?]
    public var spec: AggregationSpec
    /// Measure filters: for each measure, per input, as `filters`.
    public var measureFilters: [[TypedExpression?]]
    /// Result column names of the groups, in the order of `spec.groups`.
    public var groupNames: [String]
    /// Nil = by the sink's nature: updates on tables, final on append sinks.
    public var emit: EmitMode?
    public var late: LatePolicy
    public var sink: String
    public var location: SourceLocation
    /// Changes when the meaning of the aggregation changes; the state of another fingerprint is not reused.
    public var fingerprint: String
}

/// An alert: checked and bound; acted on in a later version.
public struct Alert: Sendable {
    public enum Kind: Sendable {
        /// `<aggregation>.<column>` and a condition over it.
        case metric(aggregation: String, column: String)
        /// Events of a type, or the rows that a stream makes of them.
        case event(eventType: String, stream: String?)
    }

    public enum Severity: String, Sendable, CaseIterable { case info, warning, critical }

    public var name: String
    public var kind: Kind
    public var condition: TypedExpression
    public var severity: Severity
    public var location: SourceLocation
    public var description: String? = nil
    /// How long the condition must hold.
    public var forMilliseconds: Int64 = 0
    /// How long the alert is silent after it fired.
    public var cooldownMilliseconds: Int64 = 0
    public var channels: [String] = []

    /// The stream whose rows it looks at; nil = it looks at none.
    public var stream: String? {
        if case .event(_, let stream) = kind { stream } else { nil }
    }
}

/// How synthetic events are made.
public struct SyntheticSettings: Sendable {
    public var seed: UInt64
    /// Milliseconds since the epoch; nil = now less the span.
    public var startMilliseconds: Int64?
    public var spanMilliseconds: Int64?
    public var eventsPerSecond: Double?
    public var entityPoolSize: Int
    public var sessionMinutes: Double
    public var cartAbandonmentRate: Double
    public var purchaseConversionRate: Double
    /// Hours of the day, UTC, 0 to 23.
    public var peakHours: [Int]
    public var weekendMultiplier: Double
    /// Share of events that arrive out of order, and by how much at most.
    public var outOfOrderShare: Double
    public var outOfOrderMilliseconds: Int64
    /// Declared transitions between event types; empty = the built-in shopping session if its event types are there,
    /// else independent events.
    public var transitions: [Transition]

    public struct Transition: Hashable, Sendable {
        /// Nil = the session's start.
        public var from: String?
        /// Nil = the session's end.
        public var to: String?
        public var probability: Double

        public init(from: String?, to: String?, probability: Double) {
            self.from = from
            self.to = to
            self.probability = probability
        }
    }
}
