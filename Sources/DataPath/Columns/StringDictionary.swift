/// Byte strings with dense 32-bit codes: the first distinct string has code 0, the next 1, ….
///
/// An open-addressing table over one arena, seeded per instance. Codes stay valid until ``removeAll()``.
/// Cost: amortised O(length) a call. Threads: one at a time.
public final class StringDictionary {
    @exclusivity(unchecked) public private(set) var count = 0
    /// How often ``removeAll()`` was called: what was derived from codes of another generation is stale.
    @exclusivity(unchecked) public private(set) var generation = 0
    @exclusivity(unchecked) @usableFromInline private(set) var arena: UnsafeMutablePointer<UInt8>
    @exclusivity(unchecked) private var arenaCapacity: Int
    @exclusivity(unchecked) @usableFromInline private(set) var offsets: UnsafeMutablePointer<Int>
    @exclusivity(unchecked) private var entryCapacity: Int
    /// 32 bits of a string's hash, then its code.
    @exclusivity(unchecked) private var slots: UnsafeMutablePointer<UInt64>
    @exclusivity(unchecked) private var slotMask: Int
    private let seed: UInt64
    /// What reading ahead gave, kept so that it is not optimised away.
    @exclusivity(unchecked) private var fetched: UInt64 = 0

    private static let empty = UInt64.max
    /// Tables up to here stay in the first-level caches.
    private static let cachedMask = 1 << 12
    /// Strings that ``codes(for:count:into:)`` reads ahead for.
    private static let blockSize = 32

    public init(seed: UInt64 = .random(in: 0 ... .max)) {
        self.seed = seed
        arenaCapacity = 4096
        arena = .allocate(capacity: arenaCapacity)
        entryCapacity = 128
        offsets = .allocate(capacity: entryCapacity + 1)
        offsets[0] = 0
        slotMask = 255
        slots = .allocate(capacity: slotMask + 1)
        slots.initialize(repeating: Self.empty, count: slotMask + 1)
    }

    deinit {
        arena.deallocate()
        offsets.deallocate()
        slots.deallocate()
    }

    /// Bytes that the strings take.
    public var byteCount: Int { offsets[count] }

    /// Bytes allocated.
    public var memoryBytes: Int { arenaCapacity + entryCapacity * 8 + (slotMask + 1) * 8 }

    /// The code of `bytes`, which is added if it is new.
    public func code(for bytes: UnsafeRawBufferPointer) -> UInt32 { code(for: bytes, hash: hash(bytes)) }

    /// Writes the code of each of the `count` strings to `codes`, adding those that are new.
    ///
    /// What a block of strings will need is read before any of them is looked up, and no reading waits for another: a table that
    /// is larger than the caches then costs a few waits a block, not a few a string.
    public func codes(
        for texts: UnsafePointer<UnsafeRawBufferPointer>, count textCount: Int, into codes: UnsafeMutablePointer<UInt32>
    ) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.blockSize) { hashes in
            var start = 0
            while start < textCount {
                let end = min(start &+ Self.blockSize, textCount)
                for index in start..<end { hashes[index &- start] = hash(texts[index]) }
                if slotMask > Self.cachedMask { fetch(UnsafeBufferPointer(rebasing: hashes[..<(end - start)])) }
                for index in start..<end { codes[index] = code(for: texts[index], hash: hashes[index &- start]) }
                start = end
            }
        }
    }

    /// The code of `bytes` if it is there.
    public func existingCode(for bytes: UnsafeRawBufferPointer) -> UInt32? { look(for: bytes, hash: hash(bytes)).code }

    @inlinable
    public subscript(code: UInt32) -> UnsafeRawBufferPointer {
        let start = offsets[Int(code)]
        return UnsafeRawBufferPointer(start: arena + start, count: offsets[Int(code) + 1] - start)
    }

    public func string(_ code: UInt32) -> String { String(decoding: self[code], as: UTF8.self) }

    /// Forgets every string; memory is kept, unless there was very much of it.
    public func removeAll() {
        count = 0
        generation += 1
        if memoryBytes > Self.keptBytes { shrink() }
        slots.initialize(repeating: Self.empty, count: slotMask + 1)
    }

    private static let keptBytes = 1 << 28

    private func shrink() {
        arena.deallocate()
        offsets.deallocate()
        slots.deallocate()
        (arenaCapacity, entryCapacity, slotMask) = (4096, 128, 255)
        arena = .allocate(capacity: arenaCapacity)
        offsets = .allocate(capacity: entryCapacity + 1)
        offsets[0] = 0
        slots = .allocate(capacity: slotMask + 1)
    }

    @inline(__always)
    private func hash(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        UInt32(truncatingIfNeeded: shortHash(bytes, seed: seed) >> 32)
    }

    @inline(__always)
    private func code(for bytes: UnsafeRawBufferPointer, hash: UInt32) -> UInt32 {
        let (found, slot) = look(for: bytes, hash: hash)
        return found ?? insert(bytes, hash: hash, slot: slot)
    }

    @inline(__always)
    private func look(for bytes: UnsafeRawBufferPointer, hash: UInt32) -> (code: UInt32?, slot: Int) {
        var slot = Int(hash) & slotMask
        while slots[slot] != Self.empty {
            let found = slots[slot]
            if UInt32(truncatingIfNeeded: found >> 32) == hash {
                let code = UInt32(truncatingIfNeeded: found)
                if equals(Int(code), bytes) { return (code, slot) }
            }
            slot = (slot &+ 1) & slotMask
        }
        return (nil, slot)
    }

    private func fetch(_ hashes: UnsafeBufferPointer<UInt32>) {
        var fetched: UInt64 = 0
        for hash in hashes { fetched ^= slots[Int(hash) & slotMask] }
        for hash in hashes {
            let slot = slots[Int(hash) & slotMask]
            guard slot != Self.empty else { continue }
            // An empty string may be at the arena's end.
            let start = min(offsets[Int(truncatingIfNeeded: slot & 0xFFFF_FFFF)], arenaCapacity &- 1)
            fetched ^= UInt64(arena[start])
        }
        self.fetched = fetched
    }

    private func equals(_ code: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let start = offsets[code]
        let length = offsets[code + 1] - start
        guard length == bytes.count else { return false }
        guard let base = bytes.baseAddress, length > 0 else { return true }
        return equalBytes(UnsafeRawPointer(arena + start), base, length)
    }

    private func insert(_ bytes: UnsafeRawBufferPointer, hash: UInt32, slot: Int) -> UInt32 {
        let code = count
        let start = offsets[code]
        if start + bytes.count > arenaCapacity {
            let larger = max(arenaCapacity * 2, start + bytes.count)
            let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
            moved.update(from: arena, count: start)
            arena.deallocate()
            (arena, arenaCapacity) = (moved, larger)
        }
        if code == entryCapacity {
            let movedOffsets = UnsafeMutablePointer<Int>.allocate(capacity: entryCapacity * 2 + 1)
            movedOffsets.update(from: offsets, count: code + 1)
            offsets.deallocate()
            (offsets, entryCapacity) = (movedOffsets, entryCapacity * 2)
        }
        if let base = bytes.baseAddress {
            UnsafeMutableRawPointer(arena + start).copyMemory(from: base, byteCount: bytes.count)
        }
        offsets[code + 1] = start + bytes.count
        count += 1
        slots[slot] = UInt64(hash) << 32 | UInt64(code)
        if count * 2 > slotMask { growSlots() }
        return UInt32(code)
    }

    private func growSlots() {
        let (old, oldCount) = (slots, slotMask + 1)
        slotMask = slotMask * 2 + 1
        slots = .allocate(capacity: slotMask + 1)
        slots.initialize(repeating: Self.empty, count: slotMask + 1)
        for index in 0..<oldCount where old[index] != Self.empty {
            var slot = Int(old[index] >> 32) & slotMask
            while slots[slot] != Self.empty { slot = (slot + 1) & slotMask }
            slots[slot] = old[index]
        }
        old.deallocate()
    }
}
