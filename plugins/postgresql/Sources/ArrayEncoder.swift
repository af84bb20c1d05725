internal import DataPath
internal import Glibc

/// Turns JSON arrays of scalars into PostgreSQL's binary arrays of one dimension. Threads: one at a time.
///
/// The value is the number of dimensions, whether there are nulls, the elements' type, the length and the first index,
/// 32 bits each, then the elements, each after its length; an empty array has no dimension. Source: `array_recv` in the
/// server's `arrayfuncs.c`. The JSON is that of the Avro decoder: dates, times and decimals are text or numbers, NaN
/// and the infinities are strings, bytes are strings of the code points 0 to 255.
final class ArrayEncoder {
    private let element: PostgresType
    private let replacesText: Bool
    private let out = ByteBuffer(capacity: 1024)
    /// Where strings with escapes are put together.
    private let scratch = OutputBuffer()

    init(_ element: PostgresType, replacesText: Bool) {
        self.element = element
        self.replacesText = replacesText
    }

    /// The value that the last ``encode(_:)`` made, without its length.
    var value: UnsafeRawBufferPointer { out.contents }

    /// Nil when ``value`` is the array.
    func encode(_ text: UnsafeRawBufferPointer) -> UnstorableValue.Reason? {
        out.removeAll()
        guard let start = text.baseAddress else { return .array }
        var scanner = JSONScanner(start.assumingMemoryBound(to: UInt8.self), count: text.count)
        scanner.repairsSurrogates = replacesText
        guard scanner.take(UInt8(ascii: "[")) else { return .array }
        let headerLength = 20
        out.reserve(headerLength)
        out.count = headerLength
        var length: Int32 = 0
        var hasNulls = false
        var isClosed = scanner.take(UInt8(ascii: "]"))
        while !isClosed {
            out.reserve(BinaryValue.longest)
            if scanner.peek() == UInt8(ascii: "n") {
                guard scanner.take(word: "null") else { return .array }
                hasNulls = true
                write { BinaryValue.putNull(&$0) }
            } else if let reason = encodeElement(&scanner) {
                return reason
            }
            length += 1
            guard let ends = scanner.ends(with: UInt8(ascii: "]")) else { return .array }
            isClosed = ends
        }
        _ = scanner.peek()
        guard scanner.cursor == scanner.end else { return .array }
        var header = out.bytes
        BinaryValue.put(Int32(length == 0 ? 0 : 1), &header)
        BinaryValue.put(Int32(hasNulls ? 1 : 0), &header)
        BinaryValue.put(element.typeID, &header)
        BinaryValue.put(length, &header)
        BinaryValue.put(Int32(1), &header)
        if length == 0 { out.count = 12 }
        return nil
    }

    private func encodeElement(_ scanner: inout JSONScanner) -> UnstorableValue.Reason? {
        let first = scanner.peek()
        if first == UInt8(ascii: "\"") {
            guard let text = scanner.string(scratch) else { return .array }
            return encode(string: text)
        }
        if case .boolean = element {
            let value = first == UInt8(ascii: "t")
            guard scanner.take(word: value ? "true" : "false") else { return .array }
            write { BinaryValue.put(boolean: value, &$0) }
            return nil
        }
        guard let text = scanner.number() else { return .array }
        return encode(number: text)
    }

    private func encode(string text: UnsafeRawBufferPointer) -> UnstorableValue.Reason? {
        switch element {
        case .text:
            if StorableText.isStorable(text) {
                write(bytes: text)
            } else {
                guard replacesText else { return .text }
                StorableText.repaired(text).withUnsafeBytes { write(bytes: $0) }
            }
        case .uuid: guard write({ BinaryValue.put(uuid: text, &$0) }) else { return .uuid }
        case .bytea: return encode(codePoints: text)
        case .date:
            guard let days = TextFormat.date(text) else { return .array }
            guard write({ BinaryValue.put(date: days, &$0) }) else { return .date }
        case .timestamp:
            guard let local = TextFormat.localTimestamp(text) else { return .array }
            let milliseconds = local.milliseconds - Int64(local.offsetSeconds ?? 0) * 1000
            guard write({ BinaryValue.put(timestamp: milliseconds, &$0) }) else { return .timestamp }
        case .real, .double:
            guard let value = TextFormat.specialDouble(text) else { return .array }
            write(double: value)
        case .numeric: return encode(number: text)
        default: return .array
        }
        return nil
    }

    private func encode(number text: UnsafeRawBufferPointer) -> UnstorableValue.Reason? {
        switch element {
        case .integer:
            guard let value = TextFormat.integer(text) else { return .array }
            guard let small = Int32(exactly: value) else { return .integer }
            write { BinaryValue.putSized(small, &$0) }
        case .bigint:
            guard let value = TextFormat.integer(text) else { return .array }
            write { BinaryValue.putSized(value, &$0) }
        case .real, .double: return encode(floating: text)
        // The Avro decoder writes dates as days and timestamps as milliseconds since 1970.
        case .date:
            guard let days = TextFormat.integer(text) else { return .array }
            guard write({ BinaryValue.put(date: days, &$0) }) else { return .date }
        case .timestamp:
            guard let milliseconds = TextFormat.integer(text) else { return .array }
            guard write({ BinaryValue.put(timestamp: milliseconds, &$0) }) else { return .timestamp }
        case .numeric(let precision, let scale):
            guard case .value(let value) = TextFormat.decimal(text, precision: precision, scale: scale) else {
                return .array
            }
            write { BinaryValue.put(numeric: value, scale: scale, &$0) }
        default: return .array
        }
        return nil
    }

    /// `strtod` and `strtof` round correctly and need an end; a `real` is not rounded twice.
    private func encode(floating text: UnsafeRawBufferPointer) -> UnstorableValue.Reason? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: text.count + 1) { copy in
            for (index, byte) in text.enumerated() { copy[index] = CChar(truncatingIfNeeded: byte) }
            copy[text.count] = 0
            guard let start = copy.baseAddress else { return .array }
            if case .real = element {
                let value = strtof(start, nil)
                write { BinaryValue.put(float: value, &$0) }
            } else {
                write(double: strtod(start, nil))
            }
            return nil
        }
    }

    /// Each code point, which is at most 255, is a byte.
    private func encode(codePoints text: UnsafeRawBufferPointer) -> UnstorableValue.Reason? {
        out.reserve(4 + text.count)
        let lengthAt = out.count
        out.count += 4
        var index = 0
        while index < text.count {
            if text[index] < 0x80 {
                out.bytes[out.count] = text[index]
            } else {
                // U+0080 to U+00FF are C2 or C3 and one more byte.
                guard text[index] & 0xFE == 0xC2, index + 1 < text.count, text[index + 1] & 0xC0 == 0x80 else {
                    return .array
                }
                out.bytes[out.count] = text[index] << 6 | text[index + 1] & 0x3F
                index += 1
            }
            out.count += 1
            index += 1
        }
        var cursor = out.bytes + lengthAt
        BinaryValue.put(Int32(truncatingIfNeeded: out.count - lengthAt - 4), &cursor)
        return nil
    }

    private func write(double value: Double) {
        if case .real = element {
            write { BinaryValue.put(float: Float(value), &$0) }
        } else {
            write { BinaryValue.put(double: value, &$0) }
        }
    }

    private func write(bytes: UnsafeRawBufferPointer) {
        write { BinaryValue.put(Int32(truncatingIfNeeded: bytes.count), &$0) }
        out.append(bytes)
    }

    /// Writes a value of bounded size, for which there is room.
    @inline(__always)
    private func write<Result>(_ body: (inout BinaryValue.Cursor) -> Result) -> Result {
        var cursor = out.end
        defer { out.count = cursor - out.bytes }
        return body(&cursor)
    }
}
