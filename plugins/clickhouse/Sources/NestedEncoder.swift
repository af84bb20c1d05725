internal import DataPath
internal import Glibc

/// Turns JSON arrays and objects of scalars into `Array` and `Map` of RowBinary: the number of elements as LEB128, then the
/// elements; a map's are its key, a text, and its value. Threads: one at a time.
///
/// The JSON is that of the Avro decoder and of JSON messages that passed their check: dates and times are numbers or ISO
/// text, decimals numbers or text, NaN and the infinities text, bytes text of the code points 0 to 255. No element is null:
/// the types of fields have no nullable elements.
final class NestedEncoder {
    private let isMap: Bool
    private let element: LogicalType
    /// The elements of the value at hand.
    private let out = ByteBuffer(capacity: 1024)
    /// Where strings with escapes are put together.
    private let scratch = OutputBuffer()
    /// No value but text takes more.
    private static let widest = 16

    /// Nil for a form that is neither array nor map.
    init?(_ form: ColumnForm) {
        switch form {
        case .scalar: return nil
        case .array(let element): (isMap, self.element) = (false, element)
        case .map(let value): (isMap, element) = (true, value)
        }
    }

    /// Appends the value; false, with nothing appended, when the text is not of that form.
    func append(_ text: UnsafeRawBufferPointer, to target: ByteBuffer) -> Bool {
        guard let count = encode(text) else { return false }
        target.reserve(Self.widest + out.count)
        var end = UnsafeMutableRawPointer(target.end)
        RowBinaryEncoder.writeLength(count, &end)
        target.count = end - UnsafeMutableRawPointer(target.bytes)
        target.append(out.contents)
        return true
    }

    /// Puts the elements in `out` and gives their number.
    private func encode(_ text: UnsafeRawBufferPointer) -> Int? {
        out.removeAll()
        guard let start = text.baseAddress else { return nil }
        var scanner = JSONScanner(start.assumingMemoryBound(to: UInt8.self), count: text.count)
        scanner.repairsSurrogates = true
        guard scanner.take(isMap ? UInt8(ascii: "{") : UInt8(ascii: "[")) else { return nil }
        let closing = isMap ? UInt8(ascii: "}") : UInt8(ascii: "]")
        var count = 0
        var isClosed = scanner.take(closing)
        while !isClosed {
            if isMap {
                guard let key = scanner.string(scratch) else { return nil }
                put(text: key)
                guard scanner.take(UInt8(ascii: ":")) else { return nil }
            }
            guard putElement(&scanner) else { return nil }
            count += 1
            guard let ends = scanner.ends(with: closing) else { return nil }
            isClosed = ends
        }
        _ = scanner.peek()
        return scanner.cursor == scanner.end ? count : nil
    }

    private func putElement(_ scanner: inout JSONScanner) -> Bool {
        switch scanner.peek() {
        case UInt8(ascii: "\""):
            guard let text = scanner.string(scratch) else { return false }
            return put(string: text)
        case UInt8(ascii: "t"), UInt8(ascii: "f"):
            guard case .boolean = element else { return false }
            let value = scanner.peek() == UInt8(ascii: "t")
            guard scanner.take(word: value ? "true" : "false") else { return false }
            out.append(value ? 1 : 0)
            return true
        default:
            guard let text = scanner.number() else { return false }
            return put(number: text)
        }
    }

    private func put(string text: UnsafeRawBufferPointer) -> Bool {
        switch element {
        case .string: put(text: text)
        case .bytes: return put(codePoints: text)
        case .uuid:
            out.reserve(Self.widest)
            guard UUIDBytes.write(text, to: UnsafeMutableRawPointer(out.end)) else { return false }
            out.count += 16
        case .date:
            guard let days = TextFormat.date(text).flatMap({ Int32(exactly: $0) }) else { return false }
            put(days)
        case .timestamp:
            guard let local = TextFormat.localTimestamp(text) else { return false }
            put(local.milliseconds - Int64(local.offsetSeconds ?? 0) * 1000)
        case .float, .double:
            if text.elementsEqual("NaN".utf8) {
                put(double: .nan)
            } else if text.elementsEqual("Infinity".utf8) {
                put(double: .infinity)
            } else if text.elementsEqual("-Infinity".utf8) {
                put(double: -.infinity)
            } else {
                return false
            }
        case .decimal(let precision, let scale): return put(decimal: text, precision, scale)
        case .boolean, .int, .long, .json: return false
        }
        return true
    }

    private func put(number text: UnsafeRawBufferPointer) -> Bool {
        switch element {
        case .int, .date:
            guard let value = TextFormat.integer(text).flatMap({ Int32(exactly: $0) }) else { return false }
            put(value)
        case .long, .timestamp:
            guard let value = TextFormat.integer(text) else { return false }
            put(value)
        case .float, .double: return put(floating: text)
        case .decimal(let precision, let scale): return put(decimal: text, precision, scale)
        case .boolean, .string, .bytes, .uuid, .json: return false
        }
        return true
    }

    private func put(decimal text: UnsafeRawBufferPointer, _ precision: Int, _ scale: Int) -> Bool {
        guard case .value(let value) = TextFormat.decimal(text, precision: precision, scale: scale) else {
            return false
        }
        switch RowBinaryCell.decimalWidth(precision) {
        case 4:
            guard let narrow = Int32(exactly: value) else { return false }
            put(narrow)
        case 8:
            guard let narrow = Int64(exactly: value) else { return false }
            put(narrow)
        default: put(value)
        }
        return true
    }

    /// `strtod` and `strtof` round correctly and need an end; a float is not rounded twice.
    private func put(floating text: UnsafeRawBufferPointer) -> Bool {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: text.count + 1) { copy in
            for (index, byte) in text.enumerated() { copy[index] = CChar(truncatingIfNeeded: byte) }
            copy[text.count] = 0
            guard let start = copy.baseAddress else { return false }
            if case .float = element {
                put(strtof(start, nil).bitPattern)
            } else {
                put(strtod(start, nil).bitPattern)
            }
            return true
        }
    }

    private func put(double value: Double) {
        if case .float = element { put(Float(value).bitPattern) } else { put(value.bitPattern) }
    }

    /// Each code point, which is at most 255, is a byte.
    private func put(codePoints text: UnsafeRawBufferPointer) -> Bool {
        var count = 0
        for byte in text where byte & 0xC0 != 0x80 { count += 1 }
        putLength(count)
        out.reserve(count)
        var index = 0
        while index < text.count {
            if text[index] < 0x80 {
                out.append(text[index])
            } else {
                // U+0080 to U+00FF are C2 or C3 and one more byte.
                guard text[index] & 0xFE == 0xC2, index + 1 < text.count, text[index + 1] & 0xC0 == 0x80 else {
                    return false
                }
                out.append(text[index] << 6 | text[index + 1] & 0x3F)
                index += 1
            }
            index += 1
        }
        return true
    }

    private func put(text: UnsafeRawBufferPointer) {
        putLength(text.count)
        out.append(text)
    }

    private func putLength(_ count: Int) {
        out.reserve(Self.widest)
        var end = UnsafeMutableRawPointer(out.end)
        RowBinaryEncoder.writeLength(count, &end)
        out.count = end - UnsafeMutableRawPointer(out.bytes)
    }

    @inline(__always)
    private func put<Number: FixedWidthInteger>(_ value: Number) {
        out.reserve(Self.widest)
        UnsafeMutableRawPointer(out.end).storeBytes(of: value.littleEndian, as: Number.self)
        out.count += MemoryLayout<Number>.size
    }
}
