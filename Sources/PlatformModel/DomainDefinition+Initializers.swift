public import AvroSchema
public import DataPath
public import Diagnostics

// Memberwise initialisers, so that domains can be made without a file: by tests and by programs that embed the platform.

extension DomainDefinition {
    public init(
        name: String, version: String? = nil, description: String? = nil, primaryKey: String,
        namespace: String = "com.streaming.events", eventTypes: [EventType], aggregations: [Aggregation] = [],
        alerts: [Alert] = [], synthetic: SyntheticSettings = SyntheticSettings(), sampleData: [String: [String]] = [:],
        location: SourceLocation
    ) {
        self.name = name
        self.version = version
        self.description = description
        self.primaryKey = primaryKey
        self.namespace = namespace
        self.eventTypes = eventTypes
        self.aggregations = aggregations
        self.alerts = alerts
        self.synthetic = synthetic
        self.sampleData = sampleData
        self.location = location
    }
}

extension EventType {
    public init(
        name: String, description: String? = nil, fields: [Field], primaryKey: String, messageKey: String? = nil,
        topic: TopicDefinition, rawEvents: Bool = false, schema: AvroRecord, location: SourceLocation,
        columns: [ColumnSpec]
    ) {
        self.name = name
        self.description = description
        self.fields = fields
        self.primaryKey = primaryKey
        self.messageKey = messageKey ?? primaryKey
        self.topic = topic
        self.rawEvents = rawEvents
        self.schema = schema
        self.location = location
        self.columns = columns
    }
}

extension Field {
    public init(
        name: String, type: FieldType, role: Role = .field, isNullable: Bool = false, defaultValue: AvroDefault? = nil,
        doc: String? = nil, values: [WeightedValue] = [], generator: GeneratorSpec? = nil, location: SourceLocation
    ) {
        self.name = name
        self.type = type
        self.role = role
        self.isNullable = isNullable
        self.defaultValue = defaultValue
        self.doc = doc
        self.values = values
        self.generator = generator
        self.location = location
    }
}

extension SyntheticSettings {
    public init(
        seed: UInt64 = 42, startMilliseconds: Int64? = nil, spanMilliseconds: Int64? = nil,
        eventsPerSecond: Double? = nil, entityPoolSize: Int = 10_000, sessionMinutes: Double = 15,
        cartAbandonmentRate: Double = 0.7, purchaseConversionRate: Double = 0.03, peakHours: [Int] = [],
        weekendMultiplier: Double = 1, outOfOrderShare: Double = 0, outOfOrderMilliseconds: Int64 = 0,
        transitions: [Transition] = []
    ) {
        self.seed = seed
        self.startMilliseconds = startMilliseconds
        self.spanMilliseconds = spanMilliseconds
        self.eventsPerSecond = eventsPerSecond
        self.entityPoolSize = entityPoolSize
        self.sessionMinutes = sessionMinutes
        self.cartAbandonmentRate = cartAbandonmentRate
        self.purchaseConversionRate = purchaseConversionRate
        self.peakHours = peakHours
        self.weekendMultiplier = weekendMultiplier
        self.outOfOrderShare = outOfOrderShare
        self.outOfOrderMilliseconds = outOfOrderMilliseconds
        self.transitions = transitions
    }
}
