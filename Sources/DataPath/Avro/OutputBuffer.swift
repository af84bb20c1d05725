/// A growable run of bytes for text and datums that are built piece by piece. Threads: one at a time.
package final class OutputBuffer {
    @exclusivity(unchecked) private(set) var base: UnsafeMutablePointer<UInt8>
    @exclusivity(unchecked) private var capacity = 1024
    @exclusivity(unchecked) package private(set) var count = 0

    package init() { base = .allocate(capacity: capacity) }

    deinit { base.deallocate() }

    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    package func removeAll() { count = 0 }

    /// Replaces the byte at `place` by an integer, moving what follows.
    func replace(byteAt place: Int, withVarint value: Int64) {
        reserve(AvroVarint.longest)
        let extra = AvroVarint.length(value) - 1
        var cursor = base + place
        if extra > 0 {
            UnsafeMutableRawPointer(cursor + 1 + extra).copyMemory(from: cursor + 1, byteCount: count - place - 1)
        }
        AvroVarint.write(value, &cursor)
        count += extra
    }

    @inline(__always)
    private func reserve(_ more: Int) {
        if count + more > capacity { grow(more) }
    }

    private func grow(_ more: Int) {
        let larger = max(capacity * 2, count + more)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        moved.update(from: base, count: count)
        base.deallocate()
        (base, capacity) = (moved, larger)
    }

    @inline(__always)
    package func put(_ byte: UInt8) {
        reserve(1)
        base[count] = byte
        count += 1
    }

    package func put(_ bytes: UnsafeRawBufferPointer) {
        reserve(bytes.count)
        if let start = bytes.baseAddress {
            UnsafeMutableRawPointer(base + count).copyMemory(from: start, byteCount: bytes.count)
        }
        count += bytes.count
    }

    package func put(_ bytes: [UInt8]) { bytes.withUnsafeBytes { put($0) } }

    package func put(_ text: StaticString) {
        put(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package func put(text: String) {
        var text = text
        text.withUTF8 { put(UnsafeRawBufferPointer($0)) }
    }

    package func put(varint value: Int64) {
        reserve(AvroVarint.longest)
        var cursor = base + count
        AvroVarint.write(value, &cursor)
        count = cursor - base
    }

    package func put(decimal value: Int128, count byteCount: Int) {
        reserve(byteCount)
        var cursor = base + count
        AvroDecimal.write(value, count: byteCount, &cursor)
        count = cursor - base
    }

    package func put(littleEndian value: UInt64, count byteCount: Int) {
        for index in 0..<byteCount { put(UInt8(truncatingIfNeeded: value >> UInt64(index * 8))) }
    }

    /// A JSON string literal. Bytes that are not UTF-8 become U+FFFD, so that the text stays valid.
    package func putJSONString(_ bytes: UnsafeRawBufferPointer) {
        if bytes.contains(where: { $0 >= 0x80 }), String(validating: bytes, as: UTF8.self) == nil {
            var repaired = String(decoding: bytes, as: UTF8.self)
            repaired.withUTF8 { putQuoted(UnsafeRawBufferPointer($0)) }
        } else {
            putQuoted(bytes)
        }
    }

    private func putQuoted(_ bytes: UnsafeRawBufferPointer) {
        put(UInt8(ascii: "\""))
        for byte in bytes { putEscaped(byte) }
        put(UInt8(ascii: "\""))
    }

    private func putEscaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): put("\\\"")
        case UInt8(ascii: "\\"): put("\\\\")
        case 0x0A: put("\\n")
        case 0x0D: put("\\r")
        case 0x09: put("\\t")
        case 0..<0x20:
            put("\\u00")
            put(byte >> 4 + UInt8(ascii: "0"))
            let low = byte & 15
            put(low < 10 ? low + UInt8(ascii: "0") : low - 10 + UInt8(ascii: "a"))
        default: put(byte)
        }
    }

    /// Bytes as Avro's JSON encoding has them: a string in which each byte is the code point of its value.
    package func putJSONBytes(_ bytes: UnsafeRawBufferPointer) {
        put(UInt8(ascii: "\""))
        for byte in bytes {
            if byte < 0x80 {
                putEscaped(byte)
            } else {
                put(0xC0 | byte >> 6)
                put(0x80 | byte & 0x3F)
            }
        }
        put(UInt8(ascii: "\""))
    }
}
