/// The six comparisons.
public enum ComparisonOperator: String, Hashable, Sendable, CaseIterable {
    case equal = "="
    case notEqual = "<>"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="

    /// The operator that says the same with its sides exchanged.
    public var flipped: ComparisonOperator {
        switch self {
        case .equal, .notEqual: self
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        }
    }
}

/// Arithmetic with two operands. `/` exists for doubles only; a divisor of zero gives null.
public enum ArithmeticOperator: String, Hashable, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case remainder = "%"
}

/// How a decimal loses digits.
public enum DecimalRounding: Hashable, Sendable {
    /// To the nearest, halves away from zero.
    case halfAwayFromZero
    case down
    case up
}

/// A value that is the same for every row.
public enum VectorConstant: Hashable, Sendable {
    case null(PhysicalType)
    case boolean(Bool)
    case int64(Int64)
    case int128(Int128)
    case double(Double)
    case bytes([UInt8])

    public var physical: PhysicalType {
        switch self {
        case .null(let type): type
        case .boolean: .boolean
        case .int64: .int64
        case .int128: .int128
        case .double: .double
        case .bytes: .bytes
        }
    }
}

/// What one step of a ``VectorProgram`` does to whole columns.
///
/// Null rule: an operation gives null when an input is null, except where its case says otherwise. An operation that has
/// no result for a row (overflow) makes that row an error, which travels as a null does and is reported at the end.
public enum VectorOperation: Hashable, Sendable {
    /// Both inputs of one physical type. NaN equals itself and is above every number.
    case compare(ComparisonOperator, PhysicalType)
    /// One input; the constant (int64, double or bytes; not null) is the right side.
    case compareConstant(ComparisonOperator, VectorConstant)
    /// Sorted values.
    case inIntegers([Int64])
    /// Values sorted by bytes.
    case inBytes([[UInt8]])
    /// Three-valued: false and null is false.
    case and
    /// Three-valued: true or null is true.
    case or
    case not
    /// Never null itself.
    case isNull(negated: Bool)

    /// int64, int128 or double. An int128 result beyond 38 digits is an overflow.
    case arithmetic(ArithmeticOperator, PhysicalType)
    case negate(PhysicalType)
    case absolute(PhysicalType)
    case floor
    case ceiling
    /// Halves away from zero.
    case roundDouble(digits: Int)
    /// To the nearest multiple of `unit`, halves away from zero.
    case roundInteger(unit: Int64)
    /// A double to the nearest single-precision value.
    case roundToFloat

    case integerToDouble
    case decimalToDouble(scale: Int)
    /// Times 10^power.
    case integerToDecimal(power: Int)
    /// Times 10^power; digits that are lost are rounded. A result of more than `precision` digits is an overflow.
    case rescaleDecimal(power: Int, rounding: DecimalRounding, precision: Int)
    /// A decimal of scale 0.
    case decimalToInteger
    /// Halves to even; not a number and out of range are overflows.
    case doubleToInteger
    case doubleToDecimal(scale: Int, precision: Int)
    /// Values outside are overflows.
    case checkRange(Int64, Int64)

    /// Inputs: condition, value if true, value if false or null.
    case choose(PhysicalType)
    /// The first input where it is not null, else the second.
    case coalesce(PhysicalType)

    case lower
    case upper
    /// In Unicode scalars.
    case length
    case like(LikePattern)

    case dateToTimestamp
    case timestampToDate
    case truncateTimestamp(TimeUnit)
    case timestampPart(TimePart)

    /// The physical type of the result.
    public var result: PhysicalType {
        switch self {
        case .compare, .compareConstant, .inIntegers, .inBytes, .and, .or, .not, .isNull, .like: .boolean
        case .arithmetic(_, let type), .negate(let type), .absolute(let type), .choose(let type), .coalesce(let type):
            type
        case .floor, .ceiling, .roundDouble, .roundToFloat, .integerToDouble, .decimalToDouble: .double
        case .roundInteger, .decimalToInteger, .doubleToInteger, .checkRange, .length, .dateToTimestamp,
            .timestampToDate, .truncateTimestamp, .timestampPart:
            .int64
        case .integerToDecimal, .rescaleDecimal, .doubleToDecimal: .int128
        case .lower, .upper: .bytes
        }
    }

    /// How many inputs it has.
    public var arity: Int {
        switch self {
        case .compare, .and, .or, .arithmetic, .coalesce: 2
        case .choose: 3
        default: 1
        }
    }
}
