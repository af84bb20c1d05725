internal import DataPath

/// A POSIX TZ rule such as `CET-1CEST,M3.5.0,M10.5.0/3`. Source: RFC 8536, section 3.3; POSIX.1-2017, section 8.3.
struct DaylightRule {
    private var standardOffset: Int
    private var daylight: (offset: Int, begins: Change, ends: Change)?

    /// A moment of the year, in local time before the change.
    private struct Change {
        enum Day {
            case monthWeekDay(month: Int, week: Int, day: Int)
            /// 1 to 365, 29 February never counted.
            case julian(Int)
            /// 0 to 365.
            case zeroBased(Int)
        }

        var day: Day
        var seconds: Int

        func localSeconds(_ year: Int) -> Int64 {
            let newYear = CivilDate(year: year, month: 1, day: 1).daysSinceEpoch
            let days: Int64
            switch day {
            case .julian(let number):
                days = newYear + Int64(number - 1) + (CivilDate.isLeap(year) && number >= 60 ? 1 : 0)
            case .zeroBased(let number): days = newYear + Int64(number)
            case .monthWeekDay(let month, let week, let day):
                let first = CivilDate(year: year, month: month, day: 1).daysSinceEpoch
                // 1970-01-01 was a Thursday, day 4.
                let firstWeekday = Int(((first + 4) % 7 + 7) % 7)
                var offset = (day - firstWeekday + 7) % 7 + (week - 1) * 7
                while offset >= CivilDate.days(inMonth: month, of: year) { offset -= 7 }
                days = first + Int64(offset)
            }
            return days * 86_400 + Int64(seconds)
        }
    }

    init?(_ text: String) {
        var rest = Substring(text)
        guard Self.name(&rest), let west = Self.time(&rest) else { return nil }
        standardOffset = -west
        if rest.isEmpty { return }
        guard Self.name(&rest) else { return nil }
        var offset = standardOffset + 3600
        if rest.first != "," {
            guard let read = Self.time(&rest) else { return nil }
            offset = -read
        }
        guard let begins = Self.change(&rest), let ends = Self.change(&rest), rest.isEmpty else { return nil }
        daylight = (offset, begins, ends)
    }

    func offset(at utcSeconds: Int64) -> Int {
        guard let daylight else { return standardOffset }
        let days = TextFormat.floorDivide(utcSeconds + Int64(standardOffset), by: 86_400)
        let year = CivilDate(daysSinceEpoch: days).year
        let begin = daylight.begins.localSeconds(year) - Int64(standardOffset)
        let end = daylight.ends.localSeconds(year) - Int64(daylight.offset)
        let isDaylight =
            begin < end
            ? utcSeconds >= begin && utcSeconds < end : utcSeconds >= begin || utcSeconds < end
        return isDaylight ? daylight.offset : standardOffset
    }

    private static func name(_ rest: inout Substring) -> Bool {
        if rest.first == "<" {
            guard let end = rest.firstIndex(of: ">") else { return false }
            rest = rest[rest.index(after: end)...]
            return true
        }
        let letters = rest.prefix { $0.isLetter }
        rest = rest.dropFirst(letters.count)
        return letters.count >= 3
    }

    private static func number(_ rest: inout Substring) -> Int? {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        return digits.count <= 4 ? Int(digits) : nil
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    private static func time(_ rest: inout Substring) -> Int? {
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest = rest.dropFirst() }
        guard var seconds = number(&rest).map({ $0 * 3600 }) else { return nil }
        for unit in [60, 1] where rest.first == ":" {
            rest = rest.dropFirst()
            guard let part = number(&rest) else { return nil }
            seconds += part * unit
        }
        return isNegative ? -seconds : seconds
    }

    private static func change(_ rest: inout Substring) -> Change? {
        guard rest.first == "," else { return nil }
        rest = rest.dropFirst()
        let day: Change.Day
        switch rest.first {
        case "M":
            rest = rest.dropFirst()
            guard let month = number(&rest), (1...12).contains(month), rest.first == "." else { return nil }
            rest = rest.dropFirst()
            guard let week = number(&rest), (1...5).contains(week), rest.first == "." else { return nil }
            rest = rest.dropFirst()
            guard let weekday = number(&rest), (0...6).contains(weekday) else { return nil }
            day = .monthWeekDay(month: month, week: week, day: weekday)
        case "J":
            rest = rest.dropFirst()
            guard let value = number(&rest), (1...365).contains(value) else { return nil }
            day = .julian(value)
        default:
            guard let value = number(&rest), (0...365).contains(value) else { return nil }
            day = .zeroBased(value)
        }
        var seconds = 7200
        if rest.first == "/" {
            rest = rest.dropFirst()
            guard let read = time(&rest) else { return nil }
            seconds = read
        }
        return Change(day: day, seconds: seconds)
    }
}
