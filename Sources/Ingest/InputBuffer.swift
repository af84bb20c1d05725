internal import CSIMDJSON
internal import Compression

/// A window over a source of bytes: what was read and not yet consumed.
///
/// Pointers into it are valid until the next `fill`. Memory: as large as the longest record, at least 256 KiB.
final class InputBuffer {
    private let input: any ByteInput
    private var bytes: UnsafeMutablePointer<UInt8>
    private var capacity = 1 << 18
    private var startIndex = 0
    private var endIndex = 0
    private(set) var isAtEnd = false

    init(_ input: any ByteInput) {
        self.input = input
        bytes = .allocate(capacity: capacity + Int(SP_JSON_PADDING))
        bytes.initialize(repeating: 0, count: capacity + Int(SP_JSON_PADDING))
    }

    deinit { bytes.deallocate() }

    var start: UnsafeMutablePointer<UInt8> { bytes + startIndex }
    var count: Int { endIndex - startIndex }
    /// Bytes that may be read from ``start`` on: the contents and at least the padding that simdjson wants.
    var readableCount: Int { capacity + Int(SP_JSON_PADDING) - startIndex }

    func consume(_ count: Int) { startIndex += count }

    /// Reads more; sets ``isAtEnd`` when there is none.
    func fill() throws {
        if startIndex > 0 {
            bytes.update(from: bytes + startIndex, count: count)
            (startIndex, endIndex) = (0, endIndex - startIndex)
        }
        if endIndex == capacity {
            let larger = capacity * 2
            let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger + Int(SP_JSON_PADDING))
            moved.initialize(repeating: 0, count: larger + Int(SP_JSON_PADDING))
            moved.update(from: bytes, count: endIndex)
            bytes.deallocate()
            (bytes, capacity) = (moved, larger)
        }
        let room = UnsafeMutableRawBufferPointer(start: bytes + endIndex, count: capacity - endIndex)
        let count = try input.read(into: room)
        endIndex += count
        isAtEnd = count == 0
    }

    /// Steps over a UTF-8 byte order mark.
    func skipByteOrderMark() throws {
        while count < 3, !isAtEnd { try fill() }
        if count >= 3, start[0] == 0xEF, start[1] == 0xBB, start[2] == 0xBF { consume(3) }
    }
}

extension InputBuffer: ByteInput {
    /// What is in the window first, then the rest of the source.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if count == 0, !isAtEnd { try fill() }
        let taken = min(count, buffer.count)
        guard taken > 0 else { return 0 }
        buffer.copyMemory(from: UnsafeRawBufferPointer(start: start, count: taken))
        consume(taken)
        return taken
    }
}

/// A source whose first bytes were looked at: gives them again before the rest.
final class RewoundInput: ByteInput {
    private var head: [UInt8]
    private let rest: any ByteInput

    init(head: [UInt8], rest: any ByteInput) {
        self.head = head
        self.rest = rest
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if head.isEmpty { return try rest.read(into: buffer) }
        let count = min(head.count, buffer.count)
        head.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        head.removeFirst(count)
        return count
    }
}
