/// Avro's zigzag variable-length integers.
package enum AvroVarint {
    /// The longest: ten bytes for 64 bits.
    package static let longest = 10

    /// Reads an integer and moves `cursor` past it; nil (cursor unspecified) if the bytes end or it exceeds 64 bits.
    @inline(__always)
    package static func read(_ cursor: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Int64? {
        guard cursor < end else { return nil }
        let first = cursor[0]
        cursor += 1
        if first < 0x80 { return unzigzag(UInt64(first)) }
        return readRest(UInt64(first & 0x7F), &cursor, end)
    }

    private static func readRest(
        _ first: UInt64, _ cursor: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> Int64? {
        var value = first
        var shift: UInt64 = 7
        while cursor < end {
            let byte = cursor[0]
            cursor += 1
            // The tenth byte holds the 64th bit only.
            if shift == 63, byte > 1 { return nil }
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return unzigzag(value) }
            shift += 7
        }
        return nil
    }

    @inline(__always)
    private static func unzigzag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value &>> 1) ^ (0 &- Int64(bitPattern: value & 1))
    }

    /// How many bytes ``write(_:_:)`` takes: 1…10.
    static func length(_ value: Int64) -> Int {
        let zigzag = UInt64(bitPattern: value &<< 1 ^ value &>> 63)
        return max(64 - zigzag.leadingZeroBitCount + 6, 7) / 7
    }

    /// Writes an integer, at most ``longest`` bytes, and moves `cursor` past it.
    @inline(__always)
    package static func write(_ value: Int64, _ cursor: inout UnsafeMutablePointer<UInt8>) {
        var rest = UInt64(bitPattern: value &<< 1 ^ value &>> 63)
        while rest >= 0x80 {
            cursor[0] = UInt8(truncatingIfNeeded: rest) | 0x80
            cursor += 1
            rest &>>= 7
        }
        cursor[0] = UInt8(truncatingIfNeeded: rest)
        cursor += 1
    }
}
