internal import Compression
internal import DataPath

/// The bytes of a container file as its parts are read: integers, runs of bytes, nothing else.
///
/// Memory: 64 KiB, and what is asked for. A claimed length costs memory only as far as its bytes are really there.
final class ContainerInput {
    private static let stepBytes = 1 << 20

    private let input: any ByteInput
    private let window: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    /// What was given back, to be read before the rest of the input.
    private var returned: [UInt8] = []
    private var returnedStart = 0
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
        if returnedStart < returned.count {
            end = min(window.count, returned.count - returnedStart)
            returned.withUnsafeBytes {
                window.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[returnedStart..<returnedStart + end]))
            }
            returnedStart += end
            return false
        }
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
        var taken: [UInt8] = []
        return try varint(&taken)
    }

    /// As ``varint()``; the bytes that it took are appended to `taken`.
    func varint(_ taken: inout [UInt8]) throws -> Int64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = try byte() {
            taken.append(byte)
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

    /// Appends the next `count` bytes to the block's; false, with those that are there, when the input ends before.
    func append(_ count: Int, to block: RecordBlock) throws -> Bool {
        var left = count
        while left > 0 {
            // Room is made as bytes come: a block may claim more than there is.
            block.reserve(min(left, Self.stepBytes))
            let room = UnsafeMutableRawBufferPointer(
                start: block.bytes + block.byteCount, count: min(left, Self.stepBytes))
            var taken = min(room.count, end - start)
            if taken > 0 {
                room.copyMemory(from: UnsafeRawBufferPointer(rebasing: window[start..<start + taken]))
                start += taken
            } else if returnedStart == returned.count, room.count >= window.count {
                taken = try input.read(into: room)
                if taken == 0 { return false }
            } else {
                if try isAtEnd() { return false }
                continue
            }
            block.byteCount += taken
            offset += taken
            left -= taken
        }
        return true
    }

    /// Forgets what was read ahead: the input gives the bytes at `offset` of the file next.
    func restart(at offset: Int) {
        (start, end, returned, returnedStart) = (0, 0, [], 0)
        self.offset = offset
    }

    /// Gives bytes back that were taken last: they are read again before the rest.
    func giveBack(_ bytes: [UInt8]) {
        returned = bytes + window[start..<end] + returned[returnedStart...]
        (start, end, returnedStart) = (0, 0, 0)
        offset -= bytes.count
    }

    /// Takes everything up to and with the next occurrence of `marker`, or up to the end.
    func skip(past marker: [UInt8]) throws {
        // For each length that matches, the longest shorter beginning of the marker that ends in the same bytes.
        var shorter = [Int](repeating: 0, count: marker.count)
        for index in marker.indices.dropFirst() {
            var length = shorter[index - 1]
            while length > 0, marker[index] != marker[length] { length = shorter[length - 1] }
            shorter[index] = marker[index] == marker[length] ? length + 1 : 0
        }
        var matched = 0
        while matched < marker.count, let byte = try byte() {
            while matched > 0, byte != marker[matched] { matched = shorter[matched - 1] }
            if byte == marker[matched] { matched += 1 }
        }
    }
}
