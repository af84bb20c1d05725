/// Values as text and back, on bytes. Writers append to a ``ByteBuffer``; readers take a slice and give nil for anything
/// that is not wholly a value.
public enum TextFormat {
    /// Appends a whole number.
    public static func writeInteger(_ value: Int64, to out: ByteBuffer) {
        out.reserve(20)
        var rest = value.magnitude
        if value < 0 {
            out.bytes[out.count] = UInt8(ascii: "-")
            out.count &+= 1
        }
        var length = 1
        var bound: UInt64 = 10
        while length < 20, rest >= bound {
            length &+= 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            if overflow { break }
            bound = next
        }
        let end = out.end
        var index = length
        while index > 0 {
            index &-= 1
            end[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        out.count &+= length
    }

    /// A whole number with an optional sign, no blanks; nil when it is not one or does not fit.
    public static func integer(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard let base = text.baseAddress else { return nil }
        var index = 0
        let isNegative = text[0] == UInt8(ascii: "-")
        if isNegative || text[0] == UInt8(ascii: "+") { index = 1 }
        guard index < text.count else { return nil }
        var value: Int64 = 0
        // Up to 18 digits cannot overflow.
        let safeEnd = min(text.count, index + 18)
        while index < safeEnd {
            let digit = base.load(fromByteOffset: index, as: UInt8.self) &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int64(digit)
            index &+= 1
        }
        if isNegative { value = -value }
        while index < text.count {
            let digit = base.load(fromByteOffset: index, as: UInt8.self) &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowed) =
                isNegative
                ? product.subtractingReportingOverflow(Int64(digit)) : product.addingReportingOverflow(Int64(digit))
            if overflow || overflowed { return nil }
            value = sum
            index &+= 1
        }
        return value
    }

    /// Appends `value` as `width` digits, zeros in front; `value` has at most so many digits.
    @inline(__always)
    static func writeDigits(_ value: Int, width: Int, to out: ByteBuffer) {
        out.reserve(width)
        let end = out.end
        var rest = value
        var index = width
        while index > 0 {
            index &-= 1
            end[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        out.count &+= width
    }

    /// `count` digits at `index`, as a number; nil when there is another byte or the text ends.
    @inline(__always)
    static func digits(_ text: UnsafeRawBufferPointer, at index: Int, count: Int) -> Int? {
        guard index &+ count <= text.count else { return nil }
        var value = 0
        for offset in 0..<count {
            let digit = text[index &+ offset] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int(digit)
        }
        return value
    }

    /// Whether the text is a UUID in the canonical 8-4-4-4-12 form, digits of either case.
    public static func isUUID(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count == 36 else { return false }
        for index in 0..<36 {
            let byte = text[index]
            if index == 8 || index == 13 || index == 18 || index == 23 {
                if byte != UInt8(ascii: "-") { return false }
            } else if byte &- UInt8(ascii: "0") >= 10, (byte | 0x20) &- UInt8(ascii: "a") >= 6 {
                return false
            }
        }
        return true
    }
}
