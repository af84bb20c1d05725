extension JSONDatumWriter {
    /// A value without values inside.
    func scalar(_ node: AvroNodes.Node, _ scanner: inout JSONScanner) -> AvroEncodeError.Reason? {
        let first = scanner.peek()
        let start = scanner
        if first == UInt8(ascii: "\"") {
            guard let text = scanner.string(scratch) else { return .malformedJSON }
            return string(text, node)
        }
        switch first {
        case UInt8(ascii: "t"), UInt8(ascii: "f"):
            guard node.kind == .boolean else { return mismatch(&scanner) }
            let flag = first == UInt8(ascii: "t")
            guard scanner.take(word: flag ? "true" : "false") else { return .malformedJSON }
            out.put(flag ? 1 : 0)
            return nil
        case UInt8(ascii: "n"):
            guard node.kind == .null else { return mismatch(&scanner) }
            return scanner.take(word: "null") ? nil : .malformedJSON
        case UInt8(ascii: "{"), UInt8(ascii: "["): return mismatch(&scanner)
        default:
            guard let text = scanner.number() else {
                scanner = start
                return .malformedJSON
            }
            return number(text, node)
        }
    }

    private func string(_ text: UnsafeRawBufferPointer, _ node: AvroNodes.Node) -> AvroEncodeError.Reason? {
        switch node.kind {
        case .string:
            out.put(varint: Int64(text.count))
            out.put(text)
        case .enumeration:
            for symbol in 0..<node.count
            where nodes.names[node.firstName + symbol].withUnsafeBytes({ $0.elementsEqual(text) }) {
                out.put(varint: Int64(symbol))
                return nil
            }
            return .unknownSymbol
        case .bytes, .fixed: return bytes(text, node)
        case .decimal: return decimal(text, node)
        case .int where node.calendar == .days:
            guard let days = TextFormat.date(text) else { return .wrongType }
            out.put(varint: days)
        case .long where node.calendar == .milliseconds || node.calendar == .microseconds:
            guard let local = TextFormat.localTimestamp(text) else { return .wrongType }
            // Four digits of a year keep even microseconds far from the limits of 64 bits.
            let milliseconds = local.milliseconds - Int64(local.offsetSeconds ?? 0) * 1000
            out.put(varint: node.calendar == .milliseconds ? milliseconds : milliseconds * 1000)
        case .float, .double:
            guard let value = TextFormat.specialDouble(text) else { return .wrongType }
            put(value, node)
        default: return .wrongType
        }
        return nil
    }

    private func number(_ text: UnsafeRawBufferPointer, _ node: AvroNodes.Node) -> AvroEncodeError.Reason? {
        switch node.kind {
        case .int, .long:
            var value = TextFormat.integer(text)
            if value == nil {
                // 3.0 and 1e3 are whole numbers too.
                switch TextFormat.decimal(text, precision: 38, scale: 0) {
                case .value(let whole): value = Int64(exactly: whole)
                case .outOfRange: break
                case .notANumber, .tooManyFractionDigits: return .wrongType
                }
            }
            guard let value, node.kind == .long || Int32(exactly: value) != nil else { return .outOfRange }
            out.put(varint: value)
        case .float:
            // Through a double it would be rounded twice.
            guard let value = Float(String(decoding: text, as: UTF8.self)), value.isFinite else { return .outOfRange }
            out.put(littleEndian: UInt64(value.bitPattern), count: 4)
        case .double:
            guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else { return .outOfRange }
            put(value, node)
        case .decimal: return decimal(text, node)
        default: return .wrongType
        }
        return nil
    }

    private func put(_ value: Double, _ node: AvroNodes.Node) {
        if node.kind == .float {
            out.put(littleEndian: UInt64(Float(value).bitPattern), count: 4)
        } else {
            out.put(littleEndian: value.bitPattern, count: 8)
        }
    }

    private func decimal(_ text: UnsafeRawBufferPointer, _ node: AvroNodes.Node) -> AvroEncodeError.Reason? {
        switch TextFormat.decimal(text, precision: min(node.precision, 38), scale: node.scale) {
        case .value(let value):
            let count = AvroDecimal.byteCount(value)
            if node.size < 0 {
                out.put(varint: Int64(count))
                out.put(decimal: value, count: count)
            } else {
                guard count <= node.size else { return .outOfRange }
                out.put(decimal: value, count: node.size)
            }
            return nil
        case .notANumber: return .wrongType
        case .tooManyFractionDigits: return .tooManyFractionDigits
        case .outOfRange: return .outOfRange
        }
    }

    /// A string in which each byte is the code point of its value.
    private func bytes(_ text: UnsafeRawBufferPointer, _ node: AvroNodes.Node) -> AvroEncodeError.Reason? {
        var count = 0
        var index = 0
        while index < text.count {
            if text[index] >= 0x80 {
                // U+0080 to U+00FF are C2 or C3 and one more byte.
                guard text[index] & 0xFE == 0xC2, index + 1 < text.count, text[index + 1] & 0xC0 == 0x80 else {
                    return .wrongType
                }
                index += 1
            }
            index += 1
            count += 1
        }
        if node.kind == .bytes {
            out.put(varint: Int64(count))
        } else if count != node.size {
            return .wrongLength
        }
        index = 0
        while index < text.count {
            if text[index] < 0x80 {
                out.put(text[index])
            } else {
                out.put(text[index] << 6 | text[index + 1] & 0x3F)
                index += 1
            }
            index += 1
        }
        return nil
    }
}
