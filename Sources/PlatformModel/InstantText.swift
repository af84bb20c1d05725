/// Dates and times of the proleptic Gregorian calendar as people write them.
enum InstantText {
    /// Days since 1970-01-01 of `2024-01-31`.
    static func days(_ text: String) -> Int64? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2], let year = number(parts[0]), let month = number(parts[1]),
            let day = number(parts[2]), (1...12).contains(month), day >= 1, day <= length(month, of: year)
        else { return nil }
        // Source: H. Hinnant, "chrono-compatible low-level date algorithms", days_from_civil.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// Milliseconds since the epoch of `2024-01-31`, `2024-01-31 12:00`, `2024-01-31T12:00:00.5+02:00`. UTC without a
    /// zone.
    static func milliseconds(_ text: String) -> Int64? {
        guard let day = days(String(text.prefix(10))) else { return nil }
        var rest = text.dropFirst(10)
        let midnight = day * 86_400_000
        if rest.isEmpty { return midnight }
        guard rest.first == "T" || rest.first == " " else { return nil }
        rest.removeFirst()
        var zone: Int64 = 0
        if rest.last == "Z" {
            rest.removeLast()
        } else if let sign = rest.lastIndex(where: { $0 == "+" || $0 == "-" }) {
            let parts = rest[rest.index(after: sign)...].split(separator: ":", omittingEmptySubsequences: false)
            guard parts.map(\.utf8.count) == [2, 2], let hours = number(parts[0]), let minutes = number(parts[1]),
                hours <= 18, minutes < 60
            else { return nil }
            zone = (hours * 60 + minutes) * 60_000 * (rest[sign] == "-" ? -1 : 1)
            rest = rest[..<sign]
        }
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), parts[0].utf8.count == 2, parts[1].utf8.count == 2,
            let hour = number(parts[0]), let minute = number(parts[1]), hour < 24, minute < 60
        else { return nil }
        let second = parts.count == 3 ? secondMilliseconds(parts[2]) : 0
        guard let second else { return nil }
        return midnight + (hour * 60 + minute) * 60_000 + second - zone
    }

    private static func secondMilliseconds(_ text: Substring) -> Int64? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts[0].utf8.count == 2, let seconds = number(parts[0]), seconds < 60 else {
            return nil
        }
        guard parts.count == 2 else { return seconds * 1000 }
        guard (1...3).contains(parts[1].utf8.count), var fraction = number(parts[1]) else { return nil }
        for _ in parts[1].utf8.count..<3 { fraction *= 10 }
        return seconds * 1000 + fraction
    }

    private static func number(_ text: Substring) -> Int64? {
        text.utf8.allSatisfy { (48...57).contains($0) } ? Int64(text) : nil
    }

    private static func length(_ month: Int64, of year: Int64) -> Int64 {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return switch month {
        case 2: isLeap ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
