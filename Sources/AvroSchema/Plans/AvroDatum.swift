internal import DataPath

/// Encodes default values as Avro binary.
package enum AvroDatum {
    /// Nil when the value does not fit the type. A union's default is of its first branch, or of any other that it fits.
    package static func encode(_ value: AvroDefault, as schema: AvroSchema) -> [UInt8]? {
        let out = OutputBuffer()
        return put(value, schema, out) ? Array(out.bytes) : nil
    }

    private static func put(_ value: AvroDefault, _ schema: AvroSchema, _ out: OutputBuffer) -> Bool {
        switch (schema, value) {
        case (.null, .null): break
        case (.boolean, .boolean(let flag)): out.put(flag ? 1 : 0)
        case (.int, .integer(let number)):
            guard Int32(exactly: number) != nil else { return false }
            out.put(varint: number)
        case (.long, .integer(let number)): out.put(varint: number)
        case (.float, .integer(let number)): out.put(littleEndian: UInt64(Float(number).bitPattern), count: 4)
        case (.float, .double(let number)): out.put(littleEndian: UInt64(Float(number).bitPattern), count: 4)
        case (.double, .integer(let number)): out.put(littleEndian: Double(number).bitPattern, count: 8)
        case (.double, .double(let number)): out.put(littleEndian: number.bitPattern, count: 8)
        case (.string, .string(let text)):
            out.put(varint: Int64(text.utf8.count))
            out.put(text: text)
        case (.bytes, .string(let text)):
            guard let bytes = bytes(text) else { return false }
            out.put(varint: Int64(bytes.count))
            out.put(bytes)
        case (.fixed(_, _, let size), .string(let text)):
            guard let bytes = bytes(text), bytes.count == size else { return false }
            out.put(bytes)
        case (.enumeration(_, _, let symbols), .string(let text)):
            guard let index = symbols.firstIndex(of: text) else { return false }
            out.put(varint: Int64(index))
        case (.array(let items), .array(let values)):
            if !values.isEmpty { out.put(varint: Int64(values.count)) }
            for item in values { guard put(item, items, out) else { return false } }
            out.put(0)
        case (.map(let type), .object(let members)):
            if !members.isEmpty { out.put(varint: Int64(members.count)) }
            for (key, item) in members.sorted(by: { $0.key < $1.key }) {
                out.put(varint: Int64(key.utf8.count))
                out.put(text: key)
                guard put(item, type, out) else { return false }
            }
            out.put(0)
        case (.record(let record), .object(let members)):
            for field in record.fields {
                guard let item = members[field.name] ?? field.defaultValue, put(item, field.type, out) else {
                    return false
                }
            }
        case (.union(let branches), _):
            for (index, branch) in branches.enumerated() {
                if let bytes = encode(value, as: branch) {
                    out.put(varint: Int64(index))
                    out.put(bytes)
                    return true
                }
            }
            return false
        case (.logical(let base, _), _): return put(value, base, out)
        default: return false
        }
        return true
    }

    /// The bytes that a default string of `bytes` and fixed stands for: one a code point, up to U+00FF.
    static func bytes(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            guard let byte = UInt8(exactly: scalar.value) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}
