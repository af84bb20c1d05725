extension AvroNodes {
    /// Writes a value of node `index` as JSON text and moves `cursor` past it. False, with part of the text written, when
    /// the bytes do not follow the schema.
    ///
    /// Records and maps become objects, arrays arrays, enums strings; the branch of a union stands bare. Dates and
    /// timestamps are their numbers, decimals numbers with all their digits, `bytes` and fixed strings in which each byte
    /// is the code point of its value; NaN and the infinities, which JSON lacks, are strings.
    package func writeJSON(
        _ index: Int, _ cursor: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, to out: OutputBuffer
    ) -> Bool {
        let node = nodes[index]
        switch node.kind {
        case .null: out.put("null")
        case .boolean:
            guard cursor < end, cursor[0] < 2 else { return false }
            if cursor[0] == 1 { out.put("true") } else { out.put("false") }
            cursor += 1
        case .int, .long:
            guard let value = AvroVarint.read(&cursor, end) else { return false }
            if node.kind == .int, Int32(exactly: value) == nil { return false }
            if showsMilliseconds, node.calendar == .microseconds {
                out.put(text: String(value / 1000 - (value % 1000 < 0 ? 1 : 0)))
            } else {
                out.put(text: String(value))
            }
        case .float:
            let start = cursor
            guard Self.advance(&cursor, end, 4) else { return false }
            let bits = UInt32(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt32.self))
            let value = Float(bitPattern: bits)
            Self.write(value.description, isFinite: value.isFinite, Double(value), to: out)
        case .double:
            let start = cursor
            guard Self.advance(&cursor, end, 8) else { return false }
            let bits = UInt64(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt64.self))
            let value = Double(bitPattern: bits)
            Self.write(value.description, isFinite: value.isFinite, value, to: out)
        case .string:
            guard let bytes = Self.readBytes(&cursor, end) else { return false }
            out.putJSONString(bytes)
        case .bytes:
            guard let bytes = Self.readBytes(&cursor, end) else { return false }
            out.putJSONBytes(bytes)
        case .fixed:
            let start = cursor
            guard Self.advance(&cursor, end, Int64(node.size)) else { return false }
            out.putJSONBytes(UnsafeRawBufferPointer(start: start, count: node.size))
        case .decimal: return writeDecimal(node, &cursor, end, to: out)
        case .enumeration:
            guard let symbol = AvroVarint.read(&cursor, end), symbol >= 0, symbol < Int64(node.count) else {
                return false
            }
            out.put(UInt8(ascii: "\""))
            out.put(names[node.firstName + Int(symbol)])
            out.put(UInt8(ascii: "\""))
        case .union:
            guard let branch = AvroVarint.read(&cursor, end), branch >= 0, branch < Int64(node.count) else {
                return false
            }
            return writeJSON(children[node.first + Int(branch)], &cursor, end, to: out)
        case .record:
            out.put(UInt8(ascii: "{"))
            for field in 0..<node.count {
                if field > 0 { out.put(UInt8(ascii: ",")) }
                out.put(UInt8(ascii: "\""))
                out.put(names[node.firstName + field])
                out.put("\":")
                guard writeJSON(children[node.first + field], &cursor, end, to: out) else { return false }
            }
            out.put(UInt8(ascii: "}"))
        case .array, .map: return writeBlocks(node, &cursor, end, to: out)
        }
        return true
    }

    private func writeBlocks(
        _ node: Node, _ cursor: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, to out: OutputBuffer
    ) -> Bool {
        let isMap = node.kind == .map
        out.put(isMap ? UInt8(ascii: "{") : UInt8(ascii: "["))
        var isFirst = true
        while true {
            let elementSize = elementSize(node)
            guard let block = Self.block(&cursor, end, elementSize: elementSize) else { return false }
            if block.count == 0 { break }
            for _ in 0..<block.count {
                if elementSize == 0, out.count > Self.emptyElementTextLimit { return false }
                if !isFirst { out.put(UInt8(ascii: ",")) }
                isFirst = false
                if isMap {
                    guard let key = Self.readBytes(&cursor, end) else { return false }
                    out.putJSONString(key)
                    out.put(UInt8(ascii: ":"))
                }
                guard writeJSON(children[node.first], &cursor, end, to: out) else { return false }
            }
        }
        out.put(isMap ? UInt8(ascii: "}") : UInt8(ascii: "]"))
        return true
    }

    private func writeDecimal(
        _ node: Node, _ cursor: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, to out: OutputBuffer
    ) -> Bool {
        let bytes: UnsafeRawBufferPointer
        if node.size < 0 {
            guard let read = Self.readBytes(&cursor, end) else { return false }
            bytes = read
        } else {
            let start = cursor
            guard Self.advance(&cursor, end, Int64(node.size)) else { return false }
            bytes = UnsafeRawBufferPointer(start: start, count: node.size)
        }
        guard let value = AvroDecimal.read(bytes) else { return false }
        if value < 0 { out.put(UInt8(ascii: "-")) }
        var digits = String(value.magnitude)
        if node.scale > 0 {
            if digits.utf8.count <= node.scale {
                digits = String(repeating: "0", count: node.scale + 1 - digits.utf8.count) + digits
            }
            let point = digits.index(digits.endIndex, offsetBy: -node.scale)
            digits = digits[..<point] + "." + digits[point...]
        }
        out.put(text: digits)
        return true
    }

    private static func write(_ text: String, isFinite: Bool, _ value: Double, to out: OutputBuffer) {
        if isFinite {
            out.put(text: text)
        } else if value.isNaN {
            out.put("\"NaN\"")
        } else if value > 0 {
            out.put("\"Infinity\"")
        } else {
            out.put("\"-Infinity\"")
        }
    }
}
