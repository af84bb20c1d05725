public import DataPath

/// An expression that has been parsed, bound to columns and typed.
public struct TypedExpression: Hashable, Sendable {
    /// As it was written (or as the map form reads).
    public var text: String
    public var type: LogicalType
    public var isNullable: Bool
    /// Names of the columns that it reads.
    public var columns: [String]
}
