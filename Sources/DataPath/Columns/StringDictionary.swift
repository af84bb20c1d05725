/// Byte strings with dense 32-bit codes: the first distinct string has code 0, the next 1, ….
///
/// An open-addressing table over one arena, seeded per instance. Codes stay valid until ``removeAll()``.
/// Cost: amortised O(length) a call. Threads: one at a time.
public final class StringDictionary {
    @exclusivity(unchecked) public private(set) var count = 0
    /// How often ``removeAll()`` was called: what was derived from codes of another generation is stale.
    @exclusivity(unchecked) public private(set) var generation = 0
    @exclusivity(unchecked) private var arena: UnsafeMutablePointer<UInt8>
    @exclusivity(unchecked) private var arenaCapacity: Int
    @exclusivity(unchecked) private var offsets: UnsafeMutablePointer<Int>
    @exclusivity(unchecked) private var hashes: UnsafeMutablePointer<UInt32>
    @exclusivity(unchecked) private var entryCapacity: Int
    @exclusivity(unchecked) private var slots: UnsafeMutablePointer<UInt32>
    @exclusivity(unchecked) private var slotMask: Int
    private let seed: UInt64

    private static let empty = UInt32.max

    public init(seed: UInt64 = .random(in: 0 ... .max)) {
        self.seed = seed
        arenaCapacity = 4096
        arena = .allocate(capacity: arenaCapacity)
        entryCapacity = 128
        offsets = .allocate(capacity: entryCapacity + 1)
        offsets[0] = 0
        hashes = .allocate(capacity: entryCapacity)
        slotMask = 255
        slots = .allocate(capacity: slotMask + 1)
        slots.initialize(repeating: Self.empty, count: slotMask + 1)
    }

    deinit {
        arena.deallocate()
        offsets.deallocate()
        hashes.deallocate()
        slots.deallocate()
    }

    /// Bytes that the strings take.
    public var byteCount: Int { offsets[count] }

    /// Bytes allocated.
    public var memoryBytes: Int { arenaCapacity + entryCapacity * 12 + (slotMask + 1) * 4 }

    /// The code of `bytes`, which is added if it is new.
    public func code(for bytes: UnsafeRawBufferPointer) -> UInt32 {
        let hash = UInt32(truncatingIfNeeded: shortHash(bytes, seed: seed) >> 32)
        var slot = Int(hash) & slotMask
        while slots[slot] != Self.empty {
            let code = Int(slots[slot])
            if hashes[code] == hash, equals(code, bytes) { return UInt32(code) }
            slot = (slot + 1) & slotMask
        }
        return insert(bytes, hash: hash, slot: slot)
    }

    /// The code of `bytes` if it is there.
    public func existingCode(for bytes: UnsafeRawBufferPointer) -> UInt32? {
        let hash = UInt32(truncatingIfNeeded: shortHash(bytes, seed: seed) >> 32)
        var slot = Int(hash) & slotMask
        while slots[slot] != Self.empty {
            let code = Int(slots[slot])
            if hashes[code] == hash, equals(code, bytes) { return UInt32(code) }
            slot = (slot + 1) & slotMask
        }
        return nil
    }

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
        hashes.deallocate()
        slots.deallocate()
        (arenaCapacity, entryCapacity, slotMask) = (4096, 128, 255)
        arena = .allocate(capacity: arenaCapacity)
        offsets = .allocate(capacity: entryCapacity + 1)
        offsets[0] = 0
        hashes = .allocate(capacity: entryCapacity)
        slots = .allocate(capacity: slotMask + 1)
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
            let movedHashes = UnsafeMutablePointer<UInt32>.allocate(capacity: entryCapacity * 2)
            movedHashes.update(from: hashes, count: code)
            hashes.deallocate()
            (offsets, hashes, entryCapacity) = (movedOffsets, movedHashes, entryCapacity * 2)
        }
        if let base = bytes.baseAddress {
            UnsafeMutableRawPointer(arena + start).copyMemory(from: base, byteCount: bytes.count)
        }
        offsets[code + 1] = start + bytes.count
        hashes[code] = hash
        count += 1
        slots[slot] = UInt32(code)
        if count * 2 > slotMask { growSlots() }
        return UInt32(code)
    }

    private func growSlots() {
        slots.deallocate()
        slotMask = slotMask * 2 + 1
        slots = .allocate(capacity: slotMask + 1)
        slots.initialize(repeating: Self.empty, count: slotMask + 1)
        for code in 0..<count {
            var slot = Int(hashes[code]) & slotMask
            while slots[slot] != Self.empty { slot = (slot + 1) & slotMask }
            slots[slot] = UInt32(code)
        }
    }
}
