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
        var unfolding = SchemaUnfolding(graph: self)
        return unfolding.schema(root, namespace: nil)
    }
}

/// A tree shares the types that are referred to more than once: without that, a short text could mean a huge tree.
private struct SchemaUnfolding {
    private struct Place: Hashable {
        var index: Int
        var namespace: String?
    }

    let graph: SchemaGraph
    private var named: [Place: AvroSchema] = [:]

    init(graph: SchemaGraph) { self.graph = graph }

    mutating func schema(_ index: Int, namespace: String?) -> AvroSchema {
        let node = graph.nodes[index]
        guard let fullName = node.fullName else { return withLogicalType(unnamed(node.kind, namespace), node) }
        let place = Place(index: index, namespace: namespace)
        if let known = named[place] { return known }
        let (own, name) = SchemaGraph.split(fullName)
        // As the model holds it: nil for that of the type around it, empty for none inside one.
        let stored = !own.isEmpty ? own : (namespace ?? "").isEmpty ? nil : ""
        let base: AvroSchema
        switch node.kind {
        case .record(let fields):
            var result: [AvroField] = []
            for field in fields {
                result.append(
                    AvroField(
                        name: field.name, type: schema(field.type, namespace: own), doc: field.doc,
                        defaultValue: field.defaultValue))
            }
            base = .record(AvroRecord(name: name, namespace: stored, doc: node.doc, fields: result))
        case .enumeration(let symbols, _): base = .enumeration(name: name, namespace: stored, symbols: symbols)
        case .fixed(let size): base = .fixed(name: name, namespace: stored, size: size)
        default: base = unnamed(node.kind, namespace)
        }
        let result = withLogicalType(base, node)
        named[place] = result
        return result
    }

    private mutating func unnamed(_ kind: SchemaGraph.Kind, _ namespace: String?) -> AvroSchema {
        switch kind {
        case .boolean: return .boolean
        case .int: return .int
        case .long: return .long
        case .float: return .float
        case .double: return .double
        case .bytes: return .bytes
        case .string: return .string
        case .array(let items): return .array(schema(items, namespace: namespace))
        case .map(let values): return .map(schema(values, namespace: namespace))
        case .union(let branches):
            var result: [AvroSchema] = []
            for branch in branches { result.append(schema(branch, namespace: namespace)) }
            return .union(result)
        // The named kinds never come here.
        case .null, .record, .enumeration, .fixed: return .null
        }
    }

    private func withLogicalType(_ base: AvroSchema, _ node: SchemaGraph.Node) -> AvroSchema {
        node.logical.map { .logical(base: base, $0) } ?? base
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
