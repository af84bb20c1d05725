/// Writes saved state: fixed widths, least significant byte first. Threads: one at a time.
final class StateWriter {
    private var memory: UnsafeMutableRawPointer
    private var capacity = 1 << 16
    private(set) var count = 0

    init() { memory = GrowingMemory.resizeBytes(nil, to: capacity) }

    deinit { GrowingMemory.free(memory) }

    /// What was written; valid until the next call.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count) }

    @inline(__always)
    func put<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        if count &+ MemoryLayout<Value>.size > capacity { grow(by: MemoryLayout<Value>.size) }
        memory.storeBytes(of: value.littleEndian, toByteOffset: count, as: Value.self)
        count &+= MemoryLayout<Value>.size
    }

    /// Puts something else in the place of what is written there.
    func put(_ value: UInt64, at place: Int) {
        memory.storeBytes(of: value.littleEndian, toByteOffset: place, as: UInt64.self)
    }

    func put(_ value: Double) { put(value.bitPattern) }

    func put(_ value: Bool) { put(value ? 1 : 0 as UInt8) }

    /// A length of 32 bits, then the bytes.
    func put(_ value: UnsafeRawBufferPointer) {
        put(UInt32(value.count))
        if count + value.count > capacity { grow(by: value.count) }
        if let base = value.baseAddress { (memory + count).copyMemory(from: base, byteCount: value.count) }
        count += value.count
    }

    /// Forgets what was written; memory is kept.
    func removeAll() { count = 0 }

    @inline(never)
    private func grow(by size: Int) {
        capacity = max(capacity * 2, count + size)
        memory = GrowingMemory.resizeBytes(memory, to: capacity)
    }
}

/// Reads saved state; every read is checked against the end.
struct StateReader {
    private let bytes: UnsafeRawBufferPointer
    private var cursor = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { cursor == bytes.count }
    var remaining: Int { bytes.count - cursor }

    mutating func take<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type = Value.self
    ) throws(AggregationError) -> Value {
        let size = MemoryLayout<Value>.size
        guard remaining >= size else { throw .corruptState(reason: "it ends too early") }
        let value = bytes.loadUnaligned(fromByteOffset: cursor, as: Value.self)
        cursor += size
        return Value(littleEndian: value)
    }

    mutating func takeDouble() throws(AggregationError) -> Double { Double(bitPattern: try take(UInt64.self)) }

    mutating func takeBool() throws(AggregationError) -> Bool { try take(UInt8.self) != 0 }

    mutating func takeBytes() throws(AggregationError) -> UnsafeRawBufferPointer {
        let count = Int(try take(UInt32.self))
        guard remaining >= count else { throw .corruptState(reason: "it ends too early") }
        defer { cursor += count }
        return UnsafeRawBufferPointer(rebasing: bytes[cursor..<cursor + count])
    }

    /// A count of items that take at least `size` bytes each, so that a damaged count cannot ask for more memory than
    /// the state itself has.
    mutating func takeCount(itemSize size: Int) throws(AggregationError) -> Int {
        let count = try take(UInt64.self)
        guard count <= UInt64(remaining / max(size, 1)) else { throw .corruptState(reason: "a count is too large") }
        return Int(count)
    }
}
