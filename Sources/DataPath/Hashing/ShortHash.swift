/// A fast seeded 64-bit hash for in-memory tables. Not stable between releases: never store it.
///
/// Multiply-and-fold over 8-byte words (the mixing step of wyhash). Cost: about 1 ns plus 0.5 ns a word.
@inlinable
public func shortHash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    var hash = seed ^ 0x9E37_79B9_7F4A_7C15 &* UInt64(truncatingIfNeeded: bytes.count &+ 1)
    guard let base = bytes.baseAddress else { return mix(hash, 0xE703_7ED1_A0B4_28DB) }
    var rest = bytes.count
    var cursor = base
    while rest >= 8 {
        hash = mix(hash ^ cursor.loadUnaligned(as: UInt64.self), 0xE703_7ED1_A0B4_28DB)
        cursor += 8
        rest &-= 8
    }
    if rest > 0 {
        var tail: UInt64 = 0
        if rest >= 4 {
            tail = UInt64(cursor.loadUnaligned(as: UInt32.self)) << 32
            tail |= UInt64((cursor + rest - 4).loadUnaligned(as: UInt32.self))
        } else {
            tail = UInt64(cursor.load(as: UInt8.self)) << 16
            tail |= UInt64((cursor + rest / 2).load(as: UInt8.self)) << 8
            tail |= UInt64((cursor + rest - 1).load(as: UInt8.self))
        }
        hash = mix(hash ^ tail, 0x8EBC_6AF0_9C88_C6E3)
    }
    return mix(hash, 0x5899_65CC_7537_4CC3)
}

/// The 128-bit product of two words, folded.
@inlinable
public func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b | 1)
    return product.high ^ product.low ^ a
}

/// Whether two runs of `count` bytes are equal; `count` is at least 1.
@inlinable
func equalBytes(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Bool {
    var offset = 0
    while offset &+ 8 <= count {
        if (a + offset).loadUnaligned(as: UInt64.self) != (b + offset).loadUnaligned(as: UInt64.self) { return false }
        offset &+= 8
    }
    if offset &+ 4 <= count {
        if (a + offset).loadUnaligned(as: UInt32.self) != (b + offset).loadUnaligned(as: UInt32.self) { return false }
        offset &+= 4
    }
    while offset < count {
        if (a + offset).load(as: UInt8.self) != (b + offset).load(as: UInt8.self) { return false }
        offset &+= 1
    }
    return true
}
