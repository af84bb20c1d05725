/// How the rows of a batch become Avro records of one schema. Made by `EncodePlan.compile(schema:columns:)`.
public struct EncodePlan: Sendable {
    package enum Action: UInt8, Sendable {
        case putInt, putLong, putMicros, putFloat, putDouble, putBoolean, putBytes, putFixed, putSymbol
        case putDecimal, putFixedDecimal
        /// The JSON text of the column as node `argument`, which writes its own union branch.
        case putJSON
        /// The encoded default of a field that has no column.
        case putConstant
        /// A nullable record: null, and the next `argument` operations left out, when all its columns are null.
        case enterRecord
    }

    package struct Operation: Sendable {
        package var action: Action
        /// Whether the branch stands before the value.
        package var isUnion = false
        /// -1 when null is not allowed. Branches are below 64, so they take one byte.
        package var nullBranch: Int8 = -1
        package var valueBranch: Int8 = 0
        package var column = -1
        package var argument = 0
        /// Decimals are smaller than 10^precision.
        package var precision = 38

        package init(_ action: Action, column: Int = -1, argument: Int = 0) {
            self.action = action
            self.column = column
            self.argument = argument
        }
    }

    public let columns: BatchSchema
    package let operations: [Operation]
    package let paths: [String]
    package let constants: [[UInt8]]
    package let symbols: [[[UInt8]]]
    /// The schemas of columns of JSON text.
    package let nodes: AvroNodes

    package init(
        columns: BatchSchema, operations: [Operation], paths: [String], constants: [[UInt8]], symbols: [[[UInt8]]],
        nodes: AvroNodes
    ) {
        self.columns = columns
        self.operations = operations
        self.paths = paths
        self.constants = constants
        self.symbols = symbols
        self.nodes = nodes
    }
}
