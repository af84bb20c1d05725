/// Progress of a long work with a known or unknown end, on one line of standard error.
///
///     generating ▕████████▍           ▏ 42% 420,000/1,000,000 3.1M events/s ETA 2 s
///
/// On a terminal the line is rewritten, at most ten times a second; elsewhere nothing is written until `finish`, which
/// prints one plain line in both cases. Time is passed in. Threads: one.
public final class ProgressLine {
    private let doing: String
    private let done: String
    private let unit: String
    private let total: Int?
    private let start: ContinuousClock.Instant
    private let unicode: Bool
    private let isQuiet: Bool
    private let line: LiveLine

    /// - Parameters:
    ///   - doing: what the live line says, as `generating`.
    ///   - done: what the last line says, as `generated`.
    ///   - total: nil when the end is not known: no bar, no estimate.
    ///   - isQuiet: writes nothing at all, for `--quiet`.
    ///   - isLive: nil asks the descriptor.
    public init(
        doing: String, done: String, unit: String = "events", total: Int?, start: ContinuousClock.Instant,
        descriptor: Int32 = 2, isQuiet: Bool = false, isLive: Bool? = nil,
        unicode: Bool = Terminal.usesUnicode
    ) {
        self.doing = doing
        self.done = done
        self.unit = unit
        self.total = total
        self.start = start
        self.unicode = unicode
        self.isQuiet = isQuiet
        line = LiveLine(
            descriptor: descriptor, isLive: !isQuiet && (isLive ?? Terminal.canRewriteLines(descriptor)))
    }

    /// Shows that `count` of the total is done. Cheap when it is not time to draw; still, call it per batch.
    public func update(_ count: Int, at now: ContinuousClock.Instant) {
        guard line.isDue(at: now) else { return }
        line.show(text(count, elapsed: now - start, width: line.width), ellipsis: unicode ? "…" : ".")
    }

    /// Takes the live line away, for a message in between or before an error.
    public func erase() { line.erase() }

    /// Replaces the live line by `generated 1,000,000 events in 2.4 s (417k events/s)`; `detail` follows after a comma.
    public func finish(_ count: Int, at now: ContinuousClock.Instant, detail: String? = nil) {
        guard !isQuiet else { return }
        line.printLine(summary(count, elapsed: now - start, detail: detail))
    }

    func summary(_ count: Int, elapsed: Duration, detail: String?) -> String {
        let rate = ProgressLine.rate(count, elapsed).map { " (\(NumberText.short($0)) \(unit)/s)" } ?? ""
        let text = "\(done) \(NumberText.grouped(count)) \(unit) in \(NumberText.duration(elapsed))\(rate)"
        return detail.map { "\(text), \($0)" } ?? text
    }

    /// The live line; the bar is left out when the terminal is too narrow for it.
    func text(_ count: Int, elapsed: Duration, width: Int) -> String {
        let rate = ProgressLine.rate(count, elapsed)
        let speed = rate.map { " \(NumberText.short($0)) \(unit)/s" } ?? ""
        guard let total, total > 0 else { return "\(doing) \(NumberText.grouped(count)) \(unit)\(speed)" }
        // Rounded down, so that 100% means all.
        let fraction = min(Double(max(count, 0)) / Double(total), 1)
        let percent = DisplayText.padded("\(Int(fraction * 100))%", to: 4, right: true)
        var rest = "\(percent) \(NumberText.grouped(count))/\(NumberText.grouped(total))\(speed)"
        if let rate, rate > 0, count < total {
            rest += " ETA " + NumberText.wholeSeconds(.seconds(min(Double(total - count) / rate, 1e9)))
        }
        let cells = min(20, width - doing.count - DisplayText.width(rest) - 3)
        guard cells >= 5 else { return "\(doing)\(rest)" }
        let bar = BarChart.bar(fraction: fraction, cells: cells, unicode: unicode)
        let edges = unicode ? ("▕", "▏") : ("[", "]")
        return "\(doing) \(edges.0)\(DisplayText.padded(bar, to: cells, right: false))\(edges.1)\(rest)"
    }

    /// Nil in the first moments, where a rate would be noise.
    private static func rate(_ count: Int, _ elapsed: Duration) -> Double? {
        elapsed < .milliseconds(1) ? nil : Double(count) / NumberText.seconds(elapsed)
    }
}
