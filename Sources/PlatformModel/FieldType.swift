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
