import AvroSchema
import ConfigTree

/// Defaults of fields, as Avro writes them.
enum DefaultText {
    /// The default in the form that the schema's JSON takes, or nil with a reason.
    static func value(_ node: ConfigNode, _ type: FieldType, _ reason: inout String?) -> AvroDefault? {
        switch type {
        case .record(let fields): return record(node, fields, &reason)
        case .array(let inner):
            guard let items = node.sequence else { return fail("takes a list, found \(node.kindDescription)", &reason) }
            let values = items.compactMap { value($0, inner, &reason) }
            return values.count == items.count ? .array(values) : nil
        case .map(let inner):
            guard let mapping = node.mapping else { return fail("takes a map, found \(node.kindDescription)", &reason) }
            var object: [String: AvroDefault] = [:]
            for entry in mapping.entries {
                guard let item = value(entry.node, inner, &reason) else { return nil }
                object[entry.key] = item
            }
            return .object(object)
        default: return leaf(node, type, &reason)
        }
    }

    private static func record(_ node: ConfigNode, _ fields: [Field], _ reason: inout String?) -> AvroDefault? {
        guard let mapping = node.mapping else { return fail("takes a map, found \(node.kindDescription)", &reason) }
        if let stranger = mapping.keys.first(where: { key in !fields.contains { $0.name == key } }) {
            return fail("names a field '\(stranger)' that the record lacks", &reason)
        }
        var object: [String: AvroDefault] = [:]
        for field in fields {
            if let child = mapping[field.name], !child.isNull {
                guard let item = value(child, field.type, &reason) else { return nil }
                object[field.storedName] = item
            } else if let inner = field.defaultValue ?? (field.isNullable ? .null : nil) {
                object[field.storedName] = inner
            } else {
                return fail("lacks a value for '\(field.name)'", &reason)
            }
        }
        return .object(object)
    }

    private static func leaf(_ node: ConfigNode, _ type: FieldType, _ reason: inout String?) -> AvroDefault? {
        guard let scalar = node.scalar else {
            return fail("takes a single value, found \(node.kindDescription)", &reason)
        }
        let text = scalar.text
        if let misfit = ValueText.misfit(text, type) { return fail("'\(text)' \(misfit)", &reason) }
        switch type {
        case .int, .long: return Int64(text).map { .integer($0) }
        case .float, .double: return Double(text).map { .double($0) }
        case .boolean: return .boolean(text == "true")
        case .date: return InstantText.days(text).map { .integer($0) }
        case .timestamp: return InstantText.milliseconds(text).map { .integer($0) }
        case .money(let scale):
            return ValueText.unscaled(text, precision: 18, scale: scale).map { .integer(Int64($0)) }
        case .decimal(let precision, let scale):
            return ValueText.unscaled(text, precision: precision, scale: scale).map { .string(bytes($0)) }
        case .string, .bytes, .uuid, .enumeration:
            if case .string = scalar.coreType { return .string(text) }
            return fail("is \(node.kindDescription), not a string; quote it: \"\(text)\"", &reason)
        case .record, .array, .map: return nil
        }
    }

    /// The shortest two's complement of the number, high byte first, each byte as the character of its code.
    private static func bytes(_ value: Int128) -> String {
        var bytes: [UInt8] = []
        var rest = value
        repeat {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        } while !((rest == 0 && bytes[bytes.count - 1] < 0x80) || (rest == -1 && bytes[bytes.count - 1] >= 0x80))
        var text = ""
        for byte in bytes.reversed() { text.unicodeScalars.append(Unicode.Scalar(byte)) }
        return text
    }

    private static func fail(_ text: String, _ reason: inout String?) -> AvroDefault? {
        reason = text
        return nil
    }
}
