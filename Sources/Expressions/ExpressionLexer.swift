public import Diagnostics

/// A token and the characters that it takes.
struct ExpressionToken {
    enum Kind: Equatable {
        /// An identifier or key word, in lower case for comparison.
        case word(String)
        case quotedName
        case string
        case number
        case symbol
        case end
    }

    var kind: Kind
    /// The text; of strings and quoted names without quotes and with doubled quotes undone.
    var text: String
    var range: Range<Int>
}

/// The text of an expression and where it stands.
public struct ExpressionSource: Sendable {
    public var text: String
    /// The place of the YAML scalar.
    public var base: SourceLocation
    /// How far the text begins from `base`; nil when its columns do not map to the file's.
    public var textColumnOffset: Int?

    public init(_ text: String, at base: SourceLocation, textColumnOffset: Int? = nil) {
        self.text = text
        self.base = base
        self.textColumnOffset = textColumnOffset
    }

    /// The place of a range of Unicode scalars.
    func place(_ range: Range<Int>) -> ExpressionPlace {
        guard let textColumnOffset, !text.unicodeScalars.contains("\n") else {
            return ExpressionPlace(base, note: "at character \(range.lowerBound + 1) of the expression: \(text)")
        }
        let column = base.column + textColumnOffset
        return ExpressionPlace(
            SourceLocation(
                file: base.file, line: base.line, column: column + range.lowerBound,
                endColumn: column + max(range.upperBound, range.lowerBound + 1)))
    }
}

/// A syntax error; it ends the parse.
struct ExpressionSyntaxError: Error {
    var message: String
    var range: Range<Int>
    var hint: String?
}

/// Cuts the text of an expression into tokens.
final class ExpressionLexer {
    private let scalars: [Unicode.Scalar]
    private var position = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    func tokens() throws(ExpressionSyntaxError) -> [ExpressionToken] {
        var tokens: [ExpressionToken] = []
        while let token = try next() { tokens.append(token) }
        tokens.append(ExpressionToken(kind: .end, text: "the end", range: scalars.count..<scalars.count))
        return tokens
    }

    private func next() throws(ExpressionSyntaxError) -> ExpressionToken? {
        while position < scalars.count, scalars[position].properties.isWhitespace { position += 1 }
        guard position < scalars.count else { return nil }
        let start = position
        let first = scalars[position]
        if first == "'" { return token(.string, try quoted("'"), start) }
        if first == "\"" { return token(.quotedName, try quoted("\""), start) }
        if isDigit(at: position) || first == "." && isDigit(at: position + 1) { return try number() }
        if first == "_" || first.properties.isAlphabetic {
            while position < scalars.count, isNamePart(scalars[position]) { position += 1 }
            let word = text(start)
            return token(.word(word.lowercased()), word, start)
        }
        let pair = position + 1 < scalars.count ? text(start, start + 2) : ""
        if pair == "--" || pair == "/*" {
            throw ExpressionSyntaxError(message: "comments are not supported in expressions", range: start..<start + 2)
        }
        let known = ["<>", "!=", "<=", ">=", "==", "||", "//", "::", "->"]
        position += known.contains(pair) ? 2 : 1
        return token(.symbol, text(start), start)
    }

    private func number() throws(ExpressionSyntaxError) -> ExpressionToken {
        let start = position
        skipDigits()
        if position < scalars.count, scalars[position] == "." {
            position += 1
            skipDigits()
        }
        if position < scalars.count, scalars[position] == "e" || scalars[position] == "E" {
            position += 1
            if position < scalars.count, scalars[position] == "+" || scalars[position] == "-" { position += 1 }
            skipDigits()
        }
        if position < scalars.count, isNamePart(scalars[position]) {
            while position < scalars.count, isNamePart(scalars[position]) { position += 1 }
            throw ExpressionSyntaxError(message: "'\(text(start))' is not a number", range: start..<position)
        }
        return token(.number, text(start), start)
    }

    private func quoted(_ quote: Unicode.Scalar) throws(ExpressionSyntaxError) -> String {
        let start = position
        var content = String.UnicodeScalarView()
        position += 1
        while position < scalars.count {
            if scalars[position] != quote {
                content.append(scalars[position])
            } else if position + 1 < scalars.count, scalars[position + 1] == quote {
                content.append(quote)
                position += 1
            } else {
                position += 1
                return String(content)
            }
            position += 1
        }
        throw ExpressionSyntaxError(message: "this quote is never closed", range: start..<start + 1)
    }

    private func skipDigits() { while isDigit(at: position) { position += 1 } }

    private func isDigit(at index: Int) -> Bool { index < scalars.count && ("0"..."9").contains(scalars[index]) }

    private func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
    }

    private func text(_ start: Int, _ end: Int? = nil) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[start..<(end ?? position)])
        return String(view)
    }

    private func token(_ kind: ExpressionToken.Kind, _ text: String, _ start: Int) -> ExpressionToken {
        ExpressionToken(kind: kind, text: text, range: start..<position)
    }
}
