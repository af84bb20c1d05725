/// A growable vector of byte strings in one arena, with a null mask.
///
/// Row `i` is `arena[offsets[i] ..< offsets[i + 1]]`; a null row is empty. At most 4 GiB a batch.
/// Pointers are valid until the next append or reserve. Threads: one at a time.
public final class BytesVector {
    public private(set) var arena: UnsafeMutablePointer<UInt8>
    public private(set) var arenaCapacity: Int
    public private(set) var offsets: UnsafeMutablePointer<UInt32>
    public private(set) var nulls: UnsafeMutablePointer<Bool>
    public private(set) var capacity: Int
    public private(set) var count = 0
    public private(set) var nullCount = 0

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

    public func removeAll() {
        count = 0
        nullCount = 0
    }

    /// Drops the rows from `rows` on.
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

    private func grow(byteCount: Int) -> Int {
        if count == capacity {
            let larger = max(capacity * 2, count + 1)
            let newOffsets = UnsafeMutablePointer<UInt32>.allocate(capacity: larger + 1)
            let newNulls = UnsafeMutablePointer<Bool>.allocate(capacity: larger)
            newOffsets.update(from: offsets, count: count + 1)
            newNulls.update(from: nulls, count: count)
            offsets.deallocate()
            nulls.deallocate()
            (offsets, nulls, capacity) = (newOffsets, newNulls, larger)
        }
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
