import DataPath
import Diagnostics

extension ExpressionSyntax: CustomStringConvertible {
    /// Canonical SQL text with every operator in parentheses; it parses back to the same meaning.
    public var description: String {
        switch kind {
        case .reference(let path): path.map(Self.name).joined(separator: ".")
        case .literal(let literal): Self.text(literal)
        case .comparison(let operation, let a, let b): "(\(a) \(operation.rawValue) \(b))"
        case .arithmetic(let operation, let a, let b): "(\(a) \(operation.rawValue) \(b))"
        // Without the inner parentheses a minus and a number are read as one literal.
        case .negate(let a): if case .literal = a.kind { "(- (\(a)))" } else { "(- \(a))" }
        case .and(let a, let b): "(\(a) and \(b))"
        case .or(let a, let b): "(\(a) or \(b))"
        case .not(let a): "(not \(a))"
        case .isNull(let a, let negated): "(\(a) is \(negated ? "not " : "")null)"
        case .inList(let a, let items, let negated):
            "(\(a) \(negated ? "not " : "")in (\(items.map(\.description).joined(separator: ", "))))"
        case .between(let a, let low, let high, let negated):
            "(\(a) \(negated ? "not " : "")between \(low) and \(high))"
        case .like(let a, let pattern, let escape, let negated, let ignoresCase):
            "(\(a) \(negated ? "not " : "")\(ignoresCase ? "ilike" : "like") \(pattern)"
                + (escape.map { " escape \($0.quoted("'"))" } ?? "") + ")"
        case .function(let name, let arguments):
            "\(name)(\(arguments.map(\.description).joined(separator: ", ")))"
        case .conditional(let branches, let otherwise):
            "case" + branches.map { " when \($0.condition) then \($0.value)" }.joined()
                + (otherwise.map { " else \($0)" } ?? "") + " end"
        case .cast(let a, let type): "cast(\(a) as \(Self.sqlName(type)))"
        }
    }

    private static func text(_ literal: ExpressionLiteral) -> String {
        switch literal {
        case .null: return "null"
        case .boolean(let value): return value ? "true" : "false"
        case .integer(let value): return "\(value)"
        case .decimal(let unscaled, _, let scale):
            guard scale > 0 else { return "\(unscaled)" }
            let digits = "\(unscaled.magnitude)"
            let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
            return (unscaled < 0 ? "-" : "") + padded.dropLast(scale) + "." + padded.suffix(scale)
        case .double(let value):
            let text = "\(value)"
            return text.contains("e") ? text : text + "e0"
        case .string(let text): return text.quoted("'")
        case .date(let days): return "cast(\(timestampText(days, 86_400_000)) as date)"
        case .timestamp(let milliseconds): return timestampText(milliseconds, 1)
        }
    }

    private static func timestampText(_ value: Int64, _ unit: Int64) -> String {
        "timestamp '\(CalendarTime.text(milliseconds: value * unit))'"
    }

    private static func name(_ part: String) -> String {
        let isPlain =
            part.unicodeScalars.allSatisfy {
                $0 == "_" || $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0))
            }
            && part.unicodeScalars.first.map { !("0"..."9").contains($0) } == true
            && !ExpressionParser.isReserved(part.lowercased())
        return isPlain ? part : part.quoted("\"")
    }

    private static func sqlName(_ type: LogicalType) -> String {
        switch type {
        case .decimal(let precision, let scale): "decimal(\(precision), \(scale))"
        case .int: "integer"
        case .long: "bigint"
        case .string: "varchar"
        default: "\(type)"
        }
    }
}
