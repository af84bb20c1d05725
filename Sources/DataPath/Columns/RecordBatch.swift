/// The values of one column of a batch.
public enum ColumnVector {
    case boolean(FixedVector<Bool>)
    case int64(FixedVector<Int64>)
    case int128(FixedVector<Int128>)
    case double(FixedVector<Double>)
    case bytes(BytesVector)
    /// Codes into the dictionary; a null's code is unspecified.
    case dictionary(FixedVector<UInt32>, StringDictionary)
    case hash(FixedVector<Hash128>)

    public var count: Int {
        switch self {
        case .boolean(let vector): vector.count
        case .int64(let vector): vector.count
        case .int128(let vector): vector.count
        case .double(let vector): vector.count
        case .bytes(let vector): vector.count
        case .dictionary(let vector, _): vector.count
        case .hash(let vector): vector.count
        }
    }

    /// Bytes allocated; dictionaries are shared and not counted.
    public var memoryBytes: Int {
        switch self {
        case .boolean(let vector): vector.memoryBytes
        case .int64(let vector): vector.memoryBytes
        case .int128(let vector): vector.memoryBytes
        case .double(let vector): vector.memoryBytes
        case .bytes(let vector): vector.memoryBytes
        case .dictionary(let vector, _): vector.memoryBytes
        case .hash(let vector): vector.memoryBytes
        }
    }

    public func removeAll() {
        switch self {
        case .boolean(let vector): vector.removeAll()
        case .int64(let vector): vector.removeAll()
        case .int128(let vector): vector.removeAll()
        case .double(let vector): vector.removeAll()
        case .bytes(let vector): vector.removeAll()
        case .dictionary(let vector, _): vector.removeAll()
        case .hash(let vector): vector.removeAll()
        }
    }

    /// An empty vector of the layout that `spec` asks for. A dictionary column gets a dictionary of its own.
    public static func make(for spec: ColumnSpec, capacity: Int = 0) -> ColumnVector {
        switch (spec.type.physical, spec.encoding) {
        case (.boolean, _): .boolean(FixedVector(capacity: capacity))
        case (.int64, _): .int64(FixedVector(capacity: capacity))
        case (.int128, _): .int128(FixedVector(capacity: capacity))
        case (.double, _): .double(FixedVector(capacity: capacity))
        case (.bytes, .plain): .bytes(BytesVector(capacity: capacity))
        case (.bytes, .dictionary): .dictionary(FixedVector(capacity: capacity), StringDictionary())
        case (.bytes, .hash): .hash(FixedVector(capacity: capacity))
        }
    }
}

/// A run of rows as columns: the unit that moves through the data path.
///
/// Shape: every column has `rowCount` rows. A batch has one owner at a time: a thread that hands it on stops using it.
/// That is why it may be `@unchecked Sendable`: the queues between threads order the hand-over.
public final class RecordBatch: @unchecked Sendable {
    public let schema: BatchSchema
    public let columns: [ColumnVector]
    public var rowCount = 0

    public init(schema: BatchSchema, capacity: Int = 0) {
        self.schema = schema
        columns = schema.columns.map { .make(for: $0, capacity: capacity) }
    }

    public init(schema: BatchSchema, columns: [ColumnVector], rowCount: Int) {
        self.schema = schema
        self.columns = columns
        self.rowCount = rowCount
    }

    /// Bytes that the columns have allocated.
    public var memoryBytes: Int { columns.reduce(0) { $0 + $1.memoryBytes } }

    public func removeAll() {
        for column in columns { column.removeAll() }
        rowCount = 0
    }
}
