internal import Diagnostics

extension AvroSchema {
    /// The schema as JSON text, always the same for the same schema.
    ///
    /// Keys stand in the order type, namespace, name, doc, fields; in a field: name, type, default, doc. `pretty` puts
    /// each field of the outermost record on a line of its own, indented by two spaces. A named type is written in full
    /// where it is met first, then by its full name; a namespace only where it differs from that of the type around it.
    public func json(pretty: Bool) -> String {
        var printer = SchemaPrinter(isSpaced: pretty)
        if pretty, case .record(let record) = self {
            printer.prettyRecord(record)
        } else {
            printer.schema(self, namespace: nil)
        }
        return printer.text
    }
}

private struct SchemaPrinter {
    var text = ""
    private var written: Set<String> = []
    private let colon: String
    private let comma: String

    init(isSpaced: Bool) {
        colon = isSpaced ? ": " : ":"
        comma = isSpaced ? ", " : ","
    }

    mutating func prettyRecord(_ record: AvroRecord) {
        written.insert(AvroSchema.fullName(record.name, record.namespace))
        text += "{\n  \"type\": \"record\""
        if let namespace = record.namespace { text += ",\n  \"namespace\": \(JSONValue.quoted(namespace))" }
        text += ",\n  \"name\": \(JSONValue.quoted(record.name))"
        if let doc = record.doc { text += ",\n  \"doc\": \(JSONValue.quoted(doc))" }
        text += ",\n  \"fields\": ["
        for (index, field) in record.fields.enumerated() {
            text += index == 0 ? "\n    " : ",\n    "
            self.field(field, namespace: record.namespace)
        }
        text += record.fields.isEmpty ? "]\n}\n" : "\n  ]\n}\n"
    }

    mutating func schema(_ schema: AvroSchema, namespace: String?, logical: AvroLogicalType? = nil) {
        if let name = schema.fullName(in: namespace), !written.insert(name).inserted {
            text += JSONValue.quoted(name)
            return
        }
        switch schema {
        case .logical(let base, let type): self.logical(base, type, namespace: namespace)
        case .record(let record):
            begin("record", record.name, record.namespace, in: namespace)
            if let doc = record.doc { member("doc", JSONValue.quoted(doc)) }
            text += comma + "\"fields\"" + colon + "["
            for (index, field) in record.fields.enumerated() {
                if index > 0 { text += comma }
                self.field(field, namespace: record.namespace ?? namespace)
            }
            text += "]}"
        case .enumeration(let name, let own, let symbols):
            begin("enum", name, own, in: namespace)
            member("symbols", "[" + symbols.map { JSONValue.quoted($0) }.joined(separator: comma) + "]")
            text += "}"
        case .fixed(let name, let own, let size):
            begin("fixed", name, own, in: namespace)
            member("size", String(size))
            text += "}"
        case .array(let items): container("array", "items", items, namespace: namespace)
        case .map(let values): container("map", "values", values, namespace: namespace)
        case .union(let branches):
            text += "["
            for (index, branch) in branches.enumerated() {
                if index > 0 { text += comma }
                self.schema(branch, namespace: namespace)
            }
            text += "]"
        default: text += JSONValue.quoted(schema.unionKind)
        }
    }

    private mutating func field(_ field: AvroField, namespace: String?) {
        text += "{\"name\"" + colon + JSONValue.quoted(field.name) + comma + "\"type\"" + colon
        schema(field.type, namespace: namespace)
        if let value = field.defaultValue { member("default", value.json(comma: comma, colon: colon)) }
        if let doc = field.doc { member("doc", JSONValue.quoted(doc)) }
        text += "}"
    }

    private mutating func begin(_ type: String, _ name: String, _ own: String?, in enclosing: String?) {
        text += "{\"type\"" + colon + "\"\(type)\""
        if let own, own != enclosing ?? "" { member("namespace", JSONValue.quoted(own)) }
        member("name", JSONValue.quoted(name))
    }

    private mutating func member(_ key: String, _ value: String) { text += comma + "\"\(key)\"" + colon + value }

    private mutating func container(_ type: String, _ key: String, _ child: AvroSchema, namespace: String?) {
        text += "{\"type\"" + colon + "\"\(type)\"" + comma + "\"\(key)\"" + colon
        schema(child, namespace: namespace)
        text += "}"
    }

    private mutating func logical(_ base: AvroSchema, _ type: AvroLogicalType, namespace: String?) {
        if case .fixed(let name, let own, let size) = base {
            begin("fixed", name, own, in: namespace)
            member("size", String(size))
        } else {
            text += "{\"type\"" + colon + JSONValue.quoted(base.unionKind)
        }
        switch type {
        case .date: member("logicalType", "\"date\"")
        case .timestampMillis: member("logicalType", "\"timestamp-millis\"")
        case .timestampMicros: member("logicalType", "\"timestamp-micros\"")
        case .uuid: member("logicalType", "\"uuid\"")
        case .decimal(let precision, let scale):
            member("logicalType", "\"decimal\"")
            member("precision", String(precision))
            member("scale", String(scale))
        }
        text += "}"
    }
}

extension AvroDefault {
    /// JSON text; the keys of an object are sorted.
    func json(comma: String = ",", colon: String = ":") -> String {
        switch self {
        case .null: "null"
        case .boolean(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .double(let value): value.description
        case .string(let value): JSONValue.quoted(value)
        case .array(let items):
            "[" + items.map { $0.json(comma: comma, colon: colon) }.joined(separator: comma) + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }
                .map { JSONValue.quoted($0.key) + colon + $0.value.json(comma: comma, colon: colon) }
                .joined(separator: comma) + "}"
        }
    }
}
