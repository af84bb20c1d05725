/// A stable 128-bit hash of text parts. Source: FNV-1a, 128 bit (Fowler, Noll, Vo).
struct Fingerprint {
    private var state: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
    private static let prime: UInt128 = 0x0000_0000_0100_0000_0000_0000_0000_013b

    /// Adds a part; its end counts, so that ("ab", "c") differs from ("a", "bc").
    mutating func add(_ part: String) {
        for byte in part.utf8 { mix(byte) }
        mix(0xff)
    }

    /// 32 hexadecimal digits.
    var text: String {
        let digits = String(state, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }

    private mutating func mix(_ byte: UInt8) { state = (state ^ UInt128(byte)) &* Self.prime }
}
