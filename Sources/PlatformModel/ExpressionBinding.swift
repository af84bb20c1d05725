import ConfigTree
import Diagnostics
import Expressions

/// A predicate that is parsed but not yet bound. The one place where the model meets the expression parser.
struct ParsedPredicate {
    var syntax: ExpressionSyntax
    /// As it was written, or as the map form reads.
    var text: String
    var location: SourceLocation
    var path: String

    /// Each reference once.
    var references: [[String]] { syntax.references }
    /// The event types to which it restricts `event_type`; nil when it does not.
    var eventTypes: Set<String>? { syntax.eventTypeNames }

    /// As ``bind(_:into:)``; nil without a new report when a field that it names was reported as wrong.
    func bind(within scope: EventScope, into diagnostics: inout Diagnostics) -> TypedExpression? {
        for path in references {
            if case .broken = scope.find(path) { return nil }
        }
        return bind(scope, into: &diagnostics)
    }

    /// Binds and types it; nil after a report.
    func bind(_ scope: some ExpressionScope, into diagnostics: inout Diagnostics) -> TypedExpression? {
        var found = Diagnostics()
        let bound = TypedExpression.predicate(syntax, text: text, scope: scope, into: &found)
        diagnostics.append(found, path: path)
        return bound
    }
}

enum ExpressionBinding {
    /// A predicate as SQL text, as {field, operator, value}, as {and: […]}, {or: […]}, or as a list that is an `and`.
    /// Nil after a report, or when the text holds an unresolved variable: then it cannot be checked yet.
    ///
    /// - Parameter defaultField: what a map without `field` compares; nil = `field` is needed.
    static func predicate(
        _ node: ConfigNode, path: String, defaultField: String? = nil, into diagnostics: inout Diagnostics
    ) -> ParsedPredicate? {
        var found = Diagnostics()
        let syntax = parse(node, path: path, defaultField: defaultField, into: &found)
        diagnostics.append(found, path: path)
        guard let syntax, !found.hasErrors else { return nil }
        return ParsedPredicate(
            syntax: syntax, text: node.scalar?.text ?? syntax.description, location: node.location, path: path)
    }

    /// An expression of any type as SQL text. Nil after a report, or when the text holds an unresolved variable, or when a
    /// field that it names was reported as wrong.
    static func expression(
        _ node: ConfigNode, path: String, within scope: EventScope, into diagnostics: inout Diagnostics
    ) -> TypedExpression? {
        guard let scalar = node.scalar, !node.isNull else {
            diagnostics.error(
                .wrongType, "an expression is a text, found \(node.kindDescription)", at: node.location, path: path)
            return nil
        }
        if VariableText.containsVariable(scalar.text) { return nil }
        var found = Diagnostics()
        let syntax = ExpressionSyntax.parse(source(scalar.text, node), into: &found)
        let isBroken = (syntax?.references ?? []).contains { if case .broken = scope.find($0) { true } else { false } }
        let bound = syntax.flatMap {
            isBroken ? nil : TypedExpression.make($0, text: scalar.text, scope: scope, into: &found)
        }
        diagnostics.append(found, path: path)
        return bound
    }

    private static func parse(
        _ node: ConfigNode, path: String, defaultField: String?, into diagnostics: inout Diagnostics
    ) -> ExpressionSyntax? {
        if let items = node.sequence {
            return join(items, node, path, defaultField, ExpressionSyntax.conjunction, into: &diagnostics)
        }
        guard node.mapping != nil else {
            if let text = node.scalar?.text, VariableText.containsVariable(text) { return nil }
            return readString(node, path: path, into: &diagnostics).flatMap {
                ExpressionSyntax.parse(source($0, node), into: &diagnostics)
            }
        }
        guard var reader = MappingReader(node, path: path, into: &diagnostics) else { return nil }
        for (key, build) in [("and", ExpressionSyntax.conjunction), ("or", ExpressionSyntax.disjunction)]
        where reader.mapping[key] != nil {
            let items = reader.sequence(key, into: &diagnostics)
            reader.finish(into: &diagnostics)
            return items.flatMap { join($0, node, "\(path).\(key)", defaultField, build, into: &diagnostics) }
        }
        let field = defaultField == nil ? reader.requiredNode("field", into: &diagnostics) : reader.node("field")
        let operation = reader.requiredString("operator", into: &diagnostics)
        let value = reader.node("value")
        reader.finish(into: &diagnostics)
        let name = field.map { readString($0, path: "\(path).field", into: &diagnostics) } ?? defaultField
        guard let name, let operation else { return nil }
        let items = value.map { $0.sequence ?? [$0] } ?? []
        let literals = items.compactMap { literal($0, path: "\(path).value", into: &diagnostics) }
        guard literals.count == items.count else { return nil }
        return ExpressionSyntax.filter(
            field: source(name, field ?? node), operatorName: operation,
            operatorAt: reader.mapping["operator"]?.location ?? node.location, values: literals, at: node.location,
            into: &diagnostics)
    }

    private static func join(
        _ items: [ConfigNode], _ node: ConfigNode, _ path: String, _ defaultField: String?,
        _ build: ([ExpressionSyntax], SourceLocation) -> ExpressionSyntax?, into diagnostics: inout Diagnostics
    ) -> ExpressionSyntax? {
        if items.isEmpty {
            diagnostics.error(.invalidValue, "the list of conditions is empty", at: node.location, path: path)
        }
        let parts = items.enumerated().compactMap {
            parse($1, path: "\(path).\($0)", defaultField: defaultField, into: &diagnostics)
        }
        return parts.count == items.count ? build(parts, node.location) : nil
    }

    private static func literal(
        _ node: ConfigNode, path: String, into diagnostics: inout Diagnostics
    ) -> ExpressionSyntax? {
        guard let scalar = node.scalar else {
            diagnostics.error(
                .wrongType, "a filter compares with single values, found \(node.kindDescription)", at: node.location,
                path: path)
            return nil
        }
        let value: ExpressionLiteral =
            switch scalar.coreType {
            case .null: .null
            case .boolean(let value): .boolean(value)
            case .integer(let value): .integer(Int64(value))
            case .double(let value): LiteralText.number(scalar.text) ?? .double(value)
            case .string(let text): .string(text)
            }
        return ExpressionSyntax(.literal(value), at: node.location)
    }

    private static func source(_ text: String, _ node: ConfigNode) -> ExpressionSource {
        ExpressionSource(text, at: node.location, textColumnOffset: node.scalar?.textColumnOffset)
    }
}

extension Diagnostics {
    /// Appends findings of a stage that does not know configuration paths.
    mutating func append(_ others: Diagnostics, path: String) {
        for var item in others.items {
            item.path = item.path ?? path
            add(item)
        }
    }
}
