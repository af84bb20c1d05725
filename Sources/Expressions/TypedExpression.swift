public import DataPath
public import Diagnostics

/// An expression that has been parsed, bound to columns and typed.
public struct TypedExpression: Hashable, Sendable {
    /// As it was written (or as the map form reads).
    public var text: String
    public var type: LogicalType
    public var isNullable: Bool
    /// Names of the columns that it reads.
    public var columns: [String]
    /// What ``BoundProgram`` runs.
    public var program: VectorProgram

    /// Binds and types an expression; nil after reporting every error in it. A bare null becomes a null string.
    public static func make(
        _ syntax: ExpressionSyntax, text: String, scope: some ExpressionScope, into diagnostics: inout Diagnostics
    ) -> TypedExpression? {
        var typer = ExpressionTyper(scope: scope)
        let node = typer.type(syntax)
        diagnostics.append(contentsOf: typer.diagnostics)
        guard let node, !typer.diagnostics.hasErrors else { return nil }
        return TypedExpression(node.type == nil ? .null(.string, at: node.place) : node, text: text)
    }

    /// As ``make(_:text:scope:into:)``; the expression must be true, false or null.
    public static func predicate(
        _ syntax: ExpressionSyntax, text: String, scope: some ExpressionScope, into diagnostics: inout Diagnostics
    ) -> TypedExpression? {
        var typer = ExpressionTyper(scope: scope)
        let node = typer.type(syntax).flatMap { typer.boolean($0, "a filter") }
        diagnostics.append(contentsOf: typer.diagnostics)
        guard let node, !typer.diagnostics.hasErrors else { return nil }
        return TypedExpression(node, text: text)
    }

    private init(_ node: TypedNode, text: String) {
        self.text = text
        type = node.type ?? .string
        isNullable = node.isNullable
        program = node.program(type)
        columns = program.columns
    }

    public var isPredicate: Bool { type == .boolean }

    /// The value of a predicate that is the same for every row: false when it is null. Nil when it depends on the row.
    public var constantTruth: Bool? {
        guard isPredicate, let constant = program.constant else { return nil }
        return constant == .boolean(true)
    }
}
