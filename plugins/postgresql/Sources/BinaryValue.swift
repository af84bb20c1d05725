internal import DataPath
internal import Glibc

/// Values as PostgreSQL's binary protocol wants them, each after its length. Source: the `…_recv` functions of
/// `src/backend/utils/adt` in the server. There must be room for ``longest`` bytes at the cursor.
enum BinaryValue {
    typealias Cursor = UnsafeMutablePointer<UInt8>

    /// Length and value of the longest one of bounded size: a numeric of 38 digits.
    static let longest = 4 + 8 + 2 * 12

    @inline(__always)
    static func put<Value: FixedWidthInteger>(_ value: Value, _ cursor: inout Cursor) {
        UnsafeMutableRawPointer(cursor).storeBytes(of: value.bigEndian, as: Value.self)
        cursor += MemoryLayout<Value>.size
    }

    @inline(__always)
    static func putNull(_ cursor: inout Cursor) { put(Int32(-1), &cursor) }

    @inline(__always)
    static func putSized<Value: FixedWidthInteger>(_ value: Value, _ cursor: inout Cursor) {
        put(Int32(MemoryLayout<Value>.size), &cursor)
        put(value, &cursor)
    }

    @inline(__always)
    static func put(boolean value: Bool, _ cursor: inout Cursor) { putSized(UInt8(value ? 1 : 0), &cursor) }

    @inline(__always)
    static func put(double value: Double, _ cursor: inout Cursor) { putSized(value.bitPattern, &cursor) }

    @inline(__always)
    static func put(float value: Float, _ cursor: inout Cursor) { putSized(value.bitPattern, &cursor) }

    /// Days since 1970 as days since 2000. False outside 4713 BC to 5874897 AD, as the ends of 32 bits are infinities.
    @inline(__always)
    static func put(date days: Int64, _ cursor: inout Cursor) -> Bool {
        guard days >= -2_440_588, days < 2_145_042_906 else { return false }
        putSized(Int32(truncatingIfNeeded: days - 10_957), &cursor)
        return true
    }

    /// Milliseconds since 1970 as microseconds since 2000. False outside 4713 BC to 294276 AD.
    @inline(__always)
    static func put(timestamp milliseconds: Int64, _ cursor: inout Cursor) -> Bool {
        guard milliseconds >= -210_866_803_200_000, milliseconds < 9_224_318_016_000_000 else { return false }
        putSized((milliseconds - 946_684_800_000) * 1000, &cursor)
        return true
    }

    /// `unscaled` times 10^-scale: digits of base 10,000 around the decimal point, without zeros at either end.
    static func put(numeric unscaled: Int128, scale: Int, _ cursor: inout Cursor) {
        var rest = unscaled.magnitude
        // Least significant first; 38 digits are at most ten and, with the point inside a group, eleven.
        withUnsafeTemporaryAllocation(of: Int16.self, capacity: 12) { groups in
            var count = 0
            // Digits that do not fill the last group behind the point.
            let power: Int16 = scale % 4 == 0 ? 1 : scale % 4 == 1 ? 10 : scale % 4 == 2 ? 100 : 1000
            if power > 1 {
                let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: UInt128(power))
                groups[0] = Int16(truncatingIfNeeded: remainder) * (10_000 / power)
                rest = quotient
                count = 1
            }
            while rest > UInt128(UInt64.max) {
                let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10_000)
                groups[count] = Int16(truncatingIfNeeded: remainder)
                rest = quotient
                count += 1
            }
            var low = UInt64(truncatingIfNeeded: rest)
            while low > 0 {
                groups[count] = Int16(truncatingIfNeeded: low % 10_000)
                low /= 10_000
                count += 1
            }
            let fractionGroups = (scale + 3) / 4
            var first = 0
            while first < count, groups[first] == 0 { first += 1 }
            while count > first, groups[count - 1] == 0 { count -= 1 }
            let digits = count - first
            put(Int32(truncatingIfNeeded: 8 + 2 * digits), &cursor)
            put(Int16(truncatingIfNeeded: digits), &cursor)
            put(digits == 0 ? 0 : Int16(truncatingIfNeeded: count - 1 - fractionGroups), &cursor)
            put(unscaled < 0 ? Int16(0x4000) : 0, &cursor)
            put(Int16(truncatingIfNeeded: scale), &cursor)
            for index in stride(from: count - 1, through: first, by: -1) { put(groups[index], &cursor) }
        }
    }

    /// A UUID in its canonical text form, upper or lower case; false for other text.
    static func put(uuid text: UnsafeRawBufferPointer, _ cursor: inout Cursor) -> Bool {
        guard TextFormat.isUUID(text) else { return false }
        put(Int32(16), &cursor)
        var high: UInt8?
        for byte in text where byte != UInt8(ascii: "-") {
            let digit = byte < UInt8(ascii: "A") ? byte &- UInt8(ascii: "0") : (byte | 0x20) &- UInt8(ascii: "a") &+ 10
            if let first = high {
                cursor[0] = first << 4 | digit
                cursor += 1
                high = nil
            } else {
                high = digit
            }
        }
        return true
    }
}
