/// Dense numbers for canonical group keys (``GroupKeyCodec``), whose hash the caller knows.
///
/// Threads: one at a time.
final class KeyTable {
    let keys = BytesVector()
    private(set) var hashes: [UInt64] = []
    private var slots = [Int32](repeating: -1, count: 64)

    var count: Int { hashes.count }
    var memoryBytes: Int { keys.arenaCapacity + keys.capacity * 5 + hashes.capacity * 8 + slots.count * 4 }

    /// The number of `key` if it is there.
    func find(_ key: UnsafeRawBufferPointer, hash: UInt64) -> Int32? {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let entry = Int(slots[slot])
            if hashes[entry] == hash, isEqual(keys[entry], key) { return slots[slot] }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// The number of `key`, which is added if it is new.
    func insert(_ key: UnsafeRawBufferPointer, hash: UInt64) -> Int32 {
        if let found = find(key, hash: hash) { return found }
        let entry = Int32(count)
        keys.append(key)
        hashes.append(hash)
        if count * 2 > slots.count {
            slots = [Int32](repeating: -1, count: slots.count * 2)
            for entry in 0..<count { place(Int32(entry)) }
        } else {
            place(entry)
        }
        return entry
    }

    private func place(_ entry: Int32) {
        var slot = Int(truncatingIfNeeded: hashes[Int(entry)]) & (slots.count - 1)
        while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = entry
    }

    private func isEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        guard a.count == b.count else { return false }
        guard a.count > 0, let first = a.baseAddress, let second = b.baseAddress else { return true }
        return equalBytes(first, second, a.count)
    }
}
