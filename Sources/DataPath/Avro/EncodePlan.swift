/// How the rows of a batch become Avro records of one schema. Made by `EncodePlan.compile(schema:columns:)`.
public struct EncodePlan: Sendable {
    package enum Action: UInt8, Sendable {
        case putInt, putLong, putMicros, putFloat, putDouble, putBoolean, putBytes, putFixed, putSymbol
        case putDecimal, putFixedDecimal
        /// The encoded default of a field that has no column.
        case putConstant
        /// A nullable record: null, and the next `argument` operations left out, when all its columns are null.
        case enterRecord
    }

    package struct Operation: Sendable {
        package var action: Action
        /// The union's branches, encoded; both are below 64, so they take one byte. No union: `nullBranch` is -1 and
        /// `isUnion` false.
        package var isUnion = false
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

    package init(
        columns: BatchSchema, operations: [Operation], paths: [String], constants: [[UInt8]], symbols: [[[UInt8]]]
    ) {
        self.columns = columns
        self.operations = operations
        self.paths = paths
        self.constants = constants
        self.symbols = symbols
    }
}

/// Why a row could not be encoded. It names the field, never the value.
public struct AvroEncodeError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: Hashable, Sendable {
        case nullNotAllowed, outOfRange, unknownSymbol, wrongLength
    }

    public var reason: Reason
    public var field: String

    public var description: String {
        switch reason {
        case .nullNotAllowed: "field '\(field)': a null where none is allowed"
        case .outOfRange: "field '\(field)': the value is outside the range of its type"
        case .unknownSymbol: "field '\(field)': the value is not one of the enum's symbols"
        case .wrongLength: "field '\(field)': the value has not the length of its type"
        }
    }
}
