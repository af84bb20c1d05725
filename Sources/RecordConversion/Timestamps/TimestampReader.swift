internal import CSIMDJSON
package import DataPath
package import Diagnostics
internal import PlatformModel

/// Cells to milliseconds since the epoch, by the format and zone of the ingest.
package struct TimestampReader {
    enum Format {
        /// ISO 8601 text; numbers are milliseconds.
        case automatic
        case iso8601
        /// Units of a second.
        case epoch(perSecond: Int64)
        case pattern(TimestampPattern)
    }

    /// Years 0 to 9999.
    static let range: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

    private let format: Format
    private let zone: TimeZoneRules

    /// Throws `SP3211` for an unknown zone, `SP3212` for a bad pattern.
    package init(format: String?, timezone: String) throws(DiagnosticsError) {
        zone = try TimeZoneRules(name: timezone)
        switch format {
        case nil: self.format = .automatic
        case "iso8601": self.format = .iso8601
        case "epoch_s": self.format = .epoch(perSecond: 1)
        case "epoch_ms": self.format = .epoch(perSecond: 1000)
        case "epoch_us": self.format = .epoch(perSecond: 1_000_000)
        case let pattern?: self.format = .pattern(try TimestampPattern(pattern))
        }
    }

    /// Whether a whole number is milliseconds as it is.
    var takesMilliseconds: Bool {
        switch format {
        case .automatic, .epoch(perSecond: 1000): true
        default: false
        }
    }

    /// What a cell says.
    enum Reading {
        case milliseconds(Int64)
        /// It is not of the format.
        case unreadable
        /// Its year is not one of ``range``.
        case outOfRange
    }

    func read(_ text: UnsafeRawBufferPointer, isNumber: Bool) -> Reading {
        switch format {
        case .automatic:
            if let value = TextFormat.integer(text) { return Self.checked(value) }
            return isNumber ? .unreadable : readISO(text)
        case .iso8601: return isNumber ? .unreadable : readISO(text)
        case .epoch(let perSecond): return epochMilliseconds(text, perSecond: perSecond)
        case .pattern(let pattern):
            guard let read = pattern.read(text) else { return .unreadable }
            return Self.checked(utc(read))
        }
    }

    /// An instant that the file's own types mark as one: no format applies.
    static func checked(_ milliseconds: Int64) -> Reading {
        range.contains(milliseconds) ? .milliseconds(milliseconds) : .outOfRange
    }

    /// ISO 8601, whatever the format is.
    func readISO(_ text: UnsafeRawBufferPointer) -> Reading {
        guard let local = TextFormat.localTimestamp(text) else { return .unreadable }
        return Self.checked(utc(local))
    }

    private func utc(_ local: TextFormat.LocalTimestamp) -> Int64 {
        if let offset = local.offsetSeconds { return local.milliseconds - Int64(offset) * 1000 }
        return zone.utcMilliseconds(local: local.milliseconds)
    }

    private func epochMilliseconds(_ text: UnsafeRawBufferPointer, perSecond: Int64) -> Reading {
        if let value = TextFormat.integer(text) {
            if perSecond > 1000 { return Self.checked(TextFormat.floorDivide(value, by: perSecond / 1000)) }
            let (product, overflow) = value.multipliedReportingOverflow(by: 1000 / perSecond)
            return overflow ? .outOfRange : Self.checked(product)
        }
        // Fractions are exact to a nanosecond of the unit, then cut to milliseconds.
        switch TextFormat.decimal(text, precision: 38, scale: 9) {
        case .value(let value):
            let scaled = value.multipliedReportingOverflow(by: 1000)
            guard !scaled.overflow else { return .outOfRange }
            let divisor = Int128(perSecond) * 1_000_000_000
            let (quotient, remainder) = scaled.partialValue.quotientAndRemainder(dividingBy: divisor)
            let floored = remainder < 0 ? quotient - 1 : quotient
            return Int64(exactly: floored).map(Self.checked) ?? .outOfRange
        case .outOfRange: return .outOfRange
        case .notANumber, .tooManyFractionDigits: return .unreadable
        }
    }
}

extension TextFormat {
    /// The quotient rounded towards negative infinity; the divisor is positive.
    package static func floorDivide(_ value: Int64, by divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }
}
