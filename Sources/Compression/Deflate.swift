internal import CZlib

/// A failure to compress or decompress; the bytes themselves are not in it.
public enum CompressionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The bytes are not a complete deflate stream.
    case malformed
    /// The result would be larger than the caller's bound.
    case tooLarge(byteLimit: Int)
    /// zlib could not get memory, or was misused; its code.
    case failed(code: Int32)

    public var description: String {
        switch self {
        case .malformed: "the compressed bytes are damaged or incomplete"
        case .tooLarge(let limit): "the decompressed data is larger than \(limit) bytes"
        case .failed(let code): "zlib failed with code \(code)"
        }
    }
}

/// Deflate of whole buffers, raw (RFC 1951, no wrapper) or as gzip, and CRC-32.
public enum Deflate {
    /// Compresses `bytes`; `level` is 1 (fast) … 9 (small). The same input gives the same bytes with the same zlib.
    public static func compress(_ bytes: UnsafeRawBufferPointer, level: Int = 6) throws(CompressionError) -> [UInt8] {
        try compress(bytes, level: level, windowBits: -15)
    }

    /// Compresses `bytes` to one gzip member (RFC 1952) without a file name or time.
    public static func gzip(_ bytes: UnsafeRawBufferPointer, level: Int = 6) throws(CompressionError) -> [UInt8] {
        // 16 more make zlib write gzip's header and trailer around its window of 15 bits.
        try compress(bytes, level: level, windowBits: 15 + 16)
    }

    private static func compress(
        _ bytes: UnsafeRawBufferPointer, level: Int, windowBits: Int32
    ) throws(CompressionError) -> [UInt8] {
        var stream = z_stream()
        let began = sp_deflateInit2(&stream, Int32(min(max(level, 1), 9)), windowBits)
        guard began == Z_OK else { throw .failed(code: began) }
        defer { deflateEnd(&stream) }
        guard let inputLength = uInt(exactly: bytes.count) else { throw .tooLarge(byteLimit: Int(uInt.max)) }
        var code = Z_OK
        let out = [UInt8](unsafeUninitializedCapacity: Int(deflateBound(&stream, uLong(bytes.count)))) {
            buffer, count in
            stream.next_in = inputPointer(bytes)
            stream.avail_in = inputLength
            stream.next_out = buffer.baseAddress
            stream.avail_out = uInt(truncatingIfNeeded: buffer.count)
            code = deflate(&stream, Z_FINISH)
            count = Int(stream.total_out)
        }
        guard code == Z_STREAM_END else { throw .failed(code: code) }
        return out
    }

    /// Decompresses a whole raw deflate stream. At most `trailingLimit` bytes may follow it. At most `byteLimit` bytes come
    /// out.
    public static func decompress(
        _ bytes: UnsafeRawBufferPointer, byteLimit: Int, trailingLimit: Int = 0
    ) throws(CompressionError) -> [UInt8] {
        var stream = z_stream()
        let began = sp_inflateInit2(&stream, -15)
        guard began == Z_OK else { throw .failed(code: began) }
        defer { inflateEnd(&stream) }
        guard let inputLength = uInt(exactly: bytes.count) else { throw .tooLarge(byteLimit: Int(uInt.max)) }
        stream.next_in = inputPointer(bytes)
        stream.avail_in = inputLength
        // One byte more than allowed tells "exactly the limit" from "more than the limit".
        let most = byteLimit + 1
        var out = [UInt8](repeating: 0, count: min(most, max(bytes.count * 4, 1024)))
        var filled = 0
        while true {
            let code = out.withUnsafeMutableBytes { buffer -> Int32 in
                guard let base = buffer.baseAddress else { return Z_BUF_ERROR }
                let room = min(buffer.count - filled, Int(uInt.max))
                stream.next_out = base.assumingMemoryBound(to: UInt8.self) + filled
                stream.avail_out = uInt(room)
                let code = inflate(&stream, Z_NO_FLUSH)
                filled += room - Int(stream.avail_out)
                return code
            }
            if filled > byteLimit { throw .tooLarge(byteLimit: byteLimit) }
            switch code {
            case Z_STREAM_END:
                guard Int(stream.avail_in) <= trailingLimit else { throw .malformed }
                out.removeLast(out.count - filled)
                return out
            case Z_OK, Z_BUF_ERROR:
                // Room left over means that the input ended before the stream did.
                guard filled == out.count else { throw .malformed }
                out += repeatElement(0, count: min(out.count, most - out.count))
            case Z_DATA_ERROR, Z_NEED_DICT: throw .malformed
            default: throw .failed(code: code)
            }
        }
    }

    /// The CRC-32 (as in gzip and zip) of `bytes`, continuing from `crc`.
    public static func crc32(_ bytes: UnsafeRawBufferPointer, continuing crc: UInt32 = 0) -> UInt32 {
        UInt32(truncatingIfNeeded: CZlib.crc32_z(uLong(crc), bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
    }

    /// zlib wants a mutable pointer but only reads through it.
    private static func inputPointer(_ bytes: UnsafeRawBufferPointer) -> UnsafeMutablePointer<UInt8>? {
        UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
    }
}
