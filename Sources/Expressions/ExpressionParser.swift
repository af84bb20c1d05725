import DataPath
public import Diagnostics

extension ExpressionSyntax {
    /// The parsed expression, or nil after reporting why the text is none.
    public static func parse(_ source: ExpressionSource, into diagnostics: inout Diagnostics) -> ExpressionSyntax? {
        do throws(ExpressionSyntaxError) {
            let lexer = ExpressionLexer(source.text)
            let parser = ExpressionParser(source: source, tokens: try lexer.tokens())
            return try parser.parseWhole()
        } catch {
            diagnostics.error(
                .invalidExpression, error.message, at: source.place(error.range), hint: error.hint)
            return nil
        }
    }
}

/// Recursive descent with PostgreSQL's precedence, which DuckDB shares. From loose to tight: or, and, not, is,
/// comparison (no chains), between/in/like, + -, * / %, unary minus.
final class ExpressionParser {
    /// Deeper nesting is refused, so that no text can exhaust the stack.
    static let depthLimit = 100

    let source: ExpressionSource
    let tokens: [ExpressionToken]
    var position = 0
    var depth = 0

    init(source: ExpressionSource, tokens: [ExpressionToken]) {
        self.source = source
        self.tokens = tokens
    }

    var token: ExpressionToken { tokens[position] }

    func parseWhole() throws(ExpressionSyntaxError) -> ExpressionSyntax {
        guard token.kind != .end else { throw ExpressionSyntaxError(message: "the expression is empty", range: 0..<1) }
        let result = try parseOr()
        guard token.kind == .end else { throw unexpected("the end or an operator") }
        return result
    }

    func parseOr() throws(ExpressionSyntaxError) -> ExpressionSyntax {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else {
            throw ExpressionSyntaxError(
                message: "the expression is nested more than \(Self.depthLimit) levels deep", range: token.range)
        }
        let start = position
        var left = try parseAnd()
        while take("or") { left = node(.or(left, try parseAnd()), from: start) }
        return left
    }

    private func parseAnd() throws(ExpressionSyntaxError) -> ExpressionSyntax {
        let start = position
        var left = try parseNot()
        while take("and") { left = node(.and(left, try parseNot()), from: start) }
        return left
    }

    private func parseNot() throws(ExpressionSyntaxError) -> ExpressionSyntax {
        let start = position
        var count = 0
        while take("not") { count += 1 }
        var result = try parseIs()
        for index in 0..<count { result = node(.not(result), from: start + count - 1 - index) }
        return result
    }

    private func parseIs() throws(ExpressionSyntaxError) -> ExpressionSyntax {
        let start = position
        var left = try parseComparison()
        while take("is") {
            let negated = take("not")
            if take("null") {
                left = node(.isNull(left, negated: negated), from: start)
            } else if token.kind == .word("true") || token.kind == .word("false") {
                let test = token.kind == .word("true") ? left : node(.not(left), from: start)
                position += 1
                let whole = node(
                    .function("coalesce", [test, node(.literal(.boolean(false)), from: start)]), from: start)
                left = negated ? node(.not(whole), from: start) : whole
            } else {
                throw unexpected("'null', 'true' or 'false' after 'is'")
            }
        }
        return left
    }

    private func parseComparison() throws(ExpressionSyntaxError) -> ExpressionSyntax {
        let start = position
        let left = try parseMembership()
        guard let comparison = comparisonHere else { return left }
        position += 1
        let result = node(.comparison(comparison, left, try parseMembership()), from: start)
        guard comparisonHere == nil else {
            throw ExpressionSyntaxError(
                message: "comparisons cannot be chained", range: token.range, hint: "combine them with 'and'")
        }
        return result
    }

    private var comparisonHere: ComparisonOperator? {
        guard token.kind == .symbol else { return nil }
        return switch token.text {
        case "!=": .notEqual
        case "==": .equal
        default: ComparisonOperator(rawValue: token.text)
        }
    }

    private func parseMembership() throws(ExpressionSyntaxError) -> ExpressionSyntax {
        let start = position
        var left = try parseSum()
        while true {
            let hasNot = token.kind == .word("not")
            let word = hasNot ? tokens[min(position + 1, tokens.count - 1)].kind : token.kind
            guard [.word("in"), .word("between"), .word("like"), .word("ilike")].contains(word) else { return left }
            position += hasNot ? 2 : 1
            switch word {
            case .word("in"):
                left = node(.inList(left, try parseList(), negated: hasNot), from: start)
            case .word("between"):
                let low = try parseSum()
                guard take("and") else { throw unexpected("'and' between the bounds of 'between'") }
                left = node(.between(left, low, try parseSum(), negated: hasNot), from: start)
            default:
                let pattern = try parseSum()
                var escape: String?
                if take("escape") {
                    guard token.kind == .string, token.text.unicodeScalars.count <= 1 else {
                        throw unexpected("one character in quotes after 'escape'")
                    }
                    escape = token.text
                    position += 1
                }
                left = node(
                    .like(left, pattern, escape: escape, negated: hasNot, ignoresCase: word == .word("ilike")),
                    from: start)
            }
        }
    }

    func parseList() throws(ExpressionSyntaxError) -> [ExpressionSyntax] {
        try expect("(")
        var items = [try parseOr()]
        while takeSymbol(",") { items.append(try parseOr()) }
        try expect(")")
        return items
    }

    private func parseSum() throws(ExpressionSyntaxError) -> ExpressionSyntax {
        let start = position
        var left = try parseProduct()
        while token.kind == .symbol, token.text == "+" || token.text == "-",
            let operation = ArithmeticOperator(rawValue: token.text)
        {
            position += 1
            left = node(.arithmetic(operation, left, try parseProduct()), from: start)
        }
        return left
    }

    private func parseProduct() throws(ExpressionSyntaxError) -> ExpressionSyntax {
        let start = position
        var left = try parseUnary()
        while token.kind == .symbol, ["*", "/", "%"].contains(token.text),
            let operation = ArithmeticOperator(rawValue: token.text)
        {
            position += 1
            left = node(.arithmetic(operation, left, try parseUnary()), from: start)
        }
        if token.kind == .symbol, ["||", "//", "::", "^", "->"].contains(token.text) {
            throw ExpressionSyntaxError(
                message: "the operator '\(token.text)' is not supported", range: token.range,
                hint: token.text == "::" ? "write cast(x as type)" : nil)
        }
        return left
    }

    private func parseUnary() throws(ExpressionSyntaxError) -> ExpressionSyntax {
        let start = position
        var signs: [String] = []
        while token.kind == .symbol, token.text == "-" || token.text == "+" {
            signs.append(token.text)
            position += 1
        }
        if signs.last == "-", token.kind == .number, let literal = LiteralText.number("-" + token.text) {
            position += 1
            signs.removeLast()
            var result = node(.literal(literal), from: start)
            for sign in signs where sign == "-" { result = node(.negate(result), from: start) }
            return result
        }
        var result = try parsePrimary()
        for sign in signs where sign == "-" { result = node(.negate(result), from: start) }
        return result
    }

    // MARK: Tokens

    func take(_ word: String) -> Bool {
        guard token.kind == .word(word) else { return false }
        position += 1
        return true
    }

    func takeSymbol(_ symbol: String) -> Bool {
        guard token.kind == .symbol, token.text == symbol else { return false }
        position += 1
        return true
    }

    func expect(_ symbol: String) throws(ExpressionSyntaxError) {
        guard takeSymbol(symbol) else { throw unexpected("'\(symbol)'") }
    }

    func unexpected(_ expected: String) -> ExpressionSyntaxError {
        let found = token.kind == .end ? "the end" : "'\(token.text)'"
        return ExpressionSyntaxError(message: "expected \(expected), found \(found)", range: token.range)
    }

    func node(_ kind: ExpressionSyntax.Kind, from start: Int) -> ExpressionSyntax {
        let end = tokens[max(start, position - 1)].range.upperBound
        let first = tokens[start].range.lowerBound
        return ExpressionSyntax(kind, at: source.place(first..<max(first, end)))
    }
}
