import ConfigTree
import DataPath
import Diagnostics
import Expressions
import PluginAPI

/// What a step may name: an event type's columns, or what the steps before have made of them.
struct BoundStepScope: StepScope {
    var scope: EventScope
    var path: String

    func predicate(_ node: ConfigNode, into diagnostics: inout Diagnostics) -> StepExpression? {
        ExpressionBinding.predicate(node, path: path, into: &diagnostics)
            .flatMap { $0.bind(within: scope, into: &diagnostics) }.map(StepExpression.init)
    }

    func expression(_ node: ConfigNode, into diagnostics: inout Diagnostics) -> StepExpression? {
        ExpressionBinding.expression(node, path: path, within: scope, into: &diagnostics).map(StepExpression.init)
    }

    func column(_ node: ConfigNode, into diagnostics: inout Diagnostics) -> String? {
        guard let text = readString(node, path: path, into: &diagnostics) else { return nil }
        let reference = text.split(separator: ".").map(String.init)
        switch scope.find(reference) {
        case .found(let column): return column.column
        case .broken: return nil
        case .missing(let hint):
            let near = nearestName(to: text, among: scope.knownNames).map { "did you mean '\($0)'?" }
            diagnostics.error(
                .unknownField, "unknown field '\(text)' in \(scope.description)", at: node.location, path: path,
                hint: hint ?? near ?? "\(scope.description) has: \(scope.knownNames.joined(separator: ", "))")
            return nil
        }
    }

    func adding(
        _ column: ColumnSpec, at location: SourceLocation, into diagnostics: inout Diagnostics
    ) -> (any StepScope)? {
        guard NameRule.isIdentifier(column.name) else {
            diagnostics.error(
                .invalidName, "'\(column.name)' cannot be a column's name", at: location, path: path,
                hint: NameRule.hint)
            return nil
        }
        var larger = self
        var stream = scope.stream ?? EventScope.StreamView(name: scope.event.name)
        let fields = Set(scope.event.columns.map(\.name) + scope.event.fields.flatMap { [$0.name, $0.storedName] })
        guard !fields.union(["event_type", "entity_id"]).contains(column.name),
            !stream.derived.contains(where: { $0.name == column.name })
        else {
            diagnostics.error(
                .columnTaken, "column '\(column.name)' is there already", at: location, path: path,
                hint:
                    "give the derived column a name that neither event type '\(scope.event.name)' nor a step before has"
            )
            return nil
        }
        stream.derived.append(column)
        stream.kept?.append(column.name)
        larger.scope.stream = stream
        return larger
    }
}

extension StepExpression {
    fileprivate init(_ expression: TypedExpression) {
        self.init(
            text: expression.text, type: expression.type, isNullable: expression.isNullable,
            columns: expression.columns, program: expression.program)
    }
}
