/// When sessions are closed: those that end by the **floor**, the watermark less the allowed lateness, cut to a tick.
///
/// The tick keeps the number of different floors small, because rows that come before their floor are kept apart by it
/// (``PaneKey``). It is the longest of 1, 10, 100 milliseconds, 1 and 10 seconds, 1 and 10 minutes, 1 hour and 1 day that
/// is at most 1/16 of the gap.
struct SessionClock: Sendable {
    let gapMilliseconds: Int64
    let tickMilliseconds: Int64
    private let latenessMilliseconds: Int64
    private let delayMilliseconds: Int64

    init(_ calendar: WindowCalendar) {
        gapMilliseconds = calendar.durationMilliseconds
        latenessMilliseconds = calendar.allowedLatenessMilliseconds
        delayMilliseconds = calendar.watermarkDelayMilliseconds
        let ticks: [Int64] = [1, 10, 100, 1000, 10_000, 60_000, 600_000, 3_600_000, 86_400_000]
        let longest = gapMilliseconds / 16
        tickMilliseconds = ticks.last { $0 <= longest } ?? 1
    }

    /// The floor of a row whose partition had the highest event time `highest` before it; `Int64.min` for none.
    func floor(highest: Int64) -> Int64 {
        highest == .min ? .min : cut(highest - delayMilliseconds - latenessMilliseconds)
    }

    /// The end of sessions that a watermark has closed; `Int64.min` for none.
    func floor(watermark: Int64) -> Int64 {
        if watermark <= -WindowCalendar.timeLimit * 2 { return .min }
        return cut(min(watermark, WindowCalendar.timeLimit * 2) - latenessMilliseconds)
    }

    private func cut(_ time: Int64) -> Int64 {
        let rest = time % tickMilliseconds
        return time - (rest < 0 ? rest + tickMilliseconds : rest)
    }
}
