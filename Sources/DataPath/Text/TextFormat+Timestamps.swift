extension TextFormat {
    /// How a timestamp is written.
    public enum TimestampStyle: Sendable {
        /// `2026-11-21T13:45:30.123Z`
        case iso8601
        /// `2026-11-21 13:45:30.123`: UTC, fixed width, so that its order as text is its order in time.
        case sqlite
    }

    /// Appends a timestamp; `milliseconds` since the epoch. Years outside 0 … 9999 get a sign and as many digits as needed.
    public static func writeTimestamp(
        _ milliseconds: Int64, style: TimestampStyle = .iso8601, to out: ByteBuffer
    ) {
        let (days, rest) = floorDivided(milliseconds, by: 86_400_000)
        writeDate(days, to: out)
        out.append(style == .iso8601 ? UInt8(ascii: "T") : UInt8(ascii: " "))
        let seconds = Int(rest / 1000)
        writeDigits(seconds / 3600, width: 2, to: out)
        out.append(UInt8(ascii: ":"))
        writeDigits(seconds / 60 % 60, width: 2, to: out)
        out.append(UInt8(ascii: ":"))
        writeDigits(seconds % 60, width: 2, to: out)
        out.append(UInt8(ascii: "."))
        writeDigits(Int(rest % 1000), width: 3, to: out)
        if style == .iso8601 { out.append(UInt8(ascii: "Z")) }
    }

    /// Appends `YYYY-MM-DD`; `days` since 1970-01-01.
    public static func writeDate(_ days: Int64, to out: ByteBuffer) {
        let date = CivilDate(daysSinceEpoch: days)
        if (0...9999).contains(date.year) {
            writeDigits(date.year, width: 4, to: out)
        } else {
            out.append(date.year < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
            let magnitude = Int64(date.year).magnitude
            if magnitude < 1000 {
                writeDigits(Int(magnitude), width: 4, to: out)
            } else {
                writeInteger(Int64(magnitude), to: out)
            }
        }
        out.append(UInt8(ascii: "-"))
        writeDigits(date.month, width: 2, to: out)
        out.append(UInt8(ascii: "-"))
        writeDigits(date.day, width: 2, to: out)
    }

    /// A timestamp as text, for messages and tests.
    public static func timestamp(_ milliseconds: Int64, style: TimestampStyle = .iso8601) -> String {
        let out = ByteBuffer(capacity: 64)
        writeTimestamp(milliseconds, style: style, to: out)
        return out.string
    }

    /// Days since 1970-01-01 of `YYYY-MM-DD`; nil when it is not a date.
    public static func date(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard text.count == 10 else { return nil }
        return datePart(text)
    }

    /// An ISO 8601 date and time as it is written.
    public struct LocalTimestamp: Hashable, Sendable {
        /// Milliseconds since the epoch, as if the text were UTC. Further fraction digits are cut.
        public var milliseconds: Int64
        /// Seconds east of UTC when the text says so; nil when it has no zone.
        public var offsetSeconds: Int?

        public init(milliseconds: Int64, offsetSeconds: Int?) {
            self.milliseconds = milliseconds
            self.offsetSeconds = offsetSeconds
        }
    }

    /// Reads `YYYY-MM-DD`, then optionally `T` or a blank, `hh:mm`, `:ss`, `.fff…`, and a zone (`Z`, `+hh`, `+hhmm`,
    /// `+hh:mm`). Second 60 counts as the next minute's first. Nil when the text is anything else.
    public static func localTimestamp(_ text: UnsafeRawBufferPointer) -> LocalTimestamp? {
        guard text.count >= 10, let days = datePart(text) else { return nil }
        let dayMilliseconds = days * 86_400_000
        if text.count == 10 { return LocalTimestamp(milliseconds: dayMilliseconds, offsetSeconds: nil) }
        guard text[10] == UInt8(ascii: "T") || text[10] == UInt8(ascii: "t") || text[10] == UInt8(ascii: " "),
            text.count >= 16, text[13] == UInt8(ascii: ":"),
            let hour = digits(text, at: 11, count: 2), let minute = digits(text, at: 14, count: 2),
            hour < 24, minute < 60
        else { return nil }
        var index = 16
        var second = 0
        var fraction = 0
        if index < text.count, text[index] == UInt8(ascii: ":") {
            guard let value = digits(text, at: index + 1, count: 2), value <= 60 else { return nil }
            second = value
            index += 3
            if index < text.count, text[index] == UInt8(ascii: ".") || text[index] == UInt8(ascii: ",") {
                guard let read = milliseconds(fraction: text, at: index + 1) else { return nil }
                fraction = read.milliseconds
                index = read.end
            }
        }
        let time = Int64((hour * 60 + minute) * 60 + second) * 1000 + Int64(fraction)
        if index == text.count { return LocalTimestamp(milliseconds: dayMilliseconds + time, offsetSeconds: nil) }
        if text[index] == UInt8(ascii: " ") { index += 1 }
        guard let offset = zoneOffset(text, at: index), offset.end == text.count else { return nil }
        return LocalTimestamp(milliseconds: dayMilliseconds + time, offsetSeconds: offset.seconds)
    }

    /// A zone at `index`: `Z`, `+hh`, `+hhmm` or `+hh:mm`; where it ends, and seconds east of UTC.
    public static func zoneOffset(_ text: UnsafeRawBufferPointer, at index: Int) -> (seconds: Int, end: Int)? {
        guard index < text.count else { return nil }
        if text[index] | 0x20 == UInt8(ascii: "z") { return (0, index + 1) }
        guard text[index] == UInt8(ascii: "+") || text[index] == UInt8(ascii: "-"),
            let hours = digits(text, at: index + 1, count: 2), hours < 24
        else { return nil }
        var end = index + 3
        var minutes = 0
        let colon = end < text.count && text[end] == UInt8(ascii: ":") ? 1 : 0
        if let value = digits(text, at: end + colon, count: 2), value < 60 {
            minutes = value
            end += colon + 2
        } else if colon == 1 {
            return nil
        }
        let seconds = (hours * 60 + minutes) * 60
        return (text[index] == UInt8(ascii: "-") ? -seconds : seconds, end)
    }

    /// The digits of a second's fraction at `index` (at least one), cut to milliseconds.
    public static func milliseconds(
        fraction text: UnsafeRawBufferPointer, at index: Int
    ) -> (milliseconds: Int, end: Int)? {
        var value = 0
        var cursor = index
        while cursor < text.count {
            let digit = text[cursor] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            if cursor - index < 3 { value = value * 10 + Int(digit) }
            cursor += 1
        }
        switch cursor - index {
        case 0: return nil
        case 1: return (value * 100, cursor)
        case 2: return (value * 10, cursor)
        default: return (value, cursor)
        }
    }

    @inline(__always)
    private static func datePart(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            let year = digits(text, at: 0, count: 4), let month = digits(text, at: 5, count: 2),
            let day = digits(text, at: 8, count: 2)
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        return date.isValid ? date.daysSinceEpoch : nil
    }

    @inline(__always)
    static func floorDivided(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
