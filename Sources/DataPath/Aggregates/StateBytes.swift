/// Writes saved state: fixed widths, least significant byte first.
struct StateWriter {
    private(set) var bytes: [UInt8]

    init(_ bytes: consuming [UInt8]) { self.bytes = bytes }

    mutating func put<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(_ value: Double) { put(value.bitPattern) }

    mutating func put(_ value: Bool) { bytes.append(value ? 1 : 0) }

    /// A length of 32 bits, then the bytes.
    mutating func put(_ value: UnsafeRawBufferPointer) {
        put(UInt32(value.count))
        bytes.append(contentsOf: value)
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
