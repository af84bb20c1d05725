internal import Compression

/// The bytes of a container file as its parts are read: integers, runs of bytes, nothing else.
///
/// Memory: 64 KiB, and what is asked for. A claimed length costs memory only as far as its bytes are really there.
final class ContainerInput {
    private let input: any ByteInput
    private let window: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    /// Bytes taken so far: the place in the (unpacked) file.
    private(set) var offset = 0

    init(_ input: any ByteInput) {
        self.input = input
        window = .allocate(byteCount: 1 << 16, alignment: 8)
    }

    deinit { window.deallocate() }

    /// Whether nothing is left.
    func isAtEnd() throws -> Bool {
        if start < end { return false }
        start = 0
        end = try input.read(into: window)
        return end == 0
    }

    /// The next byte; nil at the end.
    private func byte() throws -> UInt8? {
        if try isAtEnd() { return nil }
        defer {
            start += 1
            offset += 1
        }
        return window[start]
    }

    /// A zigzag variable-length integer; nil when the input ends or it has more than 64 bits.
    func varint() throws -> Int64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = try byte() {
            if shift == 63, byte > 1 { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
            shift += 7
        }
        return nil
    }

    /// Replaces `target` by the next `count` bytes; false when the input ends before.
    func read(_ count: Int, into target: inout [UInt8]) throws -> Bool {
        target.removeAll(keepingCapacity: true)
        while target.count < count {
            if try isAtEnd() { return false }
            let taken = min(count - target.count, end - start)
            target.append(contentsOf: window[start..<start + taken])
            start += taken
            offset += taken
        }
        return true
    }
}
