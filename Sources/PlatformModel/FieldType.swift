public import DataPath

/// The type of a field in a domain file.
public indirect enum FieldType: Hashable, Sendable {
    case string, int, long, float, double, boolean, bytes, date, timestamp, uuid
    case decimal(precision: Int, scale: Int)
    /// An exact count of minor units; stored as a long named `<field>_cents`.
    case money(scale: Int)
    case enumeration(symbols: [String])
    case record([Field])
    case array(FieldType)
    case map(FieldType)

    /// The column type that holds a value of this type; a record has none of its own (its leaves are columns).
    public var logicalType: LogicalType? {
        switch self {
        case .string, .enumeration: .string
        case .int: .int
        case .long, .money: .long
        case .float: .float
        case .double: .double
        case .boolean: .boolean
        case .bytes: .bytes
        case .date: .date
        case .timestamp: .timestamp
        case .uuid: .uuid
        case .decimal(let precision, let scale): .decimal(precision: precision, scale: scale)
        case .array, .map: .json
        case .record: nil
        }
    }
}

extension FieldType: CustomStringConvertible {
    /// As it is written in a domain file.
    public var description: String {
        switch self {
        case .string: "string"
        case .int: "int"
        case .long: "long"
        case .float: "float"
        case .double: "double"
        case .boolean: "boolean"
        case .bytes: "bytes"
        case .date: "date"
        case .timestamp: "timestamp"
        case .uuid: "uuid"
        case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
        case .money(let scale): scale == 2 ? "money" : "money of scale \(scale)"
        case .enumeration(let symbols): "enum of \(symbols.joined(separator: ", "))"
        case .record(let fields):
            "record of "
                + fields.map { "\($0.name) \($0.type)\($0.isNullable ? " nullable" : "")" }.joined(separator: ", ")
        case .array(let inner): "array<\(inner)>"
        case .map(let inner): "map<\(inner)>"
        }
    }

    /// Whether both mean the same, wherever they were written.
    func hasSameShape(as other: FieldType) -> Bool { description == other.description }
}
