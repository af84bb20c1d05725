internal import Glibc

/// Numbers as people read them. All of it is independent of the locale, so that output can be compared.
public enum NumberText {
    /// `1234567` as `1,234,567`.
    public static func grouped(_ value: some BinaryInteger) -> String {
        let digits = String(value.magnitude)
        var result = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { result.append(",") }
            result.append(digit)
        }
        return result
    }

    /// `1` as `1 event`, `1234` as `1,234 events`.
    public static func counted(_ value: some BinaryInteger, _ one: String, _ many: String? = nil) -> String {
        "\(grouped(value)) \(value == 1 ? one : many ?? one + "s")"
    }

    /// `1234.5` with two decimals as `1,234.50`; rounded half to even on the binary value, as C does.
    /// From 1e15 on, and when not finite, Swift's shortest spelling.
    public static func fixed(_ value: Double, decimals: Int) -> String {
        guard value.isFinite, value.magnitude < 1e15 else { return "\(value)" }
        let text = withVaList([Int32(clamping: max(0, decimals)), value]) { arguments in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 400) { buffer in
                vsnprintf(buffer.baseAddress, buffer.count, "%.*f", arguments) < 0
                    ? "\(value)" : buffer.baseAddress.map { String(cString: $0) } ?? "\(value)"
            }
        }
        let parts = text.split(separator: ".", maxSplits: 1)
        guard let whole = parts.first, let integer = Int64(whole) else { return text }
        // A negative value above -1 has the whole part `-0`, whose sign an integer cannot hold.
        let sign = integer == 0 && whole.hasPrefix("-") ? "-" : ""
        return sign + grouped(integer) + (parts.count == 2 ? "." + parts[1] : "")
    }

    /// Three significant digits with a thousands letter: `950`, `3.1M`, `12.4k`, `830k`.
    public static func short(_ value: Double) -> String {
        guard value.isFinite else { return "\(value)" }
        return scaled(value, by: 1000, units: ["", "k", "M", "G", "T", "P"], separator: "")
    }

    /// Bytes with a binary unit: `512 B`, `1.5 KiB`, `300 MiB`.
    public static func bytes(_ count: some BinaryInteger) -> String {
        scaled(Double(count), by: 1024, units: ["B", "KiB", "MiB", "GiB", "TiB", "PiB"], separator: " ")
    }

    /// A length of time with its two largest units: `850 ms`, `2.4 s`, `42 s`, `2 min 5 s`, `1 h 2 min`, `3 d 4 h`.
    public static func duration(_ duration: Duration) -> String {
        let seconds = NumberText.seconds(duration)
        if seconds < 0 { return "-" + self.duration(.zero - duration) }
        if seconds < 0.9995 { return "\(Int((seconds * 1000).rounded())) ms" }
        if seconds < 9.95 { return fixed(seconds, decimals: 1) + " s" }
        return wholeSeconds(duration)
    }

    /// Like `duration`, but never finer than a second; for estimates.
    public static func wholeSeconds(_ duration: Duration) -> String {
        let seconds = Int64(NumberText.seconds(duration).rounded())
        switch seconds {
        case ..<60: return "\(seconds) s"
        case ..<3600: return two(seconds / 60, "min", seconds % 60, "s")
        case ..<86_400: return two(seconds / 3600, "h", seconds % 3600 / 60, "min")
        default: return two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h")
        }
    }

    /// Milliseconds since the epoch as `2026-11-21 04:47:33 UTC`; proleptic Gregorian, milliseconds cut off.
    public static func utc(milliseconds: Int64) -> String {
        let seconds = floorDivide(milliseconds, 1000)
        let days = floorDivide(seconds, 86_400)
        let ofDay = seconds - days * 86_400
        let date = civil(days)
        let time = [ofDay / 3600, ofDay / 60 % 60, ofDay % 60].map { twoDigits($0) }.joined(separator: ":")
        let missingDigits = (0...9999).contains(date.year) ? 4 - "\(date.year)".count : 0
        return
            "\(String(repeating: "0", count: missingDigits))\(date.year)-\(twoDigits(date.month))-\(twoDigits(date.day)) \(time) UTC"
    }

    static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }

    private static func scaled(_ value: Double, by base: Double, units: [String], separator: String) -> String {
        var rest = value.magnitude
        var unit = 0
        // 999.5 would be shown as 1000 of this unit: it is 1 of the next.
        while rest >= base - 0.5, unit + 1 < units.count {
            rest /= base
            unit += 1
        }
        let isWhole = unit == 0 ? rest >= 10 || rest == rest.rounded() : rest >= 99.95
        var number = fixed(rest, decimals: isWhole ? 0 : 1)
        if unit > 0, number.hasSuffix(".0") { number.removeLast(2) }
        return (value < 0 ? "-" : "") + number + separator + units[unit]
    }

    private static func two(_ large: Int64, _ largeUnit: String, _ small: Int64, _ smallUnit: String) -> String {
        small == 0 ? "\(large) \(largeUnit)" : "\(large) \(largeUnit) \(small) \(smallUnit)"
    }

    private static func twoDigits(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }

    private static func floorDivide(_ value: Int64, _ by: Int64) -> Int64 {
        value >= 0 ? value / by : (value + 1) / by - 1
    }

    /// Year, month and day of a day number since 1970-01-01 (H. Hinnant, "chrono-compatible low-level date
    /// algorithms", civil_from_days).
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * ofYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - (153 * fromMarch + 2) / 5 + 1)
    }
}
