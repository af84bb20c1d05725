/// Writes findings for people and for programs. It does no I/O: excerpts come from the texts that it is given.
///
///     domains/orders.yaml:18:13: error[SP2031]: unknown field 'totl_amount' in aggregation 'revenue'
///        18 |     field: metrics.totl_amount
///           |            ^~~~~~~~~~~~~~~~~~~
///        hint: did you mean 'total_amount'? (event type 'purchase')
public struct DiagnosticRenderer: Sendable {
    public var sources: SourceTexts
    /// Whether the text form uses ANSI colours.
    public var isColored: Bool

    public init(sources: SourceTexts = SourceTexts(), isColored: Bool = false) {
        self.sources = sources
        self.isColored = isColored
    }

    /// Every finding, by place, each ended by a newline; empty when there is none.
    public func text(_ diagnostics: Diagnostics) -> String {
        diagnostics.sorted.map { text($0) }.joined()
    }

    public func text(_ diagnostic: Diagnostic) -> String { text(DiagnosticView(diagnostic, sources: sources)) }

    /// A failure while something runs: `error[SP6001]: component: message`, its notes and its hint, each ended by a newline.
    public func text(_ error: PipelineError) -> String { text(DiagnosticView(error)) }

    /// Every finding, by place, as a JSON array of objects (see ``DiagnosticView/json``).
    public func json(_ diagnostics: Diagnostics) -> JSONValue {
        .array(diagnostics.sorted.map { DiagnosticView($0, sources: sources).json })
    }

    /// A failure while something runs, as a JSON array of one object.
    public func json(_ error: PipelineError) -> JSONValue { .array([DiagnosticView(error).json]) }

    /// Such as `2 errors, 1 warning`; empty when there is nothing.
    public static func summary(_ diagnostics: Diagnostics) -> String {
        let all = diagnostics.sorted
        let errors = all.count { $0.severity == .error }
        func phrase(_ count: Int, _ word: String) -> String? {
            count == 0 ? nil : "\(count) \(word)\(count == 1 ? "" : "s")"
        }
        return [phrase(errors, "error"), phrase(all.count - errors, "warning")].compactMap { $0 }.joined(
            separator: ", ")
    }

    /// The text form of a view.
    public func text(_ view: DiagnosticView) -> String {
        var out = ""
        if let location = view.location { out += style(.bold, Self.place(location) + ":") + " " }
        out += style(view.severity == "error" ? .red : .yellow, "\(view.severity)[\(view.code)]:") + " "
        if let component = view.component { out += Self.printable(component) + ": " }
        out += style(.bold, Self.printable(view.message)) + "\n"
        if let location = view.location, let line = view.excerpt { out += excerpt(line, location) }
        for note in view.notes {
            let place = note.location.map { ": \(Self.place($0))" } ?? ""
            out += "   " + style(.cyan, "note:") + " " + Self.printable(note.message) + place + "\n"
        }
        if let hint = view.hint { out += "   " + style(.cyan, "hint:") + " " + Self.printable(hint) + "\n" }
        return out
    }

    private func excerpt(_ line: String, _ location: SourceLocation) -> String {
        let cut = ExcerptLine(line, column: location.column, endColumn: location.endColumn)
        let number = String(location.line)
        let gutter = String(repeating: " ", count: max(0, 2 - number.count)) + number
        let blank = String(repeating: " ", count: gutter.count)
        return "   \(style(.dim, "\(gutter) |")) \(cut.text)\n   \(style(.dim, "\(blank) |")) "
            + cut.padding + style(.red, cut.underline) + "\n"
    }

    private static func place(_ location: SourceLocation) -> String {
        "\(printable(location.file)):\(location.line):\(location.column)"
    }

    /// `text` on one line and without control characters: names come from files and must not steer a terminal.
    private static func printable(_ text: String) -> String {
        if !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) { return text }
        return text.unicodeScalars.map { scalar in
            switch scalar {
            case "\n": return "\\n"
            case "\t": return "\\t"
            case _ where scalar.properties.generalCategory == .control:
                return "\\u{\(String(scalar.value, radix: 16))}"
            default: return String(scalar)
            }
        }.joined()
    }

    private enum Style: String {
        case bold = "1"
        case dim = "2"
        case red = "1;31"
        case yellow = "1;33"
        case cyan = "36"
    }

    private func style(_ style: Style, _ text: String) -> String {
        isColored ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }
}
