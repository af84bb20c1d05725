internal import DataPath

/// UUIDs as ClickHouse stores them: two 64-bit numbers, the first half's first, each little-endian.
enum UUIDBytes {
    /// Writes 16 bytes; false when the text is no UUID in the canonical form, and then what was written means nothing.
    static func write(_ text: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Bool {
        guard TextFormat.isUUID(text) else { return false }
        var halves: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for byte in text where byte != UInt8(ascii: "-") {
            // '0'…'9' end in 0…9; letters of either case in 1…6.
            let digit = UInt64(byte & 15) + (byte > UInt8(ascii: "9") ? 9 : 0)
            if digits < 16 { halves.0 = halves.0 << 4 | digit } else { halves.1 = halves.1 << 4 | digit }
            digits += 1
        }
        target.storeBytes(of: halves.0.littleEndian, as: UInt64.self)
        target.storeBytes(of: halves.1.littleEndian, toByteOffset: 8, as: UInt64.self)
        return true
    }
}
