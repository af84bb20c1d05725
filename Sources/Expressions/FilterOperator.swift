import DataPath
public import Diagnostics

/// The operators of the map form of a filter: `{field, operator, value}`.
public enum FilterOperator: Hashable, Sendable {
    case comparison(ComparisonOperatorName)
    case inList(negated: Bool)
    case between(negated: Bool)
    case like(negated: Bool)
    case isNull(negated: Bool)

    /// The documented names of the comparisons.
    public enum ComparisonOperatorName: String, Hashable, Sendable { case eq, ne, gt, gte, lt, lte }

    /// The documented spellings.
    public static let names = [
        "eq", "ne", "gt", "gte", "lt", "lte", "in", "not_in", "between", "not_between", "like", "not_like", "is_null",
        "is_not_null",
    ]

    /// The operator of a name or of one of its aliases, such as `less_than` or `<`.
    public init?(_ name: String) {
        switch name.lowercased() {
        case "eq", "equals", "equal", "=", "==": self = .comparison(.eq)
        case "ne", "neq", "not_equals", "not_equal", "!=", "<>": self = .comparison(.ne)
        case "gt", "greater_than", ">": self = .comparison(.gt)
        case "gte", "ge", "greater_than_or_equal", "greater_or_equal", ">=": self = .comparison(.gte)
        case "lt", "less_than", "<": self = .comparison(.lt)
        case "lte", "le", "less_than_or_equal", "less_or_equal", "<=": self = .comparison(.lte)
        case "in": self = .inList(negated: false)
        case "not_in": self = .inList(negated: true)
        case "between": self = .between(negated: false)
        case "not_between": self = .between(negated: true)
        case "like": self = .like(negated: false)
        case "not_like": self = .like(negated: true)
        case "is_null": self = .isNull(negated: false)
        case "is_not_null", "not_null": self = .isNull(negated: true)
        default: return nil
        }
    }

    fileprivate static func comparison(_ name: ComparisonOperatorName) -> ComparisonOperator {
        switch name {
        case .eq: .equal
        case .ne: .notEqual
        case .gt: .greater
        case .gte: .greaterOrEqual
        case .lt: .less
        case .lte: .lessOrEqual
        }
    }
}

extension ExpressionSyntax {
    /// The predicate of `{field, operator, value}`; nil after reporting what is wrong.
    ///
    /// - Parameters:
    ///   - field: the text of `field`, a dotted reference.
    ///   - operatorName: the text of `operator` and its place.
    ///   - values: literals of `value`: none, one, or the items of a list. Build them with `ExpressionSyntax(.literal(…), at:)`;
    ///     ``LiteralText/number(_:)`` reads a plain number exactly.
    public static func filter(
        field: ExpressionSource, operatorName: String, operatorAt: SourceLocation, values: [ExpressionSyntax],
        at location: SourceLocation, into diagnostics: inout Diagnostics
    ) -> ExpressionSyntax? {
        guard let operation = FilterOperator(operatorName) else {
            diagnostics.error(
                .invalidFilter, "unknown operator '\(operatorName)'", at: operatorAt,
                hint: (nearestName(to: operatorName, among: FilterOperator.names).map { "did you mean '\($0)'? " } ?? "")
                    + "operators: \(FilterOperator.names.joined(separator: ", "))")
            return nil
        }
        guard let subject = parse(field, into: &diagnostics) else { return nil }
        let expected: ClosedRange<Int> =
            switch operation {
            case .comparison, .like: 1...1
            case .between: 2...2
            case .inList: 1...Int.max
            case .isNull: 0...0
            }
        guard expected.contains(values.count) else {
            let wanted =
                switch operation {
                case .comparison, .like: "one value"
                case .between: "a list of two values"
                case .inList: "a list with at least one value"
                case .isNull: "no value"
                }
            diagnostics.error(
                .invalidFilter, "the operator '\(operatorName)' takes \(wanted), found \(values.count)", at: location)
            return nil
        }
        let kind: Kind =
            switch operation {
            case .comparison(let name): .comparison(FilterOperator.comparison(name), subject, values[0])
            case .inList(let negated): .inList(subject, values, negated: negated)
            case .between(let negated): .between(subject, values[0], values[1], negated: negated)
            case .like(let negated):
                .like(subject, values[0], escape: nil, negated: negated, ignoresCase: false)
            case .isNull(let negated): .isNull(subject, negated: negated)
            }
        return ExpressionSyntax(kind, at: location)
    }

    /// `{and: [...]}`; nil for an empty list.
    public static func conjunction(_ parts: [ExpressionSyntax], at location: SourceLocation) -> ExpressionSyntax? {
        parts.first.map { parts.dropFirst().reduce($0) { ExpressionSyntax(.and($0, $1), at: location) } }
    }

    /// `{or: [...]}`; nil for an empty list.
    public static func disjunction(_ parts: [ExpressionSyntax], at location: SourceLocation) -> ExpressionSyntax? {
        parts.first.map { parts.dropFirst().reduce($0) { ExpressionSyntax(.or($0, $1), at: location) } }
    }
}
