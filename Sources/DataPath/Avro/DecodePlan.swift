/// How Avro records of one writer's schema become the columns of a batch: a flat list of operations, one pass a record.
///
/// Made by `DecodePlan.compile(writer:columns:)`; a value that any number of ``AvroDecoder``s may share.
public struct DecodePlan: Sendable {
    package enum Action: UInt8, Sendable {
        case skipVarint, skipFixed, skipBytes, skipNode
        case readInt, readLong, readMicros, readIntegerAsDouble, readFloat, readDouble, readBoolean
        case readBytes, readFixed, readSymbol
        case readDecimal, readFixedDecimal
        case readJSON
        /// A nullable record: when it is null, the next `argument` operations are skipped.
        case enterRecord
    }

    package struct Operation: Sendable {
        package var action: Action
        package var isUnion = false
        /// Which branch of the union is null (-1 for none), and which is the value.
        package var nullBranch: Int8 = -1
        package var valueBranch: Int8 = 0
        /// The column, or -1.
        package var column = -1
        /// Bytes to skip or read, the node, the number of operations to leave out.
        package var argument = 0

        package init(_ action: Action, column: Int = -1, argument: Int = 0) {
            self.action = action
            self.column = column
            self.argument = argument
        }
    }

    /// What fills a column that the writer's schema lacks.
    package enum Constant: Sendable {
        case null
        case boolean(Bool)
        case integer(Int64)
        case double(Double)
        case decimal(Int128)
        case bytes([UInt8])
    }

    /// The columns that the batches must have, in order.
    public let columns: [ColumnSpec]
    package let operations: [Operation]
    /// The path of the field that each operation reads or skips, for messages.
    package let paths: [String]
    package let constants: [(column: Int, value: Constant)]
    package let nodes: AvroNodes

    package init(
        columns: [ColumnSpec], operations: [Operation], paths: [String],
        constants: [(column: Int, value: Constant)], nodes: AvroNodes
    ) {
        self.columns = columns
        self.operations = operations
        self.paths = paths
        self.constants = constants
        self.nodes = nodes
    }

    /// The batch schema that the plan fills.
    public var batchSchema: BatchSchema { BatchSchema(columns) }
}

/// Why a record could not be decoded. It names the field, never the value.
public struct AvroDecodeError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: UInt8, Hashable, Sendable {
        /// The bytes end inside a value, or a length or count is impossible.
        case truncated = 1
        /// An integer has more bits than its type.
        case integerTooWide
        case badUnionBranch, badSymbol, badBoolean
        /// A decimal has more digits than its type.
        case decimalTooLarge
        /// A null where the column does not allow one.
        case unexpectedNull
        /// Bytes follow the end of the record.
        case trailingBytes
        /// The message has no value at all (a tombstone).
        case noValue
    }

    public var reason: Reason
    /// The dotted path of the field, if the fault is inside one.
    public var field: String?

    public init(_ reason: Reason, field: String? = nil) {
        self.reason = reason
        self.field = field
    }

    public var description: String {
        let fact =
            switch reason {
            case .truncated: "the bytes end too early or a length is impossible"
            case .integerTooWide: "an integer is too large for its type"
            case .badUnionBranch: "a union has no such branch"
            case .badSymbol: "an enum has no such symbol"
            case .badBoolean: "a boolean is neither 0 nor 1"
            case .decimalTooLarge: "a decimal has too many digits"
            case .unexpectedNull: "a null where none is allowed"
            case .trailingBytes: "bytes follow the end of the record"
            case .noValue: "the message has no value"
            }
        return field.map { "field '\($0)': \(fact)" } ?? fact
    }
}
