/// The aggregate functions of the built-in set.
public enum AggregateFunction: String, Hashable, Sendable, CaseIterable {
    case count
    case countDistinct = "count_distinct"
    case sum, avg, min, max
}

/// One measure of an aggregation over the columns of its input batches.
public struct MeasureSpec: Hashable, Sendable {
    /// The result column's name.
    public var name: String
    public var function: AggregateFunction
    /// The name of the input column; nil for `count` of rows.
    public var column: String?
    /// The type of the input column as the measure sees it: a money column is stored as a long of minor units and seen
    /// as a decimal of that many units. Nil for `count` of rows.
    public var inputType: LogicalType?
    /// The type of the result column.
    public var resultType: LogicalType
    /// True when the measure has a filter of its own; the selection is computed by the runtime.
    public var isFiltered: Bool
    /// Of `count_distinct`: the values are kept, not their hashes.
    public var isStrict: Bool

    public init(
        name: String, function: AggregateFunction, column: String?, inputType: LogicalType?, resultType: LogicalType,
        isFiltered: Bool = false, isStrict: Bool = false
    ) {
        self.name = name
        self.function = function
        self.column = column
        self.inputType = inputType
        self.resultType = resultType
        self.isFiltered = isFiltered
        self.isStrict = isStrict
    }

    /// What it keeps a state of, and under which name.
    var stateName: String { "\(function.rawValue)\(isStrict ? " strict" : "") \(name)" }

    /// Whether the distinct values of its column are hashed, so that nothing else of it is needed.
    public var countsHashes: Bool { function == .countDistinct && !isStrict }

    /// Whether the result can be null: an aggregate over no values. Counts never are.
    public var isNullable: Bool { function != .count && function != .countDistinct }
}
