/// The syntax of variables inside string values: `$<secret:KEY>`, `${secret:KEY}`, `$<env:NAME>`, `${env:NAME}`,
/// `$<env:NAME:-default>`; `$$<` and `$${` are the literals `$<` and `${`.
///
/// A default reaches to the closing bracket and holds no variable. A `$` before anything else is itself.
public enum VariableText {
    public enum Kind: String, Hashable, Sendable {
        case secret, env
    }

    public struct Variable: Hashable, Sendable {
        public var kind: Kind
        public var name: String
        public var defaultText: String?
        /// The whole variable, in Unicode scalars of the text.
        public var range: Range<Int>
    }

    public enum Piece: Hashable, Sendable {
        case literal(String)
        case variable(Variable)
    }

    /// What is wrong with a variable, and where in the text, in Unicode scalars.
    public struct SyntaxError: Error, Hashable, Sendable {
        public var message: String
        public var hint: String
        public var range: Range<Int>
    }

    /// Whether the text holds a variable, well-formed or not, or an escaped one.
    public static func containsVariable(_ text: String) -> Bool {
        var previous: UInt8 = 0
        for byte in text.utf8 {
            if previous == UInt8(ascii: "$"), byte == UInt8(ascii: "<") || byte == UInt8(ascii: "{") { return true }
            previous = byte
        }
        return false
    }

    /// The text's pieces in order.
    public static func parse(_ text: String) throws(SyntaxError) -> [Piece] {
        let scalars = Array(text.unicodeScalars)
        var pieces: [Piece] = []
        var literal = ""
        var index = 0
        while index < scalars.count {
            let rest = scalars.count - index
            if scalars[index] == "$", rest > 2, scalars[index + 1] == "$", isOpening(scalars[index + 2]) {
                literal.unicodeScalars.append(contentsOf: scalars[(index + 1)...(index + 2)])
                index += 3
            } else if scalars[index] == "$", rest > 1, isOpening(scalars[index + 1]) {
                if !literal.isEmpty { pieces.append(.literal(literal)) }
                literal = ""
                let variable = try parseVariable(scalars, at: index)
                pieces.append(.variable(variable))
                index = variable.range.upperBound
            } else {
                literal.unicodeScalars.append(scalars[index])
                index += 1
            }
        }
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        return pieces
    }

    private static func isOpening(_ scalar: Unicode.Scalar) -> Bool { scalar == "<" || scalar == "{" }

    private static func parseVariable(_ scalars: [Unicode.Scalar], at start: Int) throws(SyntaxError) -> Variable {
        let closing: Unicode.Scalar = scalars[start + 1] == "<" ? ">" : "}"
        let literalHint = "write $$\(scalars[start + 1]) where '$\(scalars[start + 1])' is meant literally"
        guard let end = scalars[start...].firstIndex(of: closing) else {
            throw SyntaxError(
                message: "a variable is not closed by '\(closing)'", hint: literalHint, range: start..<scalars.count)
        }
        let range = start..<(end + 1)
        func text(_ part: Range<Int>) -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars[part])
            return String(view)
        }
        let inner = (start + 2)..<end
        let colon = scalars[inner].firstIndex(of: ":") ?? end
        let kindText = text(inner.lowerBound..<colon)
        guard let kind = Kind(rawValue: kindText), colon < end else {
            throw SyntaxError(
                message: "'\(text(range))' is not a variable that is known",
                hint: "write $<secret:KEY>, $<env:NAME> or $<env:NAME:-default>; \(literalHint)", range: range)
        }
        let body = text((colon + 1)..<end)
        if kind == .secret {
            guard !body.isEmpty, !body.contains(where: \.isWhitespace), !body.contains(":-") else {
                throw SyntaxError(
                    message: "'\(body)' is not the key of a secret",
                    hint: "a secret's key has no blank, and a secret has no default", range: range)
            }
            return Variable(kind: .secret, name: body, defaultText: nil, range: range)
        }
        let parts = body.split(separator: ":-", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts.first ?? "")
        guard isEnvironmentName(name) else {
            throw SyntaxError(
                message: "'\(name)' is not the name of an environment variable",
                hint: "write $<env:NAME> or $<env:NAME:-default>", range: range)
        }
        let defaultText = parts.count > 1 ? String(parts[1]) : nil
        if let defaultText, containsVariable(defaultText) {
            throw SyntaxError(
                message: "the default of '\(name)' holds a variable", hint: "a default is plain text", range: range)
        }
        return Variable(kind: .env, name: name, defaultText: defaultText, range: range)
    }

    private static func isEnvironmentName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
    }
}
