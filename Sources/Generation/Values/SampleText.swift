/// Reads sample values from text. Nil when the text is not of the form.
enum SampleText {
    /// A decimal number times 10^scale, exactly; nil also when it has more decimal places than that.
    static func scaled(_ text: String, _ scale: Int) -> Int128? {
        let isNegative = text.hasPrefix("-")
        let parts = (isNegative ? text.dropFirst() : text[...]).split(
            separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty else { return nil }
        let fraction = parts.count > 1 ? parts[1] : ""
        guard fraction.utf8.count <= scale, parts.count == 1 || !fraction.isEmpty else { return nil }
        let digits = whole + fraction + String(repeating: "0", count: scale - fraction.utf8.count)
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int128(digits) else { return nil }
        return isNegative ? -value : value
    }

    /// `2024-05-31` as days since the epoch.
    static func days(_ text: String) -> Int64? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 4, parts[1].count == 2, parts[2].count == 2,
            let year = Int64(parts[0]), let month = Int64(parts[1]), let day = Int64(parts[2]),
            (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// `2024-05-31T10:15:00Z` (also with a space, fractions, without the zone: UTC) or a number of milliseconds.
    static func milliseconds(_ text: String) -> Int64? {
        if let number = Int64(text) { return number }
        guard let date = days(String(text.prefix(10))) else { return nil }
        var time = text.dropFirst(10)
        if time.hasSuffix("Z") { time = time.dropLast() }
        guard let separator = time.first else { return date * 86_400_000 }
        guard separator == "T" || separator == " " else { return nil }
        let parts = time.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, let hour = Int64(parts[0]), let minute = Int64(parts[1]),
            let second = parts.count == 3 ? scaled(String(parts[2]), 3) : 0, (0...23).contains(hour),
            (0...59).contains(minute), (0..<60_000).contains(second)
        else { return nil }
        return date * 86_400_000 + hour * 3_600_000 + minute * 60_000 + Int64(second)
    }

    static func isUUID(_ text: String) -> Bool {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        return groups.map(\.utf8.count) == [8, 4, 4, 4, 12] && text.allSatisfy { $0 == "-" || $0.isHexDigit }
    }
}
