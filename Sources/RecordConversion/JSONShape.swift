internal import DataPath
internal import PlatformModel

/// Checks that JSON text is well formed (RFC 8259) and has the shape of a field type.
///
/// Strings are checked for escapes and control characters only: UTF-8 was checked when the record was read.
struct JSONShape {
    private let text: UnsafeRawBufferPointer
    private var index = 0
    private static let depthLimit = 64

    private init(_ text: UnsafeRawBufferPointer) { self.text = text }

    static func matches(_ text: UnsafeRawBufferPointer, _ type: FieldType) -> Bool {
        var shape = JSONShape(text)
        guard shape.value(type, isNullable: false, depth: 0) else { return false }
        shape.skipBlanks()
        return shape.index == text.count
    }

    /// `type` nil = any value.
    private mutating func value(_ type: FieldType?, isNullable: Bool, depth: Int) -> Bool {
        skipBlanks()
        guard depth <= Self.depthLimit, index < text.count else { return false }
        let start = index
        switch text[index] {
        case UInt8(ascii: "n"): return word("null") && (isNullable || type == nil)
        case UInt8(ascii: "t"), UInt8(ascii: "f"):
            guard word(text[index] == UInt8(ascii: "t") ? "true" : "false") else { return false }
            return type == nil || type == .boolean
        case UInt8(ascii: "\""):
            guard string() else { return false }
            return fits(string: UnsafeRawBufferPointer(rebasing: text[start + 1..<index - 1]), type)
        case UInt8(ascii: "["):
            if let type {
                guard case .array(let element) = type else { return false }
                return array(element, depth)
            }
            return array(nil, depth)
        case UInt8(ascii: "{"):
            switch type {
            case nil: return object(depth) { _ in .any }
            case .map(let element)?: return object(depth) { _ in .type(element, false) }
            case .record(let fields)?: return record(fields, depth)
            default: return false
            }
        default:
            guard number() else { return false }
            return fits(number: UnsafeRawBufferPointer(rebasing: text[start..<index]), type)
        }
    }

    private enum Wanted {
        case any
        case type(FieldType, Bool)
    }

    private mutating func array(_ element: FieldType?, _ depth: Int) -> Bool {
        index += 1
        skipBlanks()
        if take(UInt8(ascii: "]")) { return true }
        repeat {
            guard value(element, isNullable: false, depth: depth + 1) else { return false }
            skipBlanks()
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "]"))
    }

    private mutating func record(_ fields: [Field], _ depth: Int) -> Bool {
        var seen = Set<String>()
        let isObject = object(depth) { key in
            guard let field = fields.first(where: { $0.storedName == key }) else { return .any }
            seen.insert(key)
            return .type(field.type, field.isNullable)
        }
        return isObject
            && fields.allSatisfy { $0.isNullable || $0.defaultValue != nil || seen.contains($0.storedName) }
    }

    private mutating func object(_ depth: Int, _ wanted: (String) -> Wanted) -> Bool {
        index += 1
        skipBlanks()
        if take(UInt8(ascii: "}")) { return true }
        repeat {
            skipBlanks()
            let start = index
            guard index < text.count, text[index] == UInt8(ascii: "\""), string() else { return false }
            let key = String(decoding: text[start + 1..<index - 1], as: UTF8.self)
            skipBlanks()
            guard take(UInt8(ascii: ":")) else { return false }
            switch wanted(key) {
            case .any: guard value(nil, isNullable: true, depth: depth + 1) else { return false }
            case .type(let type, let isNullable):
                guard value(type, isNullable: isNullable, depth: depth + 1) else { return false }
            }
            skipBlanks()
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "}"))
    }

    private func fits(string: UnsafeRawBufferPointer, _ type: FieldType?) -> Bool {
        switch type {
        case nil, .string?, .bytes?: true
        case .uuid?: TextFormat.isUUID(string)
        case .enumeration(let symbols)?: symbols.contains(String(decoding: string, as: UTF8.self))
        case .date?: TextFormat.date(string) != nil
        case .timestamp?: TextFormat.localTimestamp(string) != nil
        case .decimal(let precision, let scale)?: isDecimal(string, precision, scale)
        case .float?, .double?: TextFormat.specialDouble(string) != nil
        default: false
        }
    }

    private func fits(number: UnsafeRawBufferPointer, _ type: FieldType?) -> Bool {
        switch type {
        case nil, .float?, .double?: true
        case .int?, .date?: TextFormat.integer(number).flatMap { Int32(exactly: $0) } != nil
        case .long?, .timestamp?, .money?: TextFormat.integer(number) != nil
        case .decimal(let precision, let scale)?: isDecimal(number, precision, scale)
        default: false
        }
    }

    private func isDecimal(_ text: UnsafeRawBufferPointer, _ precision: Int, _ scale: Int) -> Bool {
        if case .value = TextFormat.decimal(text, precision: precision, scale: scale) { true } else { false }
    }

    private mutating func skipBlanks() {
        while index < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[index]) { index += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard index < text.count, text[index] == byte else { return false }
        index += 1
        return true
    }

    private mutating func word(_ word: StaticString) -> Bool {
        let bytes = UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard text[index...].starts(with: bytes) else { return false }
        index += bytes.count
        return true
    }

    private mutating func string() -> Bool {
        index += 1
        while index < text.count {
            let byte = text[index]
            index += 1
            if byte == UInt8(ascii: "\"") { return true }
            if byte < 0x20 { return false }
            guard byte == UInt8(ascii: "\\") else { continue }
            guard index < text.count else { return false }
            let escape = text[index]
            index += 1
            if escape == UInt8(ascii: "u") {
                for _ in 0..<4 {
                    guard index < text.count,
                        text[index] &- UInt8(ascii: "0") < 10 || (text[index] | 0x20) &- UInt8(ascii: "a") < 6
                    else { return false }
                    index += 1
                }
            } else if !"\"\\/bfnrt".utf8.contains(escape) {
                return false
            }
        }
        return false
    }

    private mutating func number() -> Bool {
        func isDigit(_ at: Int) -> Bool { at < text.count && text[at] &- UInt8(ascii: "0") < 10 }
        _ = take(UInt8(ascii: "-"))
        guard isDigit(index) else { return false }
        if text[index] == UInt8(ascii: "0") { index += 1 } else { while isDigit(index) { index += 1 } }
        if take(UInt8(ascii: ".")) {
            guard isDigit(index) else { return false }
            while isDigit(index) { index += 1 }
        }
        if index < text.count, text[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            guard isDigit(index) else { return false }
            while isDigit(index) { index += 1 }
        }
        return true
    }
}
