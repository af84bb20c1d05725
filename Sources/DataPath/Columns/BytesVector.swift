/// A growable vector of byte strings in one arena, with a null mask.
///
/// Row `i` is `arena[offsets[i] ..< offsets[i + 1]]`; a null row is empty. At most 4 GiB a batch.
/// Pointers are valid until the next append or reserve. Threads: one at a time.
/// `@exclusivity(unchecked)`: no accesses overlap, and a run-time check per access would cost more than the access.
public final class BytesVector {
    @exclusivity(unchecked) public private(set) var arena: UnsafeMutablePointer<UInt8>
    @exclusivity(unchecked) public private(set) var arenaCapacity: Int
    @exclusivity(unchecked) public private(set) var offsets: UnsafeMutablePointer<UInt32>
    @exclusivity(unchecked) public private(set) var nulls: UnsafeMutablePointer<Bool>
    @exclusivity(unchecked) public private(set) var capacity: Int
    @exclusivity(unchecked) public private(set) var count = 0
    @exclusivity(unchecked) public private(set) var nullCount = 0

    public init(capacity: Int = 0, arenaCapacity: Int = 0) {
        self.capacity = max(capacity, 16)
        self.arenaCapacity = max(arenaCapacity, 256)
        arena = .allocate(capacity: self.arenaCapacity)
        offsets = .allocate(capacity: self.capacity + 1)
        nulls = .allocate(capacity: self.capacity)
        offsets[0] = 0
    }

    deinit {
        arena.deallocate()
        offsets.deallocate()
        nulls.deallocate()
    }

    public var memoryBytes: Int { arenaCapacity + capacity * 5 }

    public var arenaCount: Int { Int(offsets[count]) }

    @inlinable
    public func append(_ bytes: UnsafeRawBufferPointer) {
        let end = appendSlot(byteCount: bytes.count)
        if let base = bytes.baseAddress { UnsafeMutableRawPointer(end).copyMemory(from: base, byteCount: bytes.count) }
    }

    public func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// Adds a row of `byteCount` bytes and returns where to write them.
    public func appendSlot(byteCount: Int) -> UnsafeMutablePointer<UInt8> {
        let start = grow(byteCount: byteCount)
        nulls[count] = false
        offsets[count + 1] = UInt32(start + byteCount)
        count += 1
        return arena + start
    }

    public func appendNull() {
        let start = grow(byteCount: 0)
        nulls[count] = true
        offsets[count + 1] = UInt32(start)
        count += 1
        nullCount += 1
    }

    /// Where the next rows go, as plain pointers for a loop over them.
    public struct Slots {
        /// The arena as a whole.
        public let arena: UnsafeMutablePointer<UInt8>
        /// `offsets[0]` is where the first of the rows begins, and set; `offsets[i + 1]` is where row i ends.
        public let offsets: UnsafeMutablePointer<UInt32>
        public let nulls: UnsafeMutablePointer<Bool>
    }

    /// Makes room for `rows` more rows of `byteBound` bytes together. Whoever writes them calls ``commit(rows:nulls:)``
    /// with all ends and the null mask set.
    public func slots(rows: Int, byteBound: Int) -> Slots {
        growRows(rows)
        _ = growArena(byteBound)
        return Slots(arena: arena, offsets: offsets + count, nulls: nulls + count)
    }

    /// Counts the rows written into ``slots(rows:byteBound:)``, `nulls` of which are null.
    public func commit(rows: Int, nulls: Int) {
        count += rows
        nullCount += nulls
    }

    public func removeAll() {
        count = 0
        nullCount = 0
    }

    /// Forgets the rows from `rows` on; `rows` is at most ``count``.
    public func truncate(to rows: Int) {
        for row in rows..<count where nulls[row] { nullCount -= 1 }
        count = rows
    }

    @inlinable
    public subscript(row: Int) -> UnsafeRawBufferPointer {
        let start = Int(offsets[row])
        return UnsafeRawBufferPointer(start: arena + start, count: Int(offsets[row + 1]) - start)
    }

    public func string(_ row: Int) -> String { String(decoding: self[row], as: UTF8.self) }

    @inline(__always)
    private func grow(byteCount: Int) -> Int {
        if count == capacity { growRows(1) }
        let start = Int(offsets[count])
        return start + byteCount > arenaCapacity ? growArena(byteCount) : start
    }

    private func growRows(_ rows: Int) {
        if count + rows > capacity {
            let larger = max(capacity * 2, count + rows)
            let newOffsets = UnsafeMutablePointer<UInt32>.allocate(capacity: larger + 1)
            let newNulls = UnsafeMutablePointer<Bool>.allocate(capacity: larger)
            newOffsets.update(from: offsets, count: count + 1)
            newNulls.update(from: nulls, count: count)
            offsets.deallocate()
            nulls.deallocate()
            (offsets, nulls, capacity) = (newOffsets, newNulls, larger)
        }
    }

    /// Where the next row begins, with room for `byteCount` bytes.
    private func growArena(_ byteCount: Int) -> Int {
        let start = Int(offsets[count])
        if start + byteCount > arenaCapacity {
            let larger = max(arenaCapacity * 2, start + byteCount)
            precondition(larger <= Int(UInt32.max), "a column of one batch exceeds 4 GiB")
            let newArena = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
            newArena.update(from: arena, count: start)
            arena.deallocate()
            (arena, arenaCapacity) = (newArena, larger)
        }
        return start
    }
}
