/// What a column's values mean. How they are laid out is ``PhysicalType``.
public enum LogicalType: Hashable, Sendable {
    case boolean
    /// 32-bit signed integer.
    case int
    /// 64-bit signed integer.
    case long
    /// IEEE single precision; held as a double.
    case float
    case double
    case string
    case bytes
    /// Days since 1970-01-01.
    case date
    /// Milliseconds since 1970-01-01T00:00:00Z.
    case timestamp
    /// Text in the canonical 8-4-4-4-12 form.
    case uuid
    /// Exact: an integer of up to 38 digits, times 10^-scale.
    case decimal(precision: Int, scale: Int)
    /// An array, map or record as a whole, as JSON text (UTF-8).
    case json

    public var physical: PhysicalType {
        switch self {
        case .boolean: .boolean
        case .int, .long, .date, .timestamp: .int64
        case .float, .double: .double
        case .string, .bytes, .uuid, .json: .bytes
        case .decimal: .int128
        }
    }

    public var isNumeric: Bool {
        switch self {
        case .int, .long, .float, .double, .decimal: true
        default: false
        }
    }
}

/// How values are laid out in memory.
public enum PhysicalType: Hashable, Sendable {
    case boolean, int64, int128, double, bytes
}

/// How a column of physical type ``PhysicalType/bytes`` is held in a batch.
public enum ColumnEncoding: Hashable, Sendable {
    /// The values themselves.
    case plain
    /// 32-bit codes into a ``StringDictionary``: for columns that are compared and grouped, not passed on.
    case dictionary
    /// Only a 128-bit keyed hash of each value: for columns that are only counted distinctly.
    case hash
}

/// One column of a batch.
public struct ColumnSpec: Hashable, Sendable {
    /// The dotted path of the field, such as `location.country`.
    public var name: String
    public var type: LogicalType
    public var isNullable: Bool
    public var encoding: ColumnEncoding
    /// What a ``LogicalType/json`` column holds an array of; nil when its elements are not scalars, or it is no array.
    public var element: LogicalType?
    /// What the values of a ``LogicalType/json`` column that holds a map are (its keys are text); nil when they are not
    /// scalars, or it is no map.
    public var mapValue: LogicalType?

    public init(
        _ name: String, _ type: LogicalType, isNullable: Bool = false, encoding: ColumnEncoding = .plain,
        element: LogicalType? = nil, mapValue: LogicalType? = nil
    ) {
        self.name = name
        self.type = type
        self.isNullable = isNullable
        self.encoding = encoding
        self.element = element
        self.mapValue = mapValue
    }
}

/// The columns of a batch, in order. Names are unique.
public struct BatchSchema: Hashable, Sendable {
    public var columns: [ColumnSpec]

    public init(_ columns: [ColumnSpec]) { self.columns = columns }

    public func index(of name: String) -> Int? { columns.firstIndex { $0.name == name } }
}
