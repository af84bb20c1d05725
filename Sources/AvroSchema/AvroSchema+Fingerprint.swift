internal import Diagnostics

extension AvroSchema {
    /// The schema in Avro's Parsing Canonical Form: what matters for reading data, and nothing else.
    public var parsingCanonicalForm: String {
        var printer = CanonicalPrinter()
        printer.schema(self, namespace: nil)
        return printer.text
    }

    /// The 64-bit Rabin fingerprint (CRC-64-AVRO) of ``parsingCanonicalForm``.
    public var fingerprint: UInt64 {
        let empty: UInt64 = 0xC15D_213A_A4D7_A795
        var hash = empty
        for byte in parsingCanonicalForm.utf8 {
            // One byte of the specification's table, computed in place: schemas are short.
            var entry = (hash ^ UInt64(byte)) & 0xFF
            for _ in 0..<8 { entry = entry >> 1 ^ (empty & (0 &- (entry & 1))) }
            hash = hash >> 8 ^ entry
        }
        return hash
    }
}

private struct CanonicalPrinter {
    var text = ""
    private var written: Set<String> = []

    mutating func schema(_ schema: AvroSchema, namespace: String?) {
        if let name = schema.fullName(in: namespace) {
            guard written.insert(name).inserted else {
                text += JSONValue.quoted(name)
                return
            }
            text += "{\"name\":\(JSONValue.quoted(name)),\"type\":"
        }
        switch schema.base {
        case .record(let record):
            text += "\"record\",\"fields\":["
            for (index, field) in record.fields.enumerated() {
                text += (index > 0 ? "," : "") + "{\"name\":\(JSONValue.quoted(field.name)),\"type\":"
                self.schema(field.type, namespace: record.namespace ?? namespace)
                text += "}"
            }
            text += "]}"
        case .enumeration(_, _, let symbols):
            text += "\"enum\",\"symbols\":[" + symbols.map { JSONValue.quoted($0) }.joined(separator: ",") + "]}"
        case .fixed(_, _, let size): text += "\"fixed\",\"size\":\(size)}"
        case .array(let items):
            text += "{\"type\":\"array\",\"items\":"
            self.schema(items, namespace: namespace)
            text += "}"
        case .map(let values):
            text += "{\"type\":\"map\",\"values\":"
            self.schema(values, namespace: namespace)
            text += "}"
        case .union(let branches):
            text += "["
            for (index, branch) in branches.enumerated() {
                if index > 0 { text += "," }
                self.schema(branch, namespace: namespace)
            }
            text += "]"
        case let primitive: text += JSONValue.quoted(primitive.unionKind)
        }
    }
}
