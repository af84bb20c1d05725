/// Decimals as Avro writes them: a big-endian two's complement integer.
package enum AvroDecimal {
    /// The integer; nil when it does not fit 128 bits. No bytes are zero.
    package static func read(_ bytes: UnsafeRawBufferPointer) -> Int128? {
        guard let first = bytes.first else { return 0 }
        let sign: UInt8 = first >= 0x80 ? 0xFF : 0
        var rest = bytes[...]
        while rest.count > 16 {
            guard rest.removeFirst() == sign else { return nil }
        }
        var value = UInt128(truncatingIfNeeded: Int128(sign == 0 ? 0 : -1))
        for byte in rest { value = value << 8 | UInt128(byte) }
        let result = Int128(truncatingIfNeeded: value)
        return (result < 0) == (sign != 0) ? result : nil
    }

    /// How many bytes the shortest form takes: 1…16.
    static func byteCount(_ value: Int128) -> Int {
        let magnitude = value < 0 ? ~value : value
        return (128 - magnitude.leadingZeroBitCount) / 8 + 1
    }

    /// Writes `count` bytes, sign-extended.
    static func write(_ value: Int128, count: Int, _ cursor: inout UnsafeMutablePointer<UInt8>) {
        for index in stride(from: count - 1, through: 0, by: -1) {
            cursor[0] = UInt8(truncatingIfNeeded: value >> Int128(min(index * 8, 127)))
            cursor += 1
        }
    }

    /// Writes the shortest form after its length. There must be room for 17 bytes.
    @inline(__always)
    static func writeShortest(_ value: Int128, _ cursor: inout UnsafeMutablePointer<UInt8>) {
        let count = byteCount(value)
        cursor[0] = UInt8(truncatingIfNeeded: count &<< 1)
        cursor += 1
        if count <= 8 {
            let bits = UInt64(truncatingIfNeeded: value) &<< UInt64(truncatingIfNeeded: 64 &- count &* 8)
            UnsafeMutableRawPointer(cursor).storeBytes(of: bits.bigEndian, as: UInt64.self)
            cursor += count
        } else {
            write(value, count: count, &cursor)
        }
    }

    /// 10^precision: every value of that precision is smaller in magnitude. Nil from 39 digits on, which 128 bits
    /// cannot exceed.
    package static func limit(precision: Int) -> Int128? {
        guard precision <= 38 else { return nil }
        return (0..<precision).reduce(1) { limit, _ in limit * 10 }
    }
}
