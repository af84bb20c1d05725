/// What a timestamp can be cut down to.
public enum TimeUnit: String, Hashable, Sendable, CaseIterable {
    case second, minute, hour, day, week, month, quarter, year

    /// Milliseconds of the units of fixed length that start at the epoch.
    var fixedMilliseconds: Int64? {
        switch self {
        case .second: 1000
        case .minute: 60_000
        case .hour: 3_600_000
        case .day: 86_400_000
        case .week, .month, .quarter, .year: nil
        }
    }
}

/// A number that can be read off a timestamp, in UTC.
public enum TimePart: String, Hashable, Sendable, CaseIterable {
    case year, quarter, month, week, day, hour, minute, second
    /// Sunday = 0.
    case dayOfWeek = "dayofweek"
    case dayOfYear = "dayofyear"
}

/// The proleptic Gregorian calendar in UTC.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (days_from_civil, civil_from_days).
public enum CalendarTime {
    static let dayMilliseconds: Int64 = 86_400_000

    /// Days since 1970-01-01 of a date, or nil when there is no such date. Years 1 to 9999.
    public static func days(year: Int, month: Int, day: Int) -> Int64? {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1 else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return day <= lengths[month - 1] ? daysFromCivil(Int64(year), Int64(month), Int64(day)) : nil
    }

    /// A time as `2024-01-31 10:00:00.000`, UTC.
    public static func text(milliseconds: Int64) -> String {
        let days = floorDivide(milliseconds, dayMilliseconds)
        let date = civil(days)
        let inDay = milliseconds - days * dayMilliseconds
        func padded(_ value: Int64, _ width: Int) -> String {
            let digits = "\(value)"
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2)) "
            + "\(padded(inDay / 3_600_000, 2)):\(padded(inDay / 60_000 % 60, 2)):\(padded(inDay / 1000 % 60, 2))."
            + padded(inDay % 1000, 3)
    }

    static func daysFromCivil(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = floorDivide(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    @inline(__always)
    static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
        let quotient = a / b
        return a % b < 0 ? quotient - 1 : quotient
    }

    /// The start of the unit that holds a time; a week begins on Monday. Near the ends of the range it saturates.
    static func truncate(_ milliseconds: Int64, to unit: TimeUnit) -> Int64 {
        if let size = unit.fixedMilliseconds { return scaled(floorDivide(milliseconds, size), size) }
        let days = floorDivide(milliseconds, dayMilliseconds)
        if unit == .week { return scaled(days - weekday(days + 6), dayMilliseconds) }
        let date = civil(days)
        let month: Int64 =
            switch unit {
            case .year: 1
            case .quarter: (date.month - 1) / 3 * 3 + 1
            default: date.month
            }
        return scaled(daysFromCivil(date.year, month, 1), dayMilliseconds)
    }

    static func part(_ part: TimePart, of milliseconds: Int64) -> Int64 {
        let days = floorDivide(milliseconds, dayMilliseconds)
        let inDay = milliseconds &- days &* dayMilliseconds
        switch part {
        case .hour: return inDay / 3_600_000
        case .minute: return inDay / 60_000 % 60
        case .second: return inDay / 1000 % 60
        case .dayOfWeek: return weekday(days)
        case .year: return civil(days).year
        case .quarter: return (civil(days).month - 1) / 3 + 1
        case .month: return civil(days).month
        case .day: return civil(days).day
        case .dayOfYear: return days - daysFromCivil(civil(days).year, 1, 1) + 1
        case .week:
            // ISO 8601: the week belongs to the year of its Thursday.
            let thursday = days - weekday(days + 6) + 3
            return (thursday - daysFromCivil(civil(thursday).year, 1, 1)) / 7 + 1
        }
    }

    /// Sunday = 0; 1970-01-01 was a Thursday.
    private static func weekday(_ days: Int64) -> Int64 { days + 4 - floorDivide(days + 4, 7) * 7 }

    private static func scaled(_ count: Int64, _ size: Int64) -> Int64 {
        let (result, overflow) = count.multipliedReportingOverflow(by: size)
        return overflow ? Int64.min : result
    }
}
