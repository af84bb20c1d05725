/// Event ids for records that have none: the same file name, record number and bytes give the same id for ever.
///
/// Why the bytes too: two files piped through standard input have one name, and must not share ids. The hash folds
/// 64-bit words into two lanes by 128-bit products; it is not cryptographic. Two different records of 10^9 share an id
/// with a probability near 10^-19. Its constants must never change.
package struct RecordIdentity {
    private let fileLow: UInt64
    private let fileHigh: UInt64

    /// A leading `./` of the name does not count.
    package init(file: String) {
        var name = file.hasPrefix("./") ? String(file.dropFirst(2)) : file
        (fileLow, fileHigh) = name.withUTF8 {
            Self.hash(UnsafeRawBufferPointer($0), 0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F)
        }
    }

    /// Writes a UUID of version 8 (RFC 9562, section 5.8): 36 bytes.
    package func write(record: Int, bytes: UnsafeRawBufferPointer, to out: UnsafeMutablePointer<UInt8>) {
        let number = UInt64(truncatingIfNeeded: record)
        var (low, high) = Self.hash(
            bytes, Self.fold(fileLow ^ number, 0xE703_7ED1_A0B4_28DB),
            Self.fold(fileHigh &+ number, 0x8EBC_6AF0_9C88_C6E3))
        high = high & ~0xF000 | 0x8000
        low = low & ~(3 << 62) | 2 << 62
        var position = 0
        for word in [high, low] {
            for nibble in 0..<16 {
                if position == 8 || position == 13 || position == 18 || position == 23 {
                    out[position] = UInt8(ascii: "-")
                    position += 1
                }
                let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - nibble * 4)) & 15
                out[position] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
                position += 1
            }
        }
    }

    private static func hash(_ bytes: UnsafeRawBufferPointer, _ a: UInt64, _ b: UInt64) -> (low: UInt64, high: UInt64) {
        var low = a ^ UInt64(truncatingIfNeeded: bytes.count)
        var high = b &+ UInt64(truncatingIfNeeded: bytes.count)
        var index = 0
        while index < bytes.count {
            var word: UInt64 = 0
            if index + 8 <= bytes.count {
                word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            } else {
                for offset in index..<bytes.count { word |= UInt64(bytes[offset]) << UInt64((offset - index) * 8) }
            }
            low = fold(low ^ word, 0xE703_7ED1_A0B4_28DB)
            high = fold(high &+ word, 0x8EBC_6AF0_9C88_C6E3)
            index += 8
        }
        return (fold(low, 0x5899_65CC_7537_4CC3), fold(high, 0x1D8E_4E27_C47D_124F))
    }

    private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low ^ a
    }
}
