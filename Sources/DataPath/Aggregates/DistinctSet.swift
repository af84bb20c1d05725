/// A set of (group, 128-bit hash) pairs: open addressing, linear probing, at most 5/8 full.
///
/// Positions are multiplied by an odd number drawn per set: reading one set in the order of its slots and adding to another
/// would otherwise pile up long runs there. Threads: one at a time. Cost: one or two cache lines a call.
final class DistinctSet {
    struct Slot: BitwiseCopyable {
        var low: UInt64
        var high: UInt64
        /// One more than the group; 0 marks an empty slot.
        var tag: UInt64

        var group: Int { Int(truncatingIfNeeded: tag) &- 1 }
        var hash: Hash128 { Hash128(low: low, high: high) }
    }

    private(set) var count = 0
    private(set) var slots: UnsafeMutablePointer<Slot>
    private(set) var slotCount = 64
    private var shift: UInt64 = 58
    private var limit = 40
    private let multiplier = UInt64.random(in: 0 ... .max) | 1

    init() {
        slots = .allocate(capacity: slotCount)
        slots.initialize(repeating: Slot(low: 0, high: 0, tag: 0), count: slotCount)
    }

    deinit { slots.deallocate() }

    var memoryBytes: Int { slotCount * MemoryLayout<Slot>.stride }

    /// Adds a pair; true when it is new.
    @inline(__always)
    func insert(group: Int, hash: Hash128) -> Bool {
        let tag = UInt64(truncatingIfNeeded: group) &+ 1
        var slot = position(hash.low, tag)
        while true {
            let found = slots + slot
            if found.pointee.tag == 0 { break }
            if found.pointee.low == hash.low, found.pointee.high == hash.high, found.pointee.tag == tag { return false }
            slot = (slot &+ 1) & (slotCount &- 1)
        }
        slots[slot] = Slot(low: hash.low, high: hash.high, tag: tag)
        count &+= 1
        if count > limit { grow(to: slotCount * 2) }
        return true
    }

    /// Makes room for `more` further pairs.
    func reserve(_ more: Int) {
        var size = slotCount
        while (count + more) * 8 > size * 5 { size *= 2 }
        if size > slotCount { grow(to: size) }
    }

    func removeAll() {
        if slotCount > 1 << 14 {
            slots.deallocate()
            (slotCount, shift, limit) = (64, 58, 40)
            slots = .allocate(capacity: slotCount)
        }
        count = 0
        slots.initialize(repeating: Slot(low: 0, high: 0, tag: 0), count: slotCount)
    }

    @inline(__always)
    private func position(_ low: UInt64, _ tag: UInt64) -> Int {
        Int(truncatingIfNeeded: ((low ^ tag &* 0x9E37_79B9_7F4A_7C15) &* multiplier) &>> shift)
    }

    @inline(never)
    private func grow(to size: Int) {
        let (old, oldCount) = (slots, slotCount)
        slots = .allocate(capacity: size)
        slots.initialize(repeating: Slot(low: 0, high: 0, tag: 0), count: size)
        slotCount = size
        shift = UInt64(64 - size.trailingZeroBitCount)
        limit = size / 8 * 5
        for index in 0..<oldCount where old[index].tag != 0 {
            var slot = position(old[index].low, old[index].tag)
            while slots[slot].tag != 0 { slot = (slot &+ 1) & (size &- 1) }
            slots[slot] = old[index]
        }
        old.deallocate()
    }
}
