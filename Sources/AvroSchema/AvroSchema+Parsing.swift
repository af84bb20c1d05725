internal import Diagnostics

extension AvroSchema {
    /// Parses a schema of Avro 1.11.
    ///
    /// References to named types are replaced by the types. Attributes that Avro does not define, and logical types
    /// that do not fit their base type or that we do not know, are ignored, as the specification asks; so are aliases
    /// and the default symbol of an enum, which ``SchemaGraph`` keeps. A type that contains itself is refused.
    /// Throws with the place in the text.
    public static func parse(json: String) throws(AvroSchemaError) -> AvroSchema { try parse(json: Array(json.utf8)) }

    /// Parses a schema from UTF-8 bytes; see ``parse(json:)-(String)``.
    public static func parse(json: [UInt8]) throws(AvroSchemaError) -> AvroSchema {
        try SchemaGraph.parse(json: json).unfolded()
    }
}

extension SchemaGraph {
    /// The schema as a tree. Throws for a type that contains itself.
    func unfolded() throws(AvroSchemaError) -> AvroSchema {
        if let recursion { throw recursion }
        return unfolded(root, namespace: nil)
    }

    private func unfolded(_ index: Int, namespace: String?) -> AvroSchema {
        let node = nodes[index]
        var name = ""
        // As the model holds it: nil for that of the type around it, empty for none inside one.
        var own: String?
        if let full = node.fullName {
            let namespacePart: String
            (namespacePart, name) = SchemaGraph.split(full)
            own = !namespacePart.isEmpty ? namespacePart : (namespace ?? "").isEmpty ? nil : ""
        }
        let base: AvroSchema
        switch node.kind {
        case .null: base = .null
        case .boolean: base = .boolean
        case .int: base = .int
        case .long: base = .long
        case .float: base = .float
        case .double: base = .double
        case .bytes: base = .bytes
        case .string: base = .string
        case .record(let fields):
            base = .record(
                AvroRecord(
                    name: name, namespace: own, doc: node.doc,
                    fields: fields.map { field in
                        AvroField(
                            name: field.name, type: unfolded(field.type, namespace: own ?? namespace), doc: field.doc,
                            defaultValue: field.defaultValue)
                    }))
        case .enumeration(let symbols, _): base = .enumeration(name: name, namespace: own, symbols: symbols)
        case .fixed(let size): base = .fixed(name: name, namespace: own, size: size)
        case .array(let items): base = .array(unfolded(items, namespace: namespace))
        case .map(let values): base = .map(unfolded(values, namespace: namespace))
        case .union(let branches): base = .union(branches.map { unfolded($0, namespace: namespace) })
        }
        return node.logical.map { .logical(base: base, $0) } ?? base
    }
}

extension AvroSchema {
    /// What may stand only once in a union: the unnamed type, or the full name.
    var unionKind: String {
        if let name = fullName() { return name }
        switch base {
        case .null: return "null"
        case .boolean: return "boolean"
        case .int: return "int"
        case .long: return "long"
        case .float: return "float"
        case .double: return "double"
        case .bytes: return "bytes"
        case .string: return "string"
        case .array: return "array"
        case .map: return "map"
        default: return "union"
        }
    }
}

extension AvroDefault {
    init(_ node: JSONNode) {
        switch node.value {
        case .null: self = .null
        case .boolean(let value): self = .boolean(value)
        case .integer(let value): self = .integer(value)
        case .double(let value): self = .double(value)
        case .string(let value): self = .string(value)
        case .array(let items): self = .array(items.map(AvroDefault.init))
        case .object(let members):
            self = .object(
                Dictionary(members.map { ($0.key, AvroDefault($0.value)) }, uniquingKeysWith: { first, _ in first }))
        }
    }
}
