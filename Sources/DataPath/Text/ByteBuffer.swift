/// Bytes that grow at their end, for writers that render many rows before they hand them on.
///
/// Pointers into ``bytes`` are valid until the next `reserve` or append. Threads: one at a time.
public final class ByteBuffer {
    public private(set) var bytes: UnsafeMutablePointer<UInt8>
    public private(set) var capacity: Int
    /// Bytes that are filled. Whoever writes through ``end`` adds to it.
    public var count = 0

    public init(capacity: Int = 1 << 16) {
        self.capacity = max(capacity, 64)
        bytes = .allocate(capacity: self.capacity)
    }

    deinit { bytes.deallocate() }

    /// Where the next byte goes.
    @inlinable public var end: UnsafeMutablePointer<UInt8> { bytes + count }

    public var contents: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: count) }

    public var string: String { String(decoding: contents, as: UTF8.self) }

    /// Makes room for `more` bytes after ``count``.
    @inlinable
    public func reserve(_ more: Int) {
        if count &+ more > capacity { grow(more) }
    }

    @inlinable
    public func append(_ byte: UInt8) {
        reserve(1)
        bytes[count] = byte
        count &+= 1
    }

    @inlinable
    public func append(_ source: UnsafeRawBufferPointer) {
        guard let base = source.baseAddress, source.count > 0 else { return }
        reserve(source.count)
        UnsafeMutableRawPointer(bytes + count).copyMemory(from: base, byteCount: source.count)
        count &+= source.count
    }

    public func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    public func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// Forgets the contents; memory is kept.
    public func removeAll() { count = 0 }

    @usableFromInline
    func grow(_ more: Int) {
        let larger = max(capacity * 2, count + more)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        moved.update(from: bytes, count: count)
        bytes.deallocate()
        (bytes, capacity) = (moved, larger)
    }
}
