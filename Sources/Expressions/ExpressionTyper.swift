import DataPath
import Diagnostics

/// Binds names, gives types by DuckDB's rules, inserts casts and folds constants.
///
/// Integers are computed in 64 bits whatever their type. Errors are collected; a part with an error is nil.
struct ExpressionTyper<Scope: ExpressionScope> {
    let scope: Scope
    var diagnostics = Diagnostics()

    init(scope: Scope) { self.scope = scope }

    mutating func type(_ syntax: ExpressionSyntax) -> TypedNode? {
        let place = syntax.place
        switch syntax.kind {
        case .reference(let path): return reference(path, place)
        case .literal(let literal): return constant(literal, place)
        case .comparison(let comparison, let a, let b):
            let (left, right) = (type(a), type(b))
            guard let left, let right else { return nil }
            return compare(comparison, left, right, place)
        case .arithmetic(let operation, let a, let b):
            let (left, right) = (type(a), type(b))
            guard let left, let right else { return nil }
            return arithmetic(operation, left, right, place)
        case .negate(let a):
            guard let operand = type(a) else { return nil }
            return negate(operand, place)
        case .and(let a, let b): return logic(.and, a, b, place)
        case .or(let a, let b): return logic(.or, a, b, place)
        case .not(let a):
            guard let operand = type(a), let operand = boolean(operand, "'not'") else { return nil }
            return apply(.not, [operand], .boolean, place)
        case .isNull(let a, let negated):
            guard let operand = type(a) else { return nil }
            return apply(.isNull(negated: negated), [operand], .boolean, place)
        case .inList(let a, let items, let negated): return membership(a, items, negated, place)
        case .between(let a, let low, let high, let negated):
            let (subject, lowest, highest) = (type(a), type(low), type(high))
            guard let subject, let lowest, let highest else { return nil }
            let (above, below) = (
                compare(.greaterOrEqual, subject, lowest, place), compare(.lessOrEqual, subject, highest, place)
            )
            guard let above, let below, let both = join(.and, above, below, place) else { return nil }
            return negated ? apply(.not, [both], .boolean, place) : both
        case .like(let a, let pattern, let escape, let negated, let ignoresCase):
            return like(a, pattern, escape, negated, ignoresCase, place)
        case .function(let name, let arguments): return function(name, arguments, place)
        case .conditional(let branches, let otherwise): return conditional(branches, otherwise, place)
        case .cast(let a, let target):
            guard let operand = type(a) else { return nil }
            return cast(operand, to: target, place)
        }
    }

    // MARK: Leaves

    private mutating func reference(_ path: [String], _ place: ExpressionPlace) -> TypedNode? {
        let name = path.joined(separator: ".")
        guard let entry = scope.resolve(path) else {
            let near =
                nearestName(to: name, among: scope.knownNames)
                ?? nearestName(to: path.last ?? name, among: scope.knownNames)
            diagnostics.error(
                .unknownReference, "unknown field '\(name)' in \(scope.description)", at: place,
                hint: near.map { "did you mean '\($0)'? (\(scope.description))" }
                    ?? "\(scope.description) has: \(scope.knownNames.sorted().joined(separator: ", "))")
            return nil
        }
        if let text = entry.constant {
            return TypedNode(
                content: .constant(.bytes(Array(text.utf8))), type: .string, isNullable: false, place: place)
        }
        let column = TypedNode(
            content: .column(entry.column, entry.type.physical), type: entry.type, isNullable: entry.isNullable,
            place: place)
        guard let scale = entry.moneyScale else { return column }
        return apply(.integerToDecimal(power: 0), [column], .decimal(precision: 38, scale: scale), place)
    }

    private func constant(_ literal: ExpressionLiteral, _ place: ExpressionPlace) -> TypedNode {
        let (value, type): (VectorConstant, LogicalType) =
            switch literal {
            case .null: (.null(.boolean), .boolean)
            case .boolean(let value): (.boolean(value), .boolean)
            case .integer(let value): (.int64(value), Int32(exactly: value) == nil ? .long : .int)
            case .decimal(let unscaled, let precision, let scale):
                (.int128(unscaled), .decimal(precision: precision, scale: scale))
            case .double(let value): (.double(value), .double)
            case .string(let text): (.bytes(Array(text.utf8)), .string)
            case .date(let days): (.int64(days), .date)
            case .timestamp(let milliseconds): (.int64(milliseconds), .timestamp)
            }
        if literal == .null { return .null(nil, at: place) }
        var node = TypedNode(content: .constant(value), type: type, isNullable: false, place: place)
        if case .string(let text) = literal { node.literalText = text }
        return node
    }

    // MARK: Building

    /// A node of an operation, folded when every input is constant.
    mutating func apply(
        _ operation: VectorOperation, _ inputs: [TypedNode], _ type: LogicalType, _ place: ExpressionPlace,
        isNullable: Bool? = nil
    ) -> TypedNode? {
        let nullable: Bool
        if case .isNull = operation {
            nullable = false
        } else {
            nullable = isNullable ?? inputs.contains(where: \.isNullable)
        }
        let node = TypedNode(content: .apply(operation, inputs), type: type, isNullable: nullable, place: place)
        guard inputs.allSatisfy({ $0.constant != nil }) else { return node }
        guard let value = node.evaluatedConstant(type) else {
            diagnostics.error(
                .expressionOverflow, "this constant does not fit its type, \(Self.name(type))", at: place,
                hint: "use a decimal or a double: write 1.0 or 1e0")
            return nil
        }
        let isNull = if case .null = value { true } else { false }
        return TypedNode(content: .constant(value), type: type, isNullable: isNull, place: place)
    }

    /// `node` as a boolean, or nil after reporting that it is none.
    mutating func boolean(_ node: TypedNode, _ user: String) -> TypedNode? {
        if node.type == nil { return .null(.boolean, at: node.place) }
        guard node.type == .boolean else {
            diagnostics.error(
                .expressionType, "\(user) takes true or false, this is \(Self.name(node.type))", at: node.place,
                hint: "compare it with something")
            return nil
        }
        return node
    }

    private mutating func logic(
        _ operation: VectorOperation, _ a: ExpressionSyntax, _ b: ExpressionSyntax, _ place: ExpressionPlace
    ) -> TypedNode? {
        let word = operation == .and ? "'and'" : "'or'"
        let (left, right) = (type(a), type(b))
        let (x, y) = (left.flatMap { boolean($0, word) }, right.flatMap { boolean($0, word) })
        guard let x, let y else { return nil }
        return join(operation, x, y, place)
    }

    /// `and` or `or` of two booleans; a constant side decides or vanishes.
    mutating func join(
        _ operation: VectorOperation, _ x: TypedNode, _ y: TypedNode, _ place: ExpressionPlace
    ) -> TypedNode? {
        let neutral = VectorConstant.boolean(operation == .and)
        let decisive = VectorConstant.boolean(operation == .or)
        if x.constant == neutral || y.constant == decisive { return y }
        if y.constant == neutral || x.constant == decisive { return x }
        return apply(operation, [x, y], .boolean, place)
    }

    private mutating func conditional(
        _ branches: [ExpressionSyntax.Branch], _ otherwise: ExpressionSyntax?, _ place: ExpressionPlace
    ) -> TypedNode? {
        var conditions: [TypedNode] = []
        var values: [TypedNode] = []
        for branch in branches {
            if let node = type(branch.condition), let node = boolean(node, "'when'") { conditions.append(node) }
            if let node = type(branch.value) { values.append(node) }
        }
        let last = otherwise.map { type($0) } ?? .null(nil, at: place)
        guard conditions.count == branches.count, values.count == branches.count, let last,
            let unified = unify(values + [last], "the results of 'case'")
        else { return nil }
        guard let type = unified[0].type else { return .null(nil, at: place) }
        var result = unified[unified.count - 1]
        for index in branches.indices.reversed() {
            let value = unified[index]
            guard
                let next = apply(
                    .choose(type.physical), [conditions[index], value, result], type, place,
                    isNullable: value.isNullable || result.isNullable)
            else { return nil }
            result = next
        }
        return result
    }

    /// A type as people write it.
    static func name(_ type: LogicalType?) -> String {
        switch type {
        case nil: "null"
        case .decimal(let precision, let scale): "decimal(\(precision), \(scale))"
        case .json: "an array or map"
        case let type?: "\(type)"
        }
    }
}
