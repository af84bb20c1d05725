import DataPath

/// Reads literals from their text.
public enum LiteralText {
    /// An integer, an exact decimal or (with an exponent) a double; nil when it is no number, has over 38 digits or is too
    /// large for a double.
    public static func number(_ text: String) -> ExpressionLiteral? {
        if text.contains(where: { $0 == "e" || $0 == "E" }) {
            guard let value = Double(text), value.isFinite else { return nil }
            return .double(value)
        }
        let isNegative = text.hasPrefix("-")
        let parts = text.drop { $0 == "-" || $0 == "+" }.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first else { return nil }
        let fraction = parts.count == 2 ? parts[1] : ""
        let digits = whole + fraction
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        let significant = digits.drop { $0 == "0" }
        guard significant.count <= 38, fraction.count <= 38, let magnitude = Int128(digits) else { return nil }
        let value = isNegative ? -magnitude : magnitude
        if parts.count == 1, let integer = Int64(exactly: value) { return .integer(integer) }
        return .decimal(
            unscaled: value, precision: max(1, min(38, digits.count), fraction.count), scale: fraction.count)
    }

    /// Days since the epoch of `2024-01-31`.
    public static func date(_ text: String) -> Int64? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.map(\.utf8.count) == [4, 2, 2],
            parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2])
        else { return nil }
        return CalendarTime.days(year: year, month: month, day: day)
    }

    /// Milliseconds since the epoch of `2024-01-31`, `2024-01-31 10:00[:00[.000]]`, with `T` or a blank, and with `Z`
    /// or `+02:00` or nothing (UTC) at the end. Digits beyond milliseconds must be zeros.
    public static func timestamp(_ text: String) -> Int64? {
        guard text.count > 10 else { return date(text).map { $0 * 86_400_000 } }
        guard let days = date(String(text.prefix(10))) else { return nil }
        var rest = text.dropFirst(10)
        guard let separator = rest.popFirst(), separator == "T" || separator == " " else { return nil }
        var offsetMinutes: Int64 = 0
        if rest.last == "Z" {
            rest = rest.dropLast()
        } else if let sign = rest.lastIndex(where: { $0 == "+" || $0 == "-" }) {
            let parts = rest[rest.index(after: sign)...].split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2, let hours = number(parts[0], below: 24),
                let minutes = parts.count == 2 ? number(parts[1], below: 60) : 0
            else { return nil }
            offsetMinutes = (hours * 60 + minutes) * (rest[sign] == "-" ? -1 : 1)
            rest = rest[..<sign]
        }
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, let hour = number(parts[0], below: 24),
            let minute = number(parts[1], below: 60)
        else { return nil }
        var milliseconds: Int64 = 0
        if parts.count == 3 {
            let pieces = parts[2].split(separator: ".", omittingEmptySubsequences: false)
            guard pieces.count <= 2, let second = number(pieces[0], below: 60) else { return nil }
            milliseconds = second * 1000
            if pieces.count == 2 {
                let digits = pieces[1]
                guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }),
                    digits.dropFirst(3).allSatisfy({ $0 == "0" }), let value = Int64((digits + "00").prefix(3))
                else { return nil }
                milliseconds += value
            }
        }
        return days * 86_400_000 + (hour * 60 + minute - offsetMinutes) * 60_000 + milliseconds
    }

    private static func number(_ text: Substring, below limit: Int64) -> Int64? {
        guard text.utf8.count == 2, text.utf8.allSatisfy({ (48...57).contains($0) }), let value = Int64(text) else {
            return nil
        }
        return value < limit ? value : nil
    }
}
