/// An Avro schema. Source: Apache Avro 1.11 specification.
public indirect enum AvroSchema: Hashable, Sendable {
    case null, boolean, int, long, float, double, bytes, string
    case record(AvroRecord)
    case enumeration(name: String, namespace: String?, symbols: [String])
    case fixed(name: String, namespace: String?, size: Int)
    case array(AvroSchema)
    case map(AvroSchema)
    case union([AvroSchema])
    /// A base type with a logical type.
    case logical(base: AvroSchema, AvroLogicalType)
}

/// The logical types that we write; others are read as their base type, as the specification asks.
public enum AvroLogicalType: Hashable, Sendable {
    case date
    case timestampMillis
    case timestampMicros
    case uuid
    case decimal(precision: Int, scale: Int)
}

/// A record schema; its fields keep their order.
public struct AvroRecord: Hashable, Sendable {
    public var name: String
    public var namespace: String?
    public var doc: String?
    public var fields: [AvroField]

    public init(name: String, namespace: String? = nil, doc: String? = nil, fields: [AvroField]) {
        self.name = name
        self.namespace = namespace
        self.doc = doc
        self.fields = fields
    }
}

/// A field of a record.
public struct AvroField: Hashable, Sendable {
    public var name: String
    public var type: AvroSchema
    public var doc: String?
    public var defaultValue: AvroDefault?

    public init(name: String, type: AvroSchema, doc: String? = nil, defaultValue: AvroDefault? = nil) {
        self.name = name
        self.type = type
        self.doc = doc
        self.defaultValue = defaultValue
    }
}

/// A default value, as it stands in the schema's JSON.
public indirect enum AvroDefault: Hashable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    case array([AvroDefault])
    case object([String: AvroDefault])
}
