internal import Diagnostics
public import PluginAPI

/// A query's rows as an aligned table.
public enum TerminalTable {
    /// Header, rule, one line per row and `(n rows)`, each ended by a line feed.
    ///
    /// Columns of numbers (also decimals that the database holds as text) stand right, others left; null is `NULL`.
    /// Control characters in cells and names are shown as escapes.
    /// - Parameters:
    ///   - maximumWidth: columns of the terminal; long texts and headers are then shortened with `…`, numbers never. A
    ///     table of many columns may still be wider. Nil: nothing is shortened.
    ///   - unicode: false writes `-` and `.` in place of `─` and `…`.
    public static func render(
        _ result: QueryResult, maximumWidth: Int?, unicode: Bool = Terminal.usesUnicode
    ) -> String {
        let footer = result.rows.count == 1 ? "(1 row)\n" : "(\(NumberText.grouped(result.rows.count)) rows)\n"
        guard !result.columns.isEmpty else { return footer }
        var columns = result.columns.indices.map { Column(result, $0) }
        if let maximumWidth { narrow(&columns, to: maximumWidth) }

        let ellipsis: Character = unicode ? "…" : "."
        var text = line(columns) { DisplayText.shortened(columns[$0].name, to: columns[$0].width, ellipsis: ellipsis) }
        let stroke = unicode ? "─" : "-"
        text += columns.map { String(repeating: stroke, count: $0.width) }.joined(separator: gap) + "\n"
        for row in 0..<result.rows.count {
            text += line(columns) {
                DisplayText.shortened(columns[$0].cells[row], to: columns[$0].width, ellipsis: ellipsis)
            }
        }
        return text + footer
    }

    /// What a cell shows.
    static func text(_ cell: QueryResult.Cell) -> String {
        switch cell {
        case .null: "NULL"
        case .text(let value): VisibleText.escaped(value)
        case .integer(let value): "\(value)"
        case .double(let value): "\(value)"
        }
    }

    /// True for numbers and for text that is a plain decimal number, such as `-12.50`.
    static func isNumber(_ cell: QueryResult.Cell) -> Bool {
        switch cell {
        case .null: return false
        case .integer, .double: return true
        case .text(let value):
            let parts = value.drop { $0 == "-" }.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
            return value.utf8.count - (parts.map(\.utf8.count).reduce(parts.count - 1, +)) <= 1
                && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        }
    }

    private struct Column {
        var name: String
        var cells: [String]
        var isNumeric: Bool
        var width: Int
        /// The least width that it may be shortened to.
        var floor: Int

        init(_ result: QueryResult, _ index: Int) {
            name = VisibleText.escaped(result.columns[index])
            let values = result.rows.map { index < $0.count ? $0[index] : .null }
            cells = values.map(TerminalTable.text)
            let present = values.filter { $0 != .null }
            isNumeric = !present.isEmpty && present.allSatisfy(TerminalTable.isNumber)
            let widestCell = cells.map(DisplayText.width).max() ?? 0
            width = max(widestCell, DisplayText.width(name))
            floor = min(width, isNumeric ? max(widestCell, narrowest) : narrowest)
        }
    }

    private static let gap = "  "
    private static let narrowest = 8

    /// Takes columns off the widest that may still shrink, until all fit or none may.
    private static func narrow(_ columns: inout [Column], to limit: Int) {
        var excess = columns.map(\.width).reduce(gap.count * (columns.count - 1), +) - limit
        while excess > 0 {
            let candidates = columns.indices.filter { columns[$0].width > columns[$0].floor }
            guard let widest = candidates.max(by: { columns[$0].width < columns[$1].width }) else { return }
            columns[widest].width -= 1
            excess -= 1
        }
    }

    private static func line(_ columns: [Column], _ cell: (Int) -> String) -> String {
        var text = columns.indices.map { index in
            DisplayText.padded(cell(index), to: columns[index].width, right: columns[index].isNumeric)
        }.joined(separator: gap)
        while text.last == " " { text.removeLast() }
        return text + "\n"
    }
}
