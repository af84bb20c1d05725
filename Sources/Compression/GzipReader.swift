internal import CZlib

/// Decompresses gzip (RFC 1952, also of several members) or zlib (RFC 1950) bytes as they are read.
///
/// Memory: 64 KiB and zlib's window. Throws ``InputError`` when the bytes are damaged or end before the stream does.
/// Threads: one at a time.
public final class GzipReader: ByteInput {
    private let source: any ByteInput
    private let name: String
    private let input: UnsafeMutableBufferPointer<UInt8>
    /// zlib keeps a pointer to the struct, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private var isSourceAtEnd = false
    /// Between two members: nothing of the next one has been read.
    private var isBetweenMembers = false
    private var hasMember = false

    /// Whether bytes begin as gzip or zlib do; zlib only with the usual window of 32 KiB.
    public static func isCompressed(_ start: UnsafeRawBufferPointer) -> Bool {
        guard start.count >= 2 else { return false }
        if start[0] == 0x1F, start[1] == 0x8B { return true }
        return start[0] == 0x78 && (Int(start[0]) << 8 | Int(start[1])) % 31 == 0 && start[1] & 0x20 == 0
    }

    /// `name` is the source's name for messages.
    public init(_ source: any ByteInput, name: String) throws(InputError) {
        self.source = source
        self.name = name
        input = .allocate(capacity: 1 << 16)
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window; 32 more let zlib tell gzip from zlib by the header.
        let code = sp_inflateInit2(stream, 15 + 32)
        if code != Z_OK { throw InputError(source: name, reason: "zlib failed with code \(code)") }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        input.deallocate()
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard let base = buffer.baseAddress, buffer.count > 0 else { return 0 }
        let room = min(buffer.count, 1 << 30)
        stream.pointee.next_out = base.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = uInt(room)
        while true {
            if stream.pointee.avail_in == 0, !isSourceAtEnd { try refill() }
            if stream.pointee.avail_in == 0, isSourceAtEnd {
                if isBetweenMembers || !hasMember { return 0 }
                // zlib may still hold output; without any, the stream was cut.
            }
            if isBetweenMembers {
                // Zero bytes after a member are padding (RFC 1952 tools accept them).
                if stream.pointee.next_in.pointee == 0 {
                    stream.pointee.next_in += 1
                    stream.pointee.avail_in -= 1
                    continue
                }
                inflateReset(stream)
                isBetweenMembers = false
            }
            hasMember = true
            let code = inflate(stream, Z_NO_FLUSH)
            let made = room - Int(stream.pointee.avail_out)
            switch code {
            case Z_STREAM_END:
                isBetweenMembers = true
                if made > 0 { return made }
            case Z_OK:
                if made > 0 { return made }
            case Z_BUF_ERROR:
                if made > 0 { return made }
                if stream.pointee.avail_in == 0, isSourceAtEnd {
                    throw InputError(source: name, reason: "the compressed data ends before it is complete")
                }
            default:
                // What stands before the damage is good; zlib says the same again at the next call.
                if made > 0 { return made }
                throw InputError(source: name, reason: "the compressed data is damaged")
            }
        }
    }

    private func refill() throws {
        let count = try source.read(into: UnsafeMutableRawBufferPointer(input))
        isSourceAtEnd = count == 0
        stream.pointee.next_in = input.baseAddress
        stream.pointee.avail_in = uInt(count)
    }
}
