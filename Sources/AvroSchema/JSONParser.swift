internal import Diagnostics

/// Parses JSON (RFC 8259) into ``JSONNode``s: strict, with positions, at most 128 levels deep.
struct JSONParser {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var lineStart = 0

    private static let depthLimit = 128

    static func parse(_ bytes: [UInt8]) throws(AvroSchemaError) -> JSONNode {
        var parser = JSONParser(bytes: bytes)
        let node = try parser.value(depth: 0)
        parser.skipSpace()
        if parser.position < bytes.count { throw parser.error("something follows the end of the JSON value") }
        return node
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Continuation bytes do not begin a scalar, so they do not count.
    private var column: Int { bytes[lineStart..<position].reduce(1) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) } }

    private func error(_ message: String) -> AvroSchemaError {
        AvroSchemaError(.schemaJSON, message, line: line, column: column)
    }

    private mutating func skipSpace() {
        while let byte = current {
            switch byte {
            case 0x0A:
                position += 1
                line += 1
                lineStart = position
            case 0x20, 0x09, 0x0D: position += 1
            default: return
            }
        }
    }

    private mutating func value(depth: Int) throws(AvroSchemaError) -> JSONNode {
        skipSpace()
        if depth > Self.depthLimit { throw error("more than \(Self.depthLimit) levels of nesting") }
        let (line, column) = (line, column)
        let value: JSONNode.Value
        switch current {
        case nil: throw error("the JSON text ends too early")
        case UInt8(ascii: "{"): value = .object(try object(depth: depth))
        case UInt8(ascii: "["): value = .array(try array(depth: depth))
        case UInt8(ascii: "\""): value = .string(try string())
        case UInt8(ascii: "t"): value = try word("true", .boolean(true))
        case UInt8(ascii: "f"): value = try word("false", .boolean(false))
        case UInt8(ascii: "n"): value = try word("null", .null)
        default: value = try number()
        }
        return JSONNode(value: value, line: line, column: column)
    }

    private mutating func word(
        _ text: StaticString, _ value: JSONNode.Value
    ) throws(AvroSchemaError) -> JSONNode.Value {
        let count = text.utf8CodeUnitCount
        let expected = UnsafeBufferPointer(start: text.utf8Start, count: count)
        guard bytes[position...].starts(with: expected) else { throw error("this is not a JSON value") }
        position += count
        return value
    }

    private mutating func object(depth: Int) throws(AvroSchemaError) -> [JSONNode.Member] {
        var members: [JSONNode.Member] = []
        var keys = Set<String>()
        position += 1
        skipSpace()
        if current == UInt8(ascii: "}") {
            position += 1
            return members
        }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw error("a key in double quotes was expected") }
            let place = error("")
            let key = try string()
            guard keys.insert(key).inserted else {
                throw AvroSchemaError(
                    .schemaJSON, "the key '\(key)' stands twice in this object", line: place.line, column: place.column)
            }
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw error("':' was expected after the key '\(key)'") }
            position += 1
            members.append(JSONNode.Member(key: key, value: try value(depth: depth + 1)))
            if try ends(with: "}") { return members }
        }
    }

    private mutating func array(depth: Int) throws(AvroSchemaError) -> [JSONNode] {
        var items: [JSONNode] = []
        position += 1
        skipSpace()
        if current == UInt8(ascii: "]") {
            position += 1
            return items
        }
        while true {
            items.append(try value(depth: depth + 1))
            if try ends(with: "]") { return items }
        }
    }

    /// Takes a comma (false) or the closing bracket (true).
    private mutating func ends(with closing: Character) throws(AvroSchemaError) -> Bool {
        skipSpace()
        guard let byte = current, byte == UInt8(ascii: ",") || byte == closing.asciiValue else {
            throw error("',' or '\(closing)' was expected")
        }
        position += 1
        return byte != UInt8(ascii: ",")
    }

    private mutating func string() throws(AvroSchemaError) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw error("the string before this place is not valid UTF-8")
                }
                position += 1
                return string
            case UInt8(ascii: "\\"):
                position += 1
                text += try escape().utf8
            case 0..<0x20: throw error("a control character inside a string must be escaped")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw error("the string has no closing quote")
    }

    private mutating func escape() throws(AvroSchemaError) -> String {
        guard let byte = current else { throw error("the string has no closing quote") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            var code = UInt32(try hexadecimal())
            if 0xD800..<0xDC00 ~= code, current == UInt8(ascii: "\\"), position + 1 < bytes.count,
                bytes[position + 1] == UInt8(ascii: "u")
            {
                position += 2
                let low = UInt32(try hexadecimal())
                guard 0xDC00..<0xE000 ~= low else { throw error("half of a surrogate pair stands alone") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw error("half of a surrogate pair stands alone") }
            return String(Character(scalar))
        default: throw error("this escape does not exist in JSON")
        }
    }

    private mutating func hexadecimal() throws(AvroSchemaError) -> UInt16 {
        var code: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("four hexadecimal digits were expected")
            }
            code = code << 4 | UInt16(digit)
            position += 1
        }
        return code
    }

    private mutating func number() throws(AvroSchemaError) -> JSONNode.Value {
        let start = position
        var isInteger = true
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } ?? false }
        if current == UInt8(ascii: "-") { position += 1 }
        guard isDigit(current) else { throw error("this is not a JSON value") }
        if current == UInt8(ascii: "0") {
            position += 1
        } else {
            while isDigit(current) { position += 1 }
        }
        if current == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard isDigit(current) else { throw error("a digit was expected after the point") }
            while isDigit(current) { position += 1 }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            guard isDigit(current) else { throw error("a digit was expected in the exponent") }
            while isDigit(current) { position += 1 }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let integer = Int64(text) { return .integer(integer) }
        guard let double = Double(text), double.isFinite else { throw error("this number is too large") }
        return .double(double)
    }
}
