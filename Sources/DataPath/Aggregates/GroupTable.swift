/// Dense numbers for fixed-width group keys: the first distinct key is group 0, the next 1, ….
///
/// An open-addressing table seeded per instance. A slot holds 32 hash bits and the group, so that most misses end there.
/// Threads: one at a time.
final class GroupTable {
    let wordCount: Int
    private(set) var count = 0
    private(set) var keys: UnsafeMutablePointer<UInt64>
    private var capacity = 64
    private var slots: UnsafeMutablePointer<UInt64>
    private var mask = 255
    private let seed = UInt64.random(in: 0 ... .max)
    /// What the fetching of slots and keys ahead read, kept so that it is not optimised away.
    private var fetched: UInt64 = 0

    private static let empty = UInt64.max
    private static let blockSize = 32
    /// Tables up to here stay in the first-level caches.
    private static let cachedMask = 1 << 12

    init(wordCount: Int) {
        self.wordCount = wordCount
        keys = .allocate(capacity: capacity * wordCount)
        keys.initialize(repeating: 0, count: wordCount)
        slots = .allocate(capacity: mask + 1)
        slots.initialize(repeating: Self.empty, count: mask + 1)
    }

    deinit {
        keys.deallocate()
        slots.deallocate()
    }

    var memoryBytes: Int { capacity * wordCount * 8 + (mask + 1) * 8 }

    /// Writes the group of each of the `keyCount` keys of ``wordCount`` words to `groups`; new keys are added.
    func find(_ sought: UnsafePointer<UInt64>, count keyCount: Int, into groups: UnsafeMutablePointer<Int32>) {
        switch wordCount {
        case 1: find(sought, keyCount, groups, words: 1)
        case 2: find(sought, keyCount, groups, words: 2)
        default: find(sought, keyCount, groups, words: wordCount)
        }
    }

    /// Inlined once per constant `words`, so that the loops over words vanish.
    @inline(__always)
    private func find(
        _ sought: UnsafePointer<UInt64>, _ keyCount: Int, _ groups: UnsafeMutablePointer<Int32>, words: Int
    ) {
        for index in 0..<keyCount {
            if index & (Self.blockSize &- 1) == 0, mask > Self.cachedMask {
                fetch(sought + index &* words, min(Self.blockSize, keyCount &- index), words: words)
            }
            let key = sought + index &* words
            let hash = hash(key, words: words)
            let tag = hash & 0xFFFF_FFFF_0000_0000
            var slot = Int(truncatingIfNeeded: hash) & mask
            var group: Int32 = -1
            while slots[slot] != Self.empty {
                let found = slots[slot]
                if (found ^ tag) >> 32 == 0 {
                    let candidate = Int(truncatingIfNeeded: found & 0xFFFF_FFFF)
                    let own = keys + candidate &* words
                    var isEqual = true
                    for word in 0..<words where own[word] != key[word] { isEqual = false }
                    if isEqual {
                        group = Int32(truncatingIfNeeded: candidate)
                        break
                    }
                }
                slot = (slot &+ 1) & mask
            }
            groups[index] = group >= 0 ? group : insert(key, tag: tag, slot: slot)
        }
    }

    /// Reads the slots and keys that the next keys will need, none of which waits for another: so a table that is larger
    /// than the caches costs one wait a block, not one or two a key.
    @inline(__always)
    private func fetch(_ sought: UnsafePointer<UInt64>, _ keyCount: Int, words: Int) {
        var fetched: UInt64 = 0
        for index in 0..<keyCount {
            let slot = slots[Int(truncatingIfNeeded: hash(sought + index &* words, words: words)) & mask]
            let candidate = slot == Self.empty ? 0 : Int(truncatingIfNeeded: slot & 0xFFFF_FFFF)
            fetched ^= keys[candidate &* words]
        }
        self.fetched = fetched
    }

    @inline(__always)
    private func hash(_ key: UnsafePointer<UInt64>, words: Int) -> UInt64 {
        var hash = seed
        for word in 0..<words { hash = mix(hash ^ key[word], 0xE703_7ED1_A0B4_28DB) }
        return hash
    }

    @inline(never)
    private func insert(_ key: UnsafePointer<UInt64>, tag: UInt64, slot: Int) -> Int32 {
        if count == capacity {
            let moved = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity * 2 * wordCount)
            moved.update(from: keys, count: count * wordCount)
            keys.deallocate()
            (keys, capacity) = (moved, capacity * 2)
        }
        (keys + count * wordCount).update(from: key, count: wordCount)
        slots[slot] = tag | UInt64(count)
        count += 1
        if count * 2 > mask { grow() }
        return Int32(count - 1)
    }

    private func grow() {
        slots.deallocate()
        mask = mask * 2 + 1
        slots = .allocate(capacity: mask + 1)
        slots.initialize(repeating: Self.empty, count: mask + 1)
        for group in 0..<count {
            let hash = hash(keys + group * wordCount, words: wordCount)
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != Self.empty { slot = (slot + 1) & mask }
            slots[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(group)
        }
    }

    /// Forgets all; memory is kept for the next round, unless there was very much of it.
    func removeAll() {
        defer { count = 0 }
        if mask > 1 << 21 {
            slots.deallocate()
            keys.deallocate()
            (mask, capacity) = (255, 64)
            slots = .allocate(capacity: mask + 1)
            keys = .allocate(capacity: capacity * wordCount)
            keys.initialize(repeating: 0, count: wordCount)
        } else if count * 16 < mask {
            for group in 0..<count { slots[slot(of: group)] = Self.empty }
            return
        }
        slots.initialize(repeating: Self.empty, count: mask + 1)
    }

    /// Where the table has `group`. While groups are removed in the order in which they came, empty slots may precede one:
    /// only its own number ends the search.
    private func slot(of group: Int) -> Int {
        var slot = Int(truncatingIfNeeded: hash(keys + group * wordCount, words: wordCount)) & mask
        while slots[slot] & 0xFFFF_FFFF != UInt64(group) { slot = (slot + 1) & mask }
        return slot
    }
}
