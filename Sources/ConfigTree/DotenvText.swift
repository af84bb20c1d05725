public import Diagnostics

/// The dotenv format: `NAME=value` lines.
///
/// - Empty lines and lines that begin with `#` are skipped; `export ` before a name is allowed.
/// - Blanks around `=` are allowed. A name has letters, digits, `_`, `.` and `-`, and does not begin with a digit.
/// - An unquoted value ends before ` #` or at the end of the line; blanks around it are cut.
/// - A `'single-quoted'` value is literal; in a `"double-quoted"` one `\n \r \t \" \\ \$` are escapes. Both may span
///   lines. After the closing quote only blanks or a comment may follow.
/// - Nothing is expanded: a `$` is a `$`. A name that stands twice is an error.
public enum DotenvText {
    /// The values by name. Messages never hold a value, so that a file of secrets stays secret.
    public static func parse(
        bytes: [UInt8], file: String, into diagnostics: inout Diagnostics
    ) -> [String: String] {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            diagnostics.error(.notUTF8, "'\(file)' is not UTF-8 text", at: nil)
            return [:]
        }
        var scanner = DotenvScanner(text, file: file)
        scanner.scan()
        diagnostics.append(contentsOf: scanner.diagnostics)
        return scanner.values
    }
}

private struct DotenvScanner {
    private(set) var values: [String: String] = [:]
    private(set) var diagnostics = Diagnostics()
    private let scalars: [Unicode.Scalar]
    private let file: String
    private var index = 0
    private var line = 1
    private var lineStart = 0
    private var places: [String: SourceLocation] = [:]

    init(_ text: String, file: String) {
        var scalars = Array(text.replacing("\r\n", with: "\n").unicodeScalars)
        if scalars.first == "\u{FEFF}" { scalars.removeFirst() }
        self.scalars = scalars
        self.file = file
    }

    private var current: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }
    private var place: SourceLocation { SourceLocation(file: file, line: line, column: index - lineStart + 1) }

    mutating func scan() {
        while current != nil {
            skipBlanks()
            if current == "\n" {
                advance()
            } else if current == "#" {
                skipLine()
            } else if current != nil {
                scanAssignment()
            }
        }
    }

    private mutating func scanAssignment() {
        var start = place
        var name = scanName()
        skipBlanks()
        if name == "export", current != "=" {
            start = place
            name = scanName()
            skipBlanks()
        }
        guard !name.isEmpty, current == "=" else {
            return fail("expected NAME=value", at: start)
        }
        start.endColumn = start.column + name.unicodeScalars.count
        advance()
        skipBlanks()
        let value: String?
        switch current {
        case "'"?: value = scanQuoted("'")
        case "\""?: value = scanQuoted("\"")
        default: value = scanUnquoted()
        }
        guard let value else { return }
        if let first = places[name] {
            diagnostics.error(
                .duplicateKey, "'\(name)' stands twice", at: start, notes: [.init("first defined here", at: first)])
            return
        }
        places[name] = start
        values[name] = value
    }

    private mutating func scanName() -> String {
        var name = ""
        while let scalar = current {
            let isLetter = scalar == "_" || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
            let isLater = ("0"..."9").contains(scalar) || scalar == "." || scalar == "-"
            guard isLetter || (isLater && !name.isEmpty) else { break }
            name.unicodeScalars.append(scalar)
            advance()
        }
        return name
    }

    private mutating func scanUnquoted() -> String {
        var value = String.UnicodeScalarView()
        while let scalar = current, scalar != "\n" {
            if scalar == "#", value.isEmpty || value.last == " " || value.last == "\t" { break }
            value.append(scalar)
            advance()
        }
        skipLine()
        while value.last == " " || value.last == "\t" { value.removeLast() }
        return String(value)
    }

    private mutating func scanQuoted(_ quote: Unicode.Scalar) -> String? {
        let opening = place
        advance()
        var value = String.UnicodeScalarView()
        while let scalar = current, scalar != quote {
            guard scalar == "\\", quote == "\"", index + 1 < scalars.count else {
                value.append(scalar)
                advance()
                continue
            }
            let escapePlace = place
            advance()
            switch scalars[index] {
            case "n": value.append("\n")
            case "r": value.append("\r")
            case "t": value.append("\t")
            case "\"", "\\", "$": value.append(scalars[index])
            default:
                fail("unknown escape; known are \\n \\r \\t \\\" \\\\ \\$", at: escapePlace)
                return nil
            }
            advance()
        }
        guard current != nil else {
            fail("a quote is not closed", at: opening)
            return nil
        }
        advance()
        skipBlanks()
        if let scalar = current, scalar != "\n", scalar != "#" {
            fail("only a comment may follow the closing quote", at: place)
            return nil
        }
        skipLine()
        return String(value)
    }

    private mutating func fail(_ message: String, at place: SourceLocation) {
        diagnostics.error(.invalidDotenv, "dotenv: \(message)", at: place)
        skipLine()
    }

    private mutating func advance() {
        if current == "\n" {
            line += 1
            lineStart = index + 1
        }
        index += 1
    }

    private mutating func skipBlanks() {
        while current == " " || current == "\t" { advance() }
    }

    /// Goes to the beginning of the next line.
    private mutating func skipLine() {
        while let scalar = current {
            advance()
            if scalar == "\n" { return }
        }
    }
}
