import Glibc

/// A group and the part of a value's keyed hash that tells values apart: 96 of its 128 bits.
///
/// Two words, so that a slot never lies on two cache lines. Two of n values of one group are taken for one with a chance of
/// about n² / 2^97 (n = 10^9: 10^-11); values of different groups are never mixed up, because the group is kept whole.
struct DistinctPair: BitwiseCopyable {
    /// The hash's upper word.
    var high: UInt64
    /// The lowest 32 bits of the hash, then 32 bits of one more than the group: 0 marks an empty slot.
    var low: UInt64

    @inline(__always)
    init(group: Int, hash: Hash128) {
        high = hash.high
        low = hash.low &<< 32 | UInt64(truncatingIfNeeded: group &+ 1)
    }

    init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    var group: Int { Int(truncatingIfNeeded: low & 0xFFFF_FFFF) &- 1 }

    @inline(__always)
    func moved(to group: Int32) -> DistinctPair {
        var pair = self
        pair.low = low & 0xFFFF_FFFF_0000_0000 | UInt64(truncatingIfNeeded: group &+ 1)
        return pair
    }

    /// All bits in one word. The upper word of a keyed hash is evenly spread already; the product spreads the groups.
    @inline(__always)
    var mixed: UInt64 { high &+ low &* 0x9E37_79B9_7F4A_7C15 }
}

/// Pairs in the order in which they came, some more than once. Threads: one at a time.
final class DistinctPairList {
    private(set) var pairs: UnsafeMutablePointer<DistinctPair>?
    private(set) var capacity = 0
    /// Pairs that are filled. Whoever writes through ``pairs`` sets it.
    var count = 0

    deinit { pairs?.deallocate() }

    /// Makes room for `more` further pairs and returns the place of the first.
    func reserve(_ more: Int) -> UnsafeMutablePointer<DistinctPair> {
        if let pairs, count + more <= capacity { return pairs + count }
        let larger = max(capacity * 2, count + more)
        let moved = UnsafeMutablePointer<DistinctPair>.allocate(capacity: larger)
        if let pairs { moved.update(from: pairs, count: count) }
        pairs?.deallocate()
        (pairs, capacity) = (moved, larger)
        return moved + count
    }

    /// Bytes that ``reserve(_:)`` would take at its peak, beyond what is there: old and new are there at once.
    func growthBytes(for more: Int) -> Int {
        count + more <= capacity ? 0 : max(capacity * 2, count + more) * MemoryLayout<DistinctPair>.stride
    }

    /// Forgets all; gives memory back when there was much of it.
    func removeAll() {
        count = 0
        guard capacity > 1 << 20 else { return }
        pairs?.deallocate()
        (pairs, capacity) = (nil, 0)
    }
}

/// Pairs that came lately: leaves most repetitions out before they are looked up in a set that is larger than the caches.
///
/// One place a pair, taken by the last that came. Threads: one at a time.
final class RecentPairs {
    private static let bits: UInt64 = 13
    private let places: UnsafeMutablePointer<DistinctPair>

    init() {
        places = .allocate(capacity: 1 << Self.bits)
        removeAll()
    }

    deinit { places.deallocate() }

    var memoryBytes: Int { MemoryLayout<DistinctPair>.stride << Self.bits }

    /// 1 when the pair is not among the recent ones, to which it then belongs; else 0. No branch: which of the two it is
    /// cannot be predicted.
    @inline(__always)
    func add(_ pair: DistinctPair) -> Int {
        let place = places + Int(truncatingIfNeeded: pair.mixed &>> (64 &- Self.bits))
        let difference = (place.pointee.high ^ pair.high) | (place.pointee.low ^ pair.low)
        place.pointee = pair
        return difference == 0 ? 0 : 1
    }

    func removeAll() { memset(places, 0, memoryBytes) }
}
