/// What a running pipeline has done so far.
public struct StatusSnapshot: Sendable, Equatable {
    public var eventsRead: Int
    /// Records that are still to be read.
    public var lag: Int
    /// Milliseconds since the epoch; nil before the first.
    public var watermarkMilliseconds: Int64?
    public var rowsWritten: Int
    public var deadLetters: Int
    public var lateEvents: Int

    public init(
        eventsRead: Int = 0, lag: Int = 0, watermarkMilliseconds: Int64? = nil, rowsWritten: Int = 0,
        deadLetters: Int = 0, lateEvents: Int = 0
    ) {
        self.eventsRead = eventsRead
        self.lag = lag
        self.watermarkMilliseconds = watermarkMilliseconds
        self.rowsWritten = rowsWritten
        self.deadLetters = deadLetters
        self.lateEvents = lateEvents
    }
}

/// The state of a running pipeline on one line of standard error.
///
///     830k events/s · 1,234,567 read · lag 12,345 · 1,204 rows · 0 dead letters · 3 late · watermark 2026-11-21 …
///
/// On a terminal the line is rewritten, at most five times a second; elsewhere nothing is written until `finish`, which
/// prints one plain line in both cases. The rate is that of the last two seconds. Threads: one.
public final class StatusLine {
    private let start: ContinuousClock.Instant
    private let unicode: Bool
    private let isQuiet: Bool
    private let line: LiveLine
    private var samples: [(time: ContinuousClock.Instant, events: Int)]

    /// - Parameters:
    ///   - isQuiet: writes nothing at all, for `--quiet`.
    ///   - isLive: nil asks the descriptor.
    public init(
        start: ContinuousClock.Instant, descriptor: Int32 = 2, isQuiet: Bool = false,
        isLive: Bool? = nil, unicode: Bool = Terminal.usesUnicode
    ) {
        self.start = start
        self.unicode = unicode
        self.isQuiet = isQuiet
        samples = [(start, 0)]
        line = LiveLine(
            descriptor: descriptor, isLive: !isQuiet && (isLive ?? Terminal.canRewriteLines(descriptor)),
            drawInterval: .milliseconds(200))
    }

    /// Shows `snapshot`, when it is time to.
    public func update(_ snapshot: StatusSnapshot, at now: ContinuousClock.Instant) {
        guard line.isDue(at: now) else { return }
        let rate = recentRate(snapshot.eventsRead, at: now)
        line.show(text(snapshot, rate: rate), ellipsis: unicode ? "…" : ".")
    }

    /// Takes the live line away, for a message in between or before an error.
    public func erase() { line.erase() }

    /// Replaces the live line by a plain one about the whole run.
    public func finish(_ snapshot: StatusSnapshot, at now: ContinuousClock.Instant) {
        guard !isQuiet else { return }
        line.printLine(summary(snapshot, elapsed: now - start))
    }

    func text(_ snapshot: StatusSnapshot, rate: Double) -> String {
        [
            "\(NumberText.short(rate)) events/s", "\(NumberText.grouped(snapshot.eventsRead)) read",
            "lag \(NumberText.grouped(snapshot.lag))", count(snapshot.rowsWritten, "row"),
            count(snapshot.deadLetters, "dead letter"), "\(NumberText.grouped(snapshot.lateEvents)) late",
            "watermark \(watermark(snapshot))",
        ].joined(separator: unicode ? " · " : " | ")
    }

    func summary(_ snapshot: StatusSnapshot, elapsed: Duration) -> String {
        let rate = NumberText.short(Double(snapshot.eventsRead) / max(NumberText.seconds(elapsed), 0.001))
        let read = "read \(count(snapshot.eventsRead, "event")) in \(NumberText.duration(elapsed)) (\(rate) events/s)"
        let rows = "\(count(snapshot.rowsWritten, "row")) written, \(count(snapshot.deadLetters, "dead letter"))"
        return "\(read): \(rows), \(NumberText.grouped(snapshot.lateEvents)) late, watermark \(watermark(snapshot))"
    }

    /// Events per second between the newest sample that is two seconds old and now.
    func recentRate(_ events: Int, at now: ContinuousClock.Instant) -> Double {
        samples.append((now, events))
        while samples.count > 2, now - samples[1].time >= .seconds(2) { samples.removeFirst() }
        let seconds = NumberText.seconds(now - samples[0].time)
        return seconds > 0 ? Double(events - samples[0].events) / seconds : 0
    }

    private func watermark(_ snapshot: StatusSnapshot) -> String {
        snapshot.watermarkMilliseconds.map { NumberText.utc(milliseconds: $0) } ?? "none yet"
    }

    private func count(_ number: Int, _ noun: String) -> String {
        "\(NumberText.grouped(number)) \(noun)\(number == 1 ? "" : "s")"
    }
}
