internal import Diagnostics

/// Horizontal bars, one line each.
public enum BarChart {
    /// A title line, then `label  value ▕bar` for each value, scaled to the largest magnitude.
    ///
    /// With a negative value among them, zero is an axis inside the bars and negative ones grow to the left. A value
    /// that is not finite prints `NULL` and has no bar. A missing label is empty.
    /// - Parameters:
    ///   - width: columns of the whole chart; a label takes at most two fifths, a bar at least ten.
    ///   - unicode: false draws with `#` and `|`.
    public static func render(
        labels: [String], values: [Double], title: String, width: Int, unicode: Bool = Terminal.usesUnicode
    ) -> String {
        let title = VisibleText.escaped(title) + "\n"
        guard !values.isEmpty else { return title + "(nothing to draw)\n" }
        let labels = values.indices.map { index in
            DisplayText.shortened(
                index < labels.count ? VisibleText.escaped(labels[index]) : "", to: max(8, width * 2 / 5),
                ellipsis: unicode ? "…" : ".")
        }
        let numbers = texts(of: values)
        let labelWidth = labels.map(DisplayText.width).max() ?? 0
        let numberWidth = numbers.map(\.count).max() ?? 0
        let scale = Scale(values.filter(\.isFinite), cells: max(10, width - labelWidth - numberWidth - 4))

        var text = title
        for (index, value) in values.enumerated() {
            let bar = value.isFinite ? scale.bar(value, unicode: unicode) : ""
            text += DisplayText.padded(labels[index], to: labelWidth, right: false) + "  "
            text += DisplayText.padded(numbers[index], to: numberWidth, right: true)
            text += bar.isEmpty ? "\n" : " \(bar)\n"
        }
        return text
    }

    /// A bar from the left edge that fills `fraction` (0 to 1) of `cells`, in eighths of a cell; not padded.
    static func bar(fraction: Double, cells: Int, unicode: Bool) -> String {
        let exact = min(max(fraction, 0), 1) * Double(cells)
        guard unicode else { return String(repeating: "#", count: Int(exact.rounded())) }
        let eighths = Int((exact * 8).rounded())
        let partial = eighths % 8
        return String(repeating: "█", count: eighths / 8) + (partial == 0 ? "" : String(partials[partial - 1]))
    }

    private static let partials: [Character] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉"]

    /// Whole numbers without decimals; otherwise all with two, or four when all are below one.
    private static func texts(of values: [Double]) -> [String] {
        let finite = values.filter(\.isFinite)
        let areWhole = finite.allSatisfy { $0 == $0.rounded() }
        let decimals = areWhole ? 0 : finite.contains { $0.magnitude >= 1 } ? 2 : 4
        return values.map { $0.isFinite ? NumberText.fixed($0, decimals: decimals) : "NULL" }
    }

    /// Where zero is, and how many cells each side has.
    private struct Scale {
        var largest: Double
        var negativeCells = 0
        var positiveCells: Int

        init(_ values: [Double], cells: Int) {
            let top = max(values.max() ?? 0, 0)
            let bottom = max(-(values.min() ?? 0), 0)
            largest = max(top, bottom)
            positiveCells = cells - 1
            guard bottom > 0 else { return }
            // Halved before adding, so that two huge ones do not overflow.
            let share = (bottom / 2) / (top / 2 + bottom / 2)
            negativeCells = min(max(Int((share * Double(cells - 1)).rounded()), 1), cells - (top > 0 ? 2 : 1))
            positiveCells = cells - 1 - negativeCells
            // One scale for both sides: the side that is shorter for its values decides.
            largest = max(top / Double(max(positiveCells, 1)), bottom / Double(negativeCells))
            unit = largest
        }

        /// Value of one cell when there is an axis inside; nil when all bars start at the left.
        var unit: Double?

        func bar(_ value: Double, unicode: Bool) -> String {
            guard let unit else {
                guard largest > 0 else { return unicode ? "▕" : "|" }
                let bar = BarChart.bar(fraction: value / largest, cells: positiveCells, unicode: unicode)
                return (unicode ? "▕" : "|") + bar
            }
            let axis = unicode ? "│" : "|"
            let empty = String(repeating: " ", count: negativeCells)
            guard value < 0 else {
                let fraction = positiveCells == 0 ? 0 : value / unit / Double(positiveCells)
                return empty + axis + BarChart.bar(fraction: fraction, cells: positiveCells, unicode: unicode)
            }
            return leftBar(-value / unit, unicode: unicode) + axis
        }

        /// A bar that ends at the axis. Only halves: Unicode has no other blocks that fill a cell from the right.
        private func leftBar(_ exact: Double, unicode: Bool) -> String {
            let halves = unicode ? Int((exact * 2).rounded()) : Int(exact.rounded()) * 2
            let text = (halves % 2 == 1 ? "▐" : "") + String(repeating: unicode ? "█" : "#", count: halves / 2)
            return DisplayText.padded(text, to: negativeCells, right: true)
        }
    }
}
