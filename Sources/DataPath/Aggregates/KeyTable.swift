import Glibc

/// Dense numbers for canonical group keys (``GroupKeyCodec``), whose hash the caller knows.
///
/// An open-addressing table over one arena of key bytes. A slot holds 32 hash bits and one more than the entry (0 is
/// empty), so that most misses end there. Keys that are known to be new are only listed; the slots are filled when one is
/// looked up. Threads: one at a time.
final class KeyTable {
    private struct Entry: BitwiseCopyable {
        var hash: UInt64
        /// Where the key begins; it ends where the next one begins.
        var start: Int
    }

    private(set) var count = 0
    private var entries: UnsafeMutablePointer<Entry>
    private var capacity: Int
    private var arena: UnsafeMutableRawPointer
    private var arenaCapacity: Int
    private var slots: UnsafeMutablePointer<UInt64>?
    private var slotCount = 0
    /// What the fetching ahead read, kept so that it is not optimised away.
    private var fetched: UInt64 = 0
    /// How many of the entries are in the slots.
    private var indexedCount = 0

    init(capacity: Int = 16) {
        self.capacity = max(capacity, 4)
        entries = GrowingMemory.resize(nil, to: self.capacity + 1)
        entries[0] = Entry(hash: 0, start: 0)
        arenaCapacity = self.capacity * 16
        arena = GrowingMemory.resizeBytes(nil, to: arenaCapacity)
    }

    deinit {
        GrowingMemory.free(entries)
        GrowingMemory.free(arena)
        GrowingMemory.free(slots)
    }

    var memoryBytes: Int { arenaCapacity + capacity * MemoryLayout<Entry>.stride + slotCount * 8 }

    /// The bytes of all keys together.
    var keyBytes: Int { entries[count].start }

    func hash(_ entry: Int) -> UInt64 { entries[entry].hash }

    /// The bytes of a key; valid until the next key is added.
    subscript(entry: Int) -> UnsafeRawBufferPointer {
        let start = entries[entry].start
        return UnsafeRawBufferPointer(start: arena + start, count: entries[entry + 1].start - start)
    }

    /// Adds a key that is not there.
    func append(_ key: UnsafeRawBufferPointer, hash: UInt64) {
        let start = entries[count].start
        if count == capacity {
            capacity = GrowingMemory.capacity(
                from: capacity, needed: count + 1, stride: MemoryLayout<Entry>.stride)
            entries = GrowingMemory.resize(entries, to: capacity + 1)
        }
        if start + key.count > arenaCapacity {
            arenaCapacity = GrowingMemory.capacity(from: arenaCapacity, needed: start + key.count, stride: 1)
            arena = GrowingMemory.resizeBytes(arena, to: arenaCapacity)
        }
        if let base = key.baseAddress { (arena + start).copyMemory(from: base, byteCount: key.count) }
        entries[count].hash = hash
        entries[count + 1] = Entry(hash: 0, start: start + key.count)
        count += 1
    }

    /// The number of `key` if it is there.
    func find(_ key: UnsafeRawBufferPointer, hash: UInt64) -> Int32? {
        fillSlots(for: 0)
        guard let slots else { return nil }
        return look(for: key, hash: hash, slots).entry
    }

    /// Writes the number of each key of `other` to `map`; -1 for those that are not there.
    func find(_ other: KeyTable, map: UnsafeMutablePointer<Int32>) {
        fillSlots(for: 0)
        guard let slots else { return map.update(repeating: -1, count: other.count) }
        var next = 0
        while next < other.count {
            let end = min(next + Self.blockSize, other.count)
            if count > Self.cachedCount { fetch(other, next..<end) }
            for entry in next..<end {
                map[entry] = look(for: other[entry], hash: other.entries[entry].hash, slots).entry ?? -1
            }
            next = end
        }
    }

    /// The number of `key`, which is added if it is new.
    func insert(_ key: UnsafeRawBufferPointer, hash: UInt64) -> Int32 {
        fillSlots(for: 1)
        guard let slots else { preconditionFailure("a table that takes a key has slots") }
        let (found, slot) = look(for: key, hash: hash, slots)
        if let found { return found }
        append(key, hash: hash)
        slots[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(count)
        indexedCount = count
        return Int32(count - 1)
    }

    /// Inserts all keys of `other` and writes their numbers here to `map`.
    ///
    /// What a block of keys will need is read before any of them is looked up: a table that is larger than the caches then
    /// costs a few waits a block, not a few a key.
    ///
    /// - Parameter account: Is asked before anything grows. Throws what it throws; the keys before are there then.
    func insert(
        _ other: KeyTable, map: UnsafeMutablePointer<Int32>, account: MemoryAccount? = nil
    ) throws(AggregationError) {
        let bytesBefore = memoryBytes
        var next = 0
        while next < other.count {
            let end = min(next + Self.blockSize, other.count)
            if let account {
                let growth = growthBytes(
                    for: end - next, keyBytes: other.entries[end].start - other.entries[next].start)
                if growth > 0 { try account.reserve(memoryBytes - bytesBefore + growth) }
            }
            fillSlots(for: end - next)
            if count > Self.cachedCount { fetch(other, next..<end) }
            for entry in next..<end { map[entry] = insert(other[entry], hash: other.entries[entry].hash) }
            next = end
        }
    }

    /// Bytes that so many further keys would take at their peak, beyond what is there. The slots are freed before they are
    /// made anew.
    func growthBytes(for more: Int, keyBytes: Int) -> Int {
        GrowingMemory.growthBytes(from: capacity, needed: count + more, stride: MemoryLayout<Entry>.stride)
            + GrowingMemory.growthBytes(from: arenaCapacity, needed: entries[count].start + keyBytes, stride: 1)
            + (slotCount(for: more) - slotCount) * 8
    }

    /// At most 5/8 of the slots are taken.
    private func slotCount(for more: Int) -> Int {
        var size = max(slotCount, 8)
        while (count + more) * 8 > size * 5 { size *= 2 }
        return size
    }

    private func fetch(_ other: KeyTable, _ range: Range<Int>) {
        guard let slots else { return }
        let mask = slotCount &- 1
        var fetched: UInt64 = 0
        for entry in range { fetched ^= slots[Int(truncatingIfNeeded: other.entries[entry].hash) & mask] }
        for entry in range {
            let slot = slots[Int(truncatingIfNeeded: other.entries[entry].hash) & mask]
            let found = slot == 0 ? 0 : Int(truncatingIfNeeded: slot & 0xFFFF_FFFF) &- 1
            // The key may be empty and at the arena's end.
            let start = min(entries[found].start, arenaCapacity &- 1)
            fetched ^= UInt64((arena + start).load(as: UInt8.self))
        }
        self.fetched = fetched
    }

    private static let blockSize = 32
    /// Tables up to here stay in the first-level caches.
    private static let cachedCount = 1 << 10

    /// Makes room for `more` further keys in the slots and puts the listed ones there.
    func fillSlots(for more: Int) {
        let size = slotCount(for: more)
        if size > slotCount {
            GrowingMemory.free(slots)
            (slots, slotCount, indexedCount) = (GrowingMemory.zeroed(UInt64.self, count: size), size, 0)
        }
        guard indexedCount < count, let slots else { return }
        let mask = slotCount &- 1
        for entry in indexedCount..<count {
            let hash = entries[entry].hash
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != 0 { slot = (slot &+ 1) & mask }
            slots[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(truncatingIfNeeded: entry &+ 1)
        }
        indexedCount = count
    }

    @inline(__always)
    private func look(
        for key: UnsafeRawBufferPointer, hash: UInt64, _ slots: UnsafeMutablePointer<UInt64>
    ) -> (entry: Int32?, slot: Int) {
        let mask = slotCount &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            if (slots[slot] ^ hash) >> 32 == 0 {
                let entry = Int(truncatingIfNeeded: slots[slot] & 0xFFFF_FFFF) &- 1
                if entries[entry].hash == hash, isEqual(self[entry], key) {
                    return (Int32(truncatingIfNeeded: entry), slot)
                }
            }
            slot = (slot &+ 1) & mask
        }
        return (nil, slot)
    }

    @inline(__always)
    private func isEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        guard a.count == b.count else { return false }
        guard a.count > 0, let first = a.baseAddress, let second = b.baseAddress else { return true }
        return equalBytes(first, second, a.count)
    }
}
