/// Durations as people write them: `90s`, `5 minutes`, `1 hour`, `250 ms`, `7d`.
public enum DurationText {
    public static let hint = "write a number and a unit: 250 ms, 90s, 5 minutes, 1 hour, 7 days, 2 weeks"

    /// Milliseconds, or nil when the text is no duration, is negative or does not fit 64 bits.
    public static func milliseconds(_ text: String) -> Int64? {
        let trimmed = text.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        let number = trimmed.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = trimmed.dropFirst(number.count).drop { $0 == " " }
        guard let factor = factor(unit.lowercased()) else { return nil }
        if let whole = Int64(number) {
            let (value, overflow) = whole.multipliedReportingOverflow(by: factor)
            return overflow ? nil : value
        }
        guard let value = Double(number), value.isFinite else { return nil }
        let milliseconds = value * Double(factor)
        return milliseconds == milliseconds.rounded() ? Int64(exactly: milliseconds) : nil
    }

    /// The shortest way to write a duration, such as `5 minutes`.
    public static func describe(milliseconds: Int64) -> String {
        let units: [(Int64, String)] = [
            (86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1000, "second"),
        ]
        for (size, name) in units where milliseconds >= size && milliseconds % size == 0 {
            let count = milliseconds / size
            return "\(count) \(name)\(count == 1 ? "" : "s")"
        }
        return "\(milliseconds) ms"
    }

    private static func factor(_ unit: String) -> Int64? {
        switch unit {
        case "ms", "millisecond", "milliseconds": 1
        case "s", "sec", "secs", "second", "seconds": 1000
        case "m", "min", "mins", "minute", "minutes": 60_000
        case "h", "hr", "hour", "hours": 3_600_000
        case "d", "day", "days": 86_400_000
        case "w", "week", "weeks": 604_800_000
        default: nil
        }
    }
}
