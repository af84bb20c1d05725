public import ConfigTree
public import DataPath
public import Diagnostics

/// An expression of a step, bound to the columns of its input.
public struct StepExpression: Sendable {
    /// As it was written, or as the map form reads.
    public var text: String
    public var type: LogicalType
    public var isNullable: Bool
    /// Names of the columns that it reads.
    public var columns: [String]
    /// What ``BoundProgram`` runs.
    public var program: VectorProgram

    public init(text: String, type: LogicalType, isNullable: Bool, columns: [String], program: VectorProgram) {
        self.text = text
        self.type = type
        self.isNullable = isNullable
        self.columns = columns
        self.program = program
    }
}

/// What a step may name: the columns that it gets. Whatever does not bind is reported at its place in the file.
public protocol StepScope {
    /// A condition as SQL text or in its map form; nil after a report, or when the text holds an unresolved variable: then
    /// it cannot be checked yet.
    func predicate(_ node: ConfigNode, into diagnostics: inout Diagnostics) -> StepExpression?
    /// An expression of any type; nil as of ``predicate(_:into:)``.
    func expression(_ node: ConfigNode, into diagnostics: inout Diagnostics) -> StepExpression?
    /// The name of the column that a reference such as `metrics.total_amount` stands for; nil after a report.
    func column(_ node: ConfigNode, into diagnostics: inout Diagnostics) -> String?
    /// The scope with a further column; nil after reporting that its name cannot be one or is taken.
    func adding(_ column: ColumnSpec, at location: SourceLocation, into diagnostics: inout Diagnostics) -> (
        any StepScope
    )?
}
