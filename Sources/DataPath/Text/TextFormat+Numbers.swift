internal import CNative

extension TextFormat {
    /// The result of reading a decimal.
    public enum DecimalResult: Equatable, Sendable {
        case value(Int128)
        case notANumber
        /// It has more digits after the point than the scale, which are not zeros.
        case tooManyFractionDigits
        /// It has more digits than the precision.
        case outOfRange
    }

    /// Reads a decimal number (optional sign, digits, point, optional exponent), exactly, as an integer times
    /// 10^-scale. `precision` is 1 to 38, `scale` 0 to `precision`.
    public static func decimal(_ text: UnsafeRawBufferPointer, precision: Int, scale: Int) -> DecimalResult {
        var index = 0
        var isNegative = false
        if index < text.count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
            isNegative = text[index] == UInt8(ascii: "-")
            index += 1
        }
        var value: Int128 = 0
        // Digits after the last one that is not zero are held back, so that 1.5000 fits a scale of 1.
        var heldZeros = 0
        var significant = 0
        var digitCount = 0
        var pointAt: Int?
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "."), pointAt == nil {
                pointAt = digitCount
            } else {
                let digit = byte &- UInt8(ascii: "0")
                guard digit < 10 else { break }
                digitCount += 1
                if digit == 0 {
                    if significant > 0 { heldZeros += 1 }
                } else {
                    significant += heldZeros + 1
                    guard significant <= 38 else { return .outOfRange }
                    value = value * powerOfTen(heldZeros + 1) + Int128(digit)
                    heldZeros = 0
                }
            }
            index += 1
        }
        guard digitCount > 0 else { return .notANumber }
        var exponent = 0
        if index < text.count {
            guard text[index] | 0x20 == UInt8(ascii: "e") else { return .notANumber }
            let part = UnsafeRawBufferPointer(rebasing: text[(index + 1)...])
            guard let read = integer(part) else { return .notANumber }
            if value == 0 { return .value(0) }
            guard (-10_000...10_000).contains(read) else { return read < 0 ? .tooManyFractionDigits : .outOfRange }
            exponent = Int(read)
        }
        if value == 0 { return .value(0) }
        // value * 10^heldZeros is the run of digits; the point stands `digitCount - pointAt` digits from its end.
        let shift = heldZeros - (digitCount - (pointAt ?? digitCount)) + exponent + scale
        guard shift >= 0 else { return .tooManyFractionDigits }
        guard significant + shift <= precision else { return .outOfRange }
        let result = value * powerOfTen(shift)
        return .value(isNegative ? -result : result)
    }

    /// Appends `value` times 10^-scale with exactly `scale` digits after the point.
    public static func writeDecimal(_ value: Int128, scale: Int, to out: ByteBuffer) {
        if value < 0 { out.append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        // 39 digits and their point, from the end.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 48 + scale) { digits in
            var index = digits.count
            var written = 0
            while rest > 0 || written <= scale {
                if written == scale, scale > 0 {
                    index -= 1
                    digits[index] = UInt8(ascii: ".")
                }
                if rest <= UInt128(UInt64.max) {
                    // 64-bit division is many times faster.
                    let (quotient, remainder) = UInt64(truncatingIfNeeded: rest).quotientAndRemainder(dividingBy: 10)
                    rest = UInt128(quotient)
                    index -= 1
                    digits[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: remainder)
                } else {
                    let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10)
                    rest = quotient
                    index -= 1
                    digits[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: remainder)
                }
                written += 1
            }
            out.append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digits)[index...]))
        }
    }

    /// One of the three doubles that JSON has no number for, as our texts spell them: `NaN`, `Infinity`, `-Infinity`.
    public static func specialDouble(_ text: UnsafeRawBufferPointer) -> Double? {
        if text.elementsEqual("NaN".utf8) { return .nan }
        if text.elementsEqual("Infinity".utf8) { return .infinity }
        return text.elementsEqual("-Infinity".utf8) ? -.infinity : nil
    }

    /// Appends the shortest text that reads back as the same double: `0.1`, `100.0`, `1e+16`. NaN and infinities are
    /// `nan`, `inf`, `-inf`; writers of JSON do not get here with them.
    public static func writeDouble(_ value: Double, to out: ByteBuffer) {
        let magnitude = value.magnitude
        guard magnitude >= 1e-3 && magnitude < 1e15 || value == 0 && value.sign == .plus else {
            out.append(value.description)
            return
        }
        // Most values have few decimals: m / 10^4 with m below 10^15 reads back exactly (both are exact and division
        // rounds once), and no other decimal of at most 15 digits gives the same double, so it is the shortest.
        if magnitude < 1e11 {
            var scaled = Int64(value * 10_000 + (value < 0 ? -0.5 : 0.5))
            if Double(scaled) / 10_000 == value {
                var places = 4
                var unit: UInt64 = 10_000
                while places > 1, scaled % 10 == 0 {
                    scaled /= 10
                    unit /= 10
                    places -= 1
                }
                if value < 0 { out.append(UInt8(ascii: "-")) }
                writeInteger(Int64(scaled.magnitude / unit), to: out)
                out.append(UInt8(ascii: "."))
                writeDigits(Int(scaled.magnitude % unit), width: places, to: out)
                return
            }
        }
        out.reserve(32)
        let count = UnsafeMutableRawPointer(out.end).withMemoryRebound(to: CChar.self, capacity: 32) {
            cn_write_double(value, $0, 32)
        }
        // Swift's text of a whole number has a decimal.
        let isWhole = magnitude.rounded(.towardZero) == magnitude
        out.count += count
        if isWhole { out.append(".0") }
    }

    /// 10^exponent; `exponent` is 0 to 38.
    @inlinable
    public static func powerOfTen(_ exponent: Int) -> Int128 {
        var result: Int128 = 1
        var factor: Int128 = 10
        var rest = exponent
        while true {
            if rest & 1 == 1 { result *= factor }
            rest >>= 1
            if rest == 0 { return result }
            factor *= factor
        }
    }
}
