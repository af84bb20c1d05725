/// A quoted source line, cut to a width that a terminal shows, and what stands under it.
struct ExcerptLine {
    /// The line; control characters other than the tab show as U+FFFD.
    private(set) var text = ""
    /// Blanks as wide as what precedes the underlined part; tabs stay tabs.
    private(set) var padding = ""
    /// `^~~~`, at least one caret.
    private(set) var underline = "^"

    private static let widthLimit = 160
    private static let leadWhenCut = 60

    init(_ line: String, column: Int, endColumn: Int) {
        let scalars = Array(line.unicodeScalars)
        let marked = max(0, min(column - 1, scalars.count))
        var first = 0
        var end = scalars.count
        if scalars.count > Self.widthLimit {
            first = marked > Self.widthLimit / 2 ? marked - Self.leadWhenCut : 0
            end = min(scalars.count, first + Self.widthLimit)
            if first > 0 {
                text = "…"
                padding = " "
            }
        }
        for (index, scalar) in scalars[first..<end].enumerated() {
            let isControl = scalar != "\t" && scalar.properties.generalCategory == .control
            text.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
            if first + index < marked {
                padding += scalar == "\t" ? "\t" : String(repeating: " ", count: isControl ? 1 : Self.width(scalar))
            }
        }
        if end < scalars.count { text += "…" }
        let markedEnd = max(marked, min(endColumn - 1, end))
        let width = scalars[marked..<markedEnd].reduce(0) { $0 + Self.width($1) }
        if width > 1 { underline += String(repeating: "~", count: width - 1) }
    }

    /// Terminal cells of a scalar: 0 for combining marks, 2 for East Asian wide and emoji, else 1.
    private static func width(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
