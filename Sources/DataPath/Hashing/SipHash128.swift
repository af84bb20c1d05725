/// A keyed 128-bit hash of a byte string: SipHash-1-3 with the 128-bit output, stable between releases and machines.
///
/// Used for exact-by-hash distinct counts and group keys. With a secret key, inputs that collide cannot be found on
/// purpose; among n values the chance of any collision is about n² / 2^129.
/// Source: Aumasson and Bernstein, "SipHash: a fast
/// short-input PRF", and the authors' reference code for the 128-bit output.
@inlinable
public func sipHash128(_ bytes: UnsafeRawBufferPointer, key: HashKey) -> Hash128 {
    sipHash128(bytes, key: key, compressionRounds: 1, finalizationRounds: 3)
}

/// The hash of one 64-bit word: the same as that of its eight bytes, little end first.
@inlinable
public func sipHash128(_ word: UInt64, key: HashKey) -> Hash128 {
    var state = SipState128(key: key)
    state.absorb(word, rounds: 1)
    return state.finish(8 << 56, compressionRounds: 1, finalizationRounds: 3)
}

/// The hash of two 64-bit words: the same as that of their sixteen bytes, little end first, `low` first.
@inlinable
public func sipHash128(low: UInt64, high: UInt64, key: HashKey) -> Hash128 {
    var state = SipState128(key: key)
    state.absorb(low, rounds: 1)
    state.absorb(high, rounds: 1)
    return state.finish(16 << 56, compressionRounds: 1, finalizationRounds: 3)
}

/// SipHash-c-d with the 128-bit output; the published test vectors are those of c = 2, d = 4.
@inlinable @inline(__always)
public func sipHash128(
    _ bytes: UnsafeRawBufferPointer, key: HashKey, compressionRounds: Int, finalizationRounds: Int
) -> Hash128 {
    var state = SipState128(key: key)
    // The length's low byte is the top byte of the last word.
    let lengthByte = UInt64(truncatingIfNeeded: bytes.count) << 56
    guard var cursor = bytes.baseAddress else {
        return state.finish(
            lengthByte, compressionRounds: compressionRounds, finalizationRounds: finalizationRounds)
    }
    var rest = bytes.count
    while rest >= 8 {
        state.absorb(UInt64(littleEndian: cursor.loadUnaligned(as: UInt64.self)), rounds: compressionRounds)
        cursor += 8
        rest &-= 8
    }
    return state.finish(
        lengthByte | littleEndianTail(cursor, rest), compressionRounds: compressionRounds,
        finalizationRounds: finalizationRounds)
}

/// The `count` (0…7) bytes at `start` as a little-endian word, read without a loop and never past the end.
@inlinable @inline(__always)
func littleEndianTail(_ start: UnsafeRawPointer, _ count: Int) -> UInt64 {
    if count >= 4 {
        let low = UInt64(UInt32(littleEndian: start.loadUnaligned(as: UInt32.self)))
        let last = UInt64(UInt32(littleEndian: (start + (count &- 4)).loadUnaligned(as: UInt32.self)))
        // `last` overlaps `low`; the shift drops what is there already.
        return low | (last &>> UInt64(truncatingIfNeeded: (8 &- count) &* 8)) &<< 32
    }
    guard count > 0 else { return 0 }
    let middle = count / 2
    let end = count &- 1
    return UInt64(start.load(as: UInt8.self))
        | UInt64((start + middle).load(as: UInt8.self)) &<< UInt64(truncatingIfNeeded: middle &* 8)
        | UInt64((start + end).load(as: UInt8.self)) &<< UInt64(truncatingIfNeeded: end &* 8)
}

/// SipHash's four state words.
@usableFromInline
struct SipState128 {
    @usableFromInline var v0: UInt64
    @usableFromInline var v1: UInt64
    @usableFromInline var v2: UInt64
    @usableFromInline var v3: UInt64

    @inlinable @inline(__always)
    init(key: HashKey) {
        v0 = 0x736F_6D65_7073_6575 ^ key.k0
        v1 = 0x646F_7261_6E64_6F6D ^ key.k1 ^ 0xEE
        v2 = 0x6C79_6765_6E65_7261 ^ key.k0
        v3 = 0x7465_6462_7974_6573 ^ key.k1
    }

    @inlinable @inline(__always)
    mutating func absorb(_ word: UInt64, rounds: Int) {
        v3 ^= word
        for _ in 0..<rounds { round() }
        v0 ^= word
    }

    @inlinable @inline(__always)
    mutating func finish(_ lastWord: UInt64, compressionRounds: Int, finalizationRounds: Int) -> Hash128 {
        absorb(lastWord, rounds: compressionRounds)
        v2 ^= 0xEE
        for _ in 0..<finalizationRounds { round() }
        let low = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xDD
        for _ in 0..<finalizationRounds { round() }
        return Hash128(low: low, high: v0 ^ v1 ^ v2 ^ v3)
    }

    @inlinable @inline(__always)
    mutating func round() {
        v0 &+= v1
        v1 = v1 &<< 13 | v1 &>> 51
        v1 ^= v0
        v0 = v0 &<< 32 | v0 &>> 32
        v2 &+= v3
        v3 = v3 &<< 16 | v3 &>> 48
        v3 ^= v2
        v0 &+= v3
        v3 = v3 &<< 21 | v3 &>> 43
        v3 ^= v0
        v2 &+= v1
        v1 = v1 &<< 17 | v1 &>> 47
        v1 ^= v2
        v2 = v2 &<< 32 | v2 &>> 32
    }
}
