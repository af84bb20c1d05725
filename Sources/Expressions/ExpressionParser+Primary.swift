import DataPath

extension ExpressionParser {
    private static let reserved: Set<String> = [
        "and", "or", "not", "in", "between", "like", "ilike", "is", "when", "then", "else", "end", "escape", "as",
        "select", "from", "where", "exists", "interval", "over",
    ]

    /// Whether a word needs quotes to be a name.
    static func isReserved(_ word: String) -> Bool {
        reserved.contains(word) || ["true", "false", "null", "case"].contains(word)
    }

    func parsePrimary() throws(ExpressionSyntaxError) -> ExpressionSyntax {
        let start = position
        switch token.kind {
        case .number:
            guard let literal = LiteralText.number(token.text) else {
                throw ExpressionSyntaxError(
                    message: "'\(token.text)' is not a number of at most 38 digits that a double can hold",
                    range: token.range)
            }
            position += 1
            return node(.literal(literal), from: start)
        case .string:
            let text = token.text
            position += 1
            return node(.literal(.string(text)), from: start)
        case .quotedName: return try parseReference()
        case .word(let word): return try parseWord(word)
        case .symbol where token.text == "(":
            position += 1
            let inner = try parseOr()
            try expect(")")
            return inner
        default: throw unexpected("a value")
        }
    }

    private func parseWord(_ word: String) throws(ExpressionSyntaxError) -> ExpressionSyntax {
        let start = position
        let next = tokens[min(position + 1, tokens.count - 1)]
        let isCall = next.kind == .symbol && next.text == "("
        switch word {
        case "true", "false", "null":
            position += 1
            return node(.literal(word == "null" ? .null : .boolean(word == "true")), from: start)
        case "date" where next.kind == .string, "timestamp" where next.kind == .string:
            position += 2
            let literal =
                word == "date"
                ? LiteralText.date(next.text).map(ExpressionLiteral.date)
                : LiteralText.timestamp(next.text).map(ExpressionLiteral.timestamp)
            guard let literal else {
                throw ExpressionSyntaxError(
                    message: "'\(next.text)' is not a \(word)", range: next.range,
                    hint: word == "date" ? "write date '2024-01-31'" : "write timestamp '2024-01-31 10:00:00'")
            }
            return node(.literal(literal), from: start)
        case "case": return try parseCase()
        case "cast" where isCall: return try parseCast()
        case "extract" where isCall: return try parseExtract()
        case _ where Self.reserved.contains(word): throw unexpected("a value")
        case _ where isCall:
            position += 2
            var arguments: [ExpressionSyntax] = []
            if !takeSymbol(")") {
                repeat { arguments.append(try parseOr()) } while takeSymbol(",")
                try expect(")")
            }
            return node(.function(word, arguments), from: start)
        default: return try parseReference()
        }
    }

    private func parseReference() throws(ExpressionSyntaxError) -> ExpressionSyntax {
        let start = position
        var path: [String] = []
        repeat {
            switch token.kind {
            case .word, .quotedName: path.append(token.text)
            default: throw unexpected("a name")
            }
            position += 1
        } while takeSymbol(".")
        return node(.reference(path), from: start)
    }

    private func parseCase() throws(ExpressionSyntaxError) -> ExpressionSyntax {
        let start = position
        position += 1
        let subject = token.kind == .word("when") ? nil : try parseOr()
        var branches: [ExpressionSyntax.Branch] = []
        while take("when") {
            let branchStart = position
            var condition = try parseOr()
            if let subject { condition = node(.comparison(.equal, subject, condition), from: branchStart) }
            guard take("then") else { throw unexpected("'then'") }
            branches.append(ExpressionSyntax.Branch(condition: condition, value: try parseOr()))
        }
        guard !branches.isEmpty else { throw unexpected("'when'") }
        let otherwise = take("else") ? try parseOr() : nil
        guard take("end") else { throw unexpected("'end' of 'case'") }
        return node(.conditional(branches, otherwise: otherwise), from: start)
    }

    private func parseExtract() throws(ExpressionSyntaxError) -> ExpressionSyntax {
        let start = position
        position += 2
        guard case .word(let part) = token.kind, TimePart(rawValue: part) != nil else {
            throw unexpected("one of \(TimePart.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        position += 1
        guard take("from") else { throw unexpected("'from'") }
        let operand = try parseOr()
        try expect(")")
        return node(.function(part, [operand]), from: start)
    }

    private func parseCast() throws(ExpressionSyntaxError) -> ExpressionSyntax {
        let start = position
        position += 2
        let operand = try parseOr()
        guard take("as") else { throw unexpected("'as'") }
        let type = try parseType()
        try expect(")")
        return node(.cast(operand, type), from: start)
    }

    private func parseType() throws(ExpressionSyntaxError) -> LogicalType {
        guard case .word(let name) = token.kind else { throw unexpected("a type") }
        let place = token.range
        position += 1
        switch name {
        case "int", "integer": return .int
        case "long", "bigint": return .long
        case "float", "real": return .float
        case "double": return .double
        case "date": return .date
        case "timestamp": return .timestamp
        case "boolean": return .boolean
        case "varchar", "string", "text": return .string
        case "decimal", "numeric":
            var (precision, scale) = (18, 3)
            if takeSymbol("(") {
                guard let given = Int(token.text), (1...38).contains(given) else { throw unexpected("1 to 38 digits") }
                (precision, scale) = (given, 0)
                position += 1
                if takeSymbol(",") {
                    guard let given = Int(token.text), (0...precision).contains(given) else {
                        throw unexpected("a scale from 0 to \(precision)")
                    }
                    scale = given
                    position += 1
                }
                try expect(")")
            }
            return .decimal(precision: precision, scale: scale)
        default:
            throw ExpressionSyntaxError(
                message: "unknown type '\(name)'", range: place,
                hint: "types: integer, bigint, float, double, decimal(p, s), boolean, varchar, date, timestamp")
        }
    }
}
