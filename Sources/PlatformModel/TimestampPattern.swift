package import DataPath
package import Diagnostics

/// A compiled strptime-like pattern.
///
/// Directives: `%Y %m %d %e %H %I %M %S %f %p %z %b %B %j %y %s %F %T %%`. Numbers may lack leading zeros where the next byte
/// is no digit; a blank stands for any run of blanks; `%y` 69–99 is 1969–1999 (POSIX).
package struct TimestampPattern: Sendable {
    private enum Step {
        case literal(UInt8)
        case blanks
        case field(UInt8)
    }

    private var steps: [Step] = []
    private static let known = Array("YmdeHIMSfpzbBjys".utf8)
    private static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ].map { Array($0.utf8) }

    /// Throws `SP3212`.
    package init(_ text: String) throws(DiagnosticsError) {
        let expanded = text.replacing("%F", with: "%Y-%m-%d").replacing("%T", with: "%H:%M:%S")
        var bytes = Array(expanded.utf8)[...]
        while let byte = bytes.popFirst() {
            if byte == UInt8(ascii: " ") {
                if case .blanks? = steps.last { continue }
                steps.append(.blanks)
            } else if byte != UInt8(ascii: "%") {
                steps.append(.literal(byte))
            } else if let directive = bytes.popFirst(), directive == byte || Self.known.contains(directive) {
                steps.append(directive == byte ? .literal(byte) : .field(directive))
            } else {
                throw Self.failure(text, "holds an unknown directive")
            }
        }
        let fields = Set(steps.compactMap { if case .field(let byte) = $0 { byte } else { nil } })
        func has(_ letters: String) -> Bool { letters.utf8.contains { fields.contains($0) } }
        if !has("s"), !(has("Yy") && (has("j") || has("mbB") && has("de"))) {
            throw Self.failure(text, "does not give year, month and day")
        }
    }

    private static func failure(_ text: String, _ what: String) -> DiagnosticsError {
        DiagnosticsError(
            Diagnostic(
                .invalidTimestampFormat, "the timestamp format '\(text)' \(what)",
                hint: "use %Y %m %d %H %M %S %f %z %b %j %y %s, or iso8601, epoch_s, epoch_ms, epoch_us"))
    }

    /// Nil when the text does not match wholly.
    package func read(_ text: UnsafeRawBufferPointer) -> TextFormat.LocalTimestamp? {
        var (year, month, day, hour, minute, second) = (1970, 1, 1, 0, 0, 0)
        var milliseconds = 0
        var dayOfYear: Int?
        var offset: Int?
        var epoch: Int64?
        var isAfternoon: Bool?
        var index = 0
        func number(_ most: Int, _ range: ClosedRange<Int>) -> Int? {
            var value = 0
            let start = index
            while index < text.count, index - start < most, text[index] &- UInt8(ascii: "0") < 10 {
                value = value * 10 + Int(text[index] &- UInt8(ascii: "0"))
                index += 1
            }
            return index > start && range.contains(value) ? value : nil
        }
        for step in steps {
            switch step {
            case .literal(let byte):
                guard index < text.count, text[index] == byte else { return nil }
                index += 1
            case .blanks:
                while index < text.count, text[index] == UInt8(ascii: " ") { index += 1 }
            case .field(let directive):
                switch directive {
                case UInt8(ascii: "Y"):
                    guard let value = number(4, 0...9999) else { return nil }
                    year = value
                case UInt8(ascii: "y"):
                    guard let value = number(2, 0...99) else { return nil }
                    year = value < 69 ? 2000 + value : 1900 + value
                case UInt8(ascii: "m"):
                    guard let value = number(2, 1...12) else { return nil }
                    month = value
                case UInt8(ascii: "b"), UInt8(ascii: "B"):
                    guard let value = Self.month(text, &index) else { return nil }
                    month = value
                case UInt8(ascii: "d"), UInt8(ascii: "e"):
                    if index < text.count, text[index] == UInt8(ascii: " ") { index += 1 }
                    guard let value = number(2, 1...31) else { return nil }
                    day = value
                case UInt8(ascii: "j"):
                    guard let value = number(3, 1...366) else { return nil }
                    dayOfYear = value
                case UInt8(ascii: "H"):
                    guard let value = number(2, 0...23) else { return nil }
                    hour = value
                case UInt8(ascii: "I"):
                    guard let value = number(2, 1...12) else { return nil }
                    hour = value % 12
                case UInt8(ascii: "p"):
                    guard index + 2 <= text.count, text[index + 1] | 0x20 == UInt8(ascii: "m"),
                        text[index] | 0x20 == UInt8(ascii: "a") || text[index] | 0x20 == UInt8(ascii: "p")
                    else { return nil }
                    isAfternoon = text[index] | 0x20 == UInt8(ascii: "p")
                    index += 2
                case UInt8(ascii: "M"):
                    guard let value = number(2, 0...59) else { return nil }
                    minute = value
                case UInt8(ascii: "S"):
                    guard let value = number(2, 0...60) else { return nil }
                    second = value
                case UInt8(ascii: "f"):
                    guard let value = TextFormat.milliseconds(fraction: text, at: index) else { return nil }
                    milliseconds = value.milliseconds
                    index = value.end
                case UInt8(ascii: "z"):
                    guard let value = TextFormat.zoneOffset(text, at: index) else { return nil }
                    offset = value.seconds
                    index = value.end
                default:
                    let start = index
                    if index < text.count, text[index] == UInt8(ascii: "-") { index += 1 }
                    while index < text.count, text[index] &- UInt8(ascii: "0") < 10 { index += 1 }
                    guard index - start < 15,
                        let value = TextFormat.integer(UnsafeRawBufferPointer(rebasing: text[start..<index]))
                    else { return nil }
                    epoch = value
                }
            }
        }
        guard index == text.count else { return nil }
        if let epoch { return .init(milliseconds: epoch * 1000 + Int64(milliseconds), offsetSeconds: 0) }
        if let isAfternoon { hour = hour % 12 + (isAfternoon ? 12 : 0) }
        var date = CivilDate(year: year, month: month, day: day)
        if let dayOfYear {
            guard dayOfYear <= (CivilDate.isLeap(year) ? 366 : 365) else { return nil }
            let newYear = CivilDate(year: year, month: 1, day: 1).daysSinceEpoch
            date = CivilDate(daysSinceEpoch: newYear + Int64(dayOfYear - 1))
        }
        guard date.isValid else { return nil }
        let time = Int64((hour * 60 + minute) * 60 + second)
        return .init(
            milliseconds: (date.daysSinceEpoch * 86_400 + time) * 1000 + Int64(milliseconds), offsetSeconds: offset)
    }

    /// An English month, whole or its first three letters, in any case.
    private static func month(_ text: UnsafeRawBufferPointer, _ index: inout Int) -> Int? {
        func matches(_ name: ArraySlice<UInt8>) -> Bool {
            index + name.count <= text.count && zip(text[index...], name).allSatisfy { $0 | 0x20 == $1 }
        }
        for (number, name) in months.enumerated() where matches(name[..<3]) {
            index += matches(name[...]) ? name.count : 3
            return number + 1
        }
        return nil
    }
}
