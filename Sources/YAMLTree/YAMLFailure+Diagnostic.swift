import Diagnostics

extension YAMLFailure {
    /// The failure in words that say what to change. libyaml's own words stay where there are no better ones.
    func diagnostic(in source: YAMLSource) -> Diagnostic {
        // A tab in the indentation shows as various errors, on its own line or on the next.
        for line in [mark.line, mark.line - 1] {
            if let tab = source.tabInIndentation(line: line), isCausedByTab {
                return Diagnostic(
                    .tabIndentation, "a tab stands in the indentation", at: tab,
                    hint: "YAML is indented with spaces only")
            }
        }
        var location = SourceLocation(file: source.file, line: mark.line, column: mark.column)
        var notes: [Diagnostic.Note] = []
        if let context {
            let place = SourceLocation(file: source.file, line: contextMark.line, column: contextMark.column)
            if contextMark != mark { notes = [.init(context, at: place)] }
            if problem.contains("unexpected end of stream") {
                // The opening quote says more than the end of the file.
                location = place
                notes = []
            }
        }
        let (message, hint) = Self.wording(problem)
        return Diagnostic(.yamlSyntax, message, at: location, notes: notes, hint: hint)
    }

    private var isCausedByTab: Bool {
        ["cannot start any token", "tab character", "did not find expected", "could not find expected"]
            .contains { problem.contains($0) }
    }

    private static func wording(_ problem: String) -> (message: String, hint: String?) {
        switch problem {
        case "mapping values are not allowed in this context":
            ("a ':' stands where no key can be", "quote a value that holds ': '; check the indentation")
        case "found unexpected end of stream":
            ("a quoted string is not closed", "add the closing quote")
        case "found character that cannot start any token":
            ("a value cannot begin with this character", "quote the value")
        case "did not find expected key":
            ("a key is expected here", "keys of one map begin in the same column")
        case "could not find expected ':'":
            ("a ':' is missing after this key", "write key: value; keys of one map begin in the same column")
        case "did not find expected '-' indicator":
            ("a '-' is expected here", "items of one list begin in the same column")
        case "did not find expected ',' or ']'":
            ("a ',' or ']' is expected here", "close the list that was opened with '['")
        case "did not find expected ',' or '}'":
            ("a ',' or '}' is expected here", "close the map that was opened with '{'")
        case "found unknown escape character":
            ("this escape is not known", "write \\\\ for a backslash, or use single quotes")
        default: (problem, nil)
        }
    }
}
