public import DataPath

/// What a reference stands for.
public struct ScopeEntry: Hashable, Sendable {
    /// The batch column that holds it.
    public var column: String
    public var type: LogicalType
    public var isNullable: Bool
    /// Set when the column is a long of minor units that is seen as a decimal of this scale.
    public var moneyScale: Int?
    /// Set when the value is the same string for every row, as `event_type` is; then no column is read.
    public var constant: String?

    public init(
        column: String, type: LogicalType, isNullable: Bool, moneyScale: Int? = nil, constant: String? = nil
    ) {
        self.column = column
        self.type = type
        self.isNullable = isNullable
        self.moneyScale = moneyScale
        self.constant = constant
    }
}

/// The names that an expression may use.
public protocol ExpressionScope {
    /// What a dotted reference stands for, such as `["metrics", "total_amount"]`; nil when it is unknown.
    func resolve(_ path: [String]) -> ScopeEntry?
    /// Names to suggest for an unknown one.
    var knownNames: [String] { get }
    /// Where names are looked up, for messages: `event type 'purchase'`.
    var description: String { get }
}
