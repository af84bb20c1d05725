public import AvroSchema
public import DataPath
public import Diagnostics

// Initialisers, so that domains can be made without a file: by tests and by programs that embed the platform. The place
// comes second, because the order of the properties is that of the internal memberwise initialisers.

extension DomainDefinition {
    public init(
        name: String, location: SourceLocation, version: String? = nil, description: String? = nil, primaryKey: String,
        namespace: String = "com.streaming.events", eventTypes: [EventType], streams: [DerivedStream] = [],
        aggregations: [Aggregation] = [], alerts: [Alert] = [], synthetic: SyntheticSettings = SyntheticSettings(),
        sampleData: [String: [String]] = [:]
    ) {
        self.name = name
        self.version = version
        self.description = description
        self.primaryKey = primaryKey
        self.namespace = namespace
        self.eventTypes = eventTypes
        self.streams = streams
        self.aggregations = aggregations
        self.alerts = alerts
        self.synthetic = synthetic
        self.sampleData = sampleData
        self.location = location
    }
}

extension EventType {
    public init(
        name: String, location: SourceLocation, description: String? = nil, fields: [Field], primaryKey: String,
        messageKey: String? = nil, topic: TopicDefinition, rawEvents: Bool = false, schema: AvroRecord,
        columns: [ColumnSpec], format: MessageFormat = .avro, eventTime: EventTime? = nil, eventIDField: String? = nil
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
        self.format = format
        self.eventTime = eventTime
        self.eventIDField = eventIDField
    }
}

extension Field {
    public init(
        name: String, location: SourceLocation, type: FieldType, role: Role = .field, isNullable: Bool = false,
        defaultValue: AvroDefault? = nil, doc: String? = nil, values: [WeightedValue] = [],
        generator: GeneratorSpec? = nil
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
    /// The defaults: no declared shape, nothing out of order. Whoever wants more sets the properties.
    public init() {
        seed = 42
        startMilliseconds = nil
        spanMilliseconds = nil
        eventsPerSecond = nil
        entityPoolSize = 10_000
        sessionMinutes = 15
        cartAbandonmentRate = 0.7
        purchaseConversionRate = 0.03
        peakHours = []
        weekendMultiplier = 1
        outOfOrderShare = 0
        outOfOrderMilliseconds = 0
        transitions = []
    }
}
