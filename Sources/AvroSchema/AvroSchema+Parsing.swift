internal import Diagnostics

extension AvroSchema {
    /// Parses a schema of Avro 1.11.
    ///
    /// References to named types are replaced by the types. Attributes that Avro does not define, and logical types
    /// that do not fit their base type or that we do not know, are ignored, as the specification asks; so are aliases
    /// and the default symbol of an enum. A type that contains itself is refused.
    /// Throws with the place in the text.
    public static func parse(json: String) throws(AvroSchemaError) -> AvroSchema { try parse(json: Array(json.utf8)) }

    /// Parses a schema from UTF-8 bytes; see ``parse(json:)-(String)``.
    public static func parse(json: [UInt8]) throws(AvroSchemaError) -> AvroSchema {
        var parser = SchemaParser()
        return try parser.schema(try JSONParser.parse(json), namespace: nil)
    }
}

private struct SchemaParser {
    /// Types that are complete, by full name.
    private var named: [String: AvroSchema] = [:]
    /// Types whose definition we are inside of.
    private var open: Set<String> = []

    private static let primitives: [String: AvroSchema] = [
        "null": .null, "boolean": .boolean, "int": .int, "long": .long, "float": .float, "double": .double,
        "bytes": .bytes, "string": .string,
    ]

    private func error(_ message: String, _ node: JSONNode) -> AvroSchemaError {
        AvroSchemaError(.schemaInvalid, message, line: node.line, column: node.column)
    }

    mutating func schema(_ node: JSONNode, namespace: String?) throws(AvroSchemaError) -> AvroSchema {
        switch node.value {
        case .string(let name): return try reference(name, node, namespace: namespace)
        case .array(let branches): return try union(branches, node, namespace: namespace)
        case .object: return try definition(node, namespace: namespace)
        default: throw error("a schema is a type name, an array (union) or an object, not \(node.kind)", node)
        }
    }

    private func reference(_ name: String, _ node: JSONNode, namespace: String?) throws(AvroSchemaError) -> AvroSchema {
        if let primitive = Self.primitives[name] { return primitive }
        let fullName = name.contains(".") ? name : AvroSchema.fullName(name, namespace)
        // A simple name may also mean a type without a namespace.
        if let type = named[fullName] ?? named[name] { return type }
        if open.contains(fullName) || open.contains(name) {
            throw error("type '\(name)' contains itself; recursive types are not supported yet", node)
        }
        throw error("unknown type '\(name)'", node)
    }

    private mutating func union(
        _ nodes: [JSONNode], _ node: JSONNode, namespace: String?
    ) throws(AvroSchemaError) -> AvroSchema {
        if nodes.isEmpty { throw error("a union needs at least one type", node) }
        var branches: [AvroSchema] = []
        var kinds = Set<String>()
        for branchNode in nodes {
            let branch = try schema(branchNode, namespace: namespace)
            if case .union = branch { throw error("a union must not hold a union directly", branchNode) }
            guard kinds.insert(branch.unionKind).inserted else {
                throw error("a union must not hold two of the same type (\(branch.unionKind))", branchNode)
            }
            branches.append(branch)
        }
        return .union(branches)
    }

    private mutating func definition(_ node: JSONNode, namespace: String?) throws(AvroSchemaError) -> AvroSchema {
        guard let typeNode = node.member("type") else { throw error("a schema object needs a \"type\"", node) }
        guard let type = typeNode.string else {
            // {"type": {...}} and {"type": [...]}: the object around it carries nothing.
            return withLogicalType(try schema(typeNode, namespace: namespace), node)
        }
        switch type {
        case "record", "error": return try record(node, namespace: namespace)
        case "enum": return try enumeration(node, namespace: namespace)
        case "fixed": return try fixed(node, namespace: namespace)
        case "array": return .array(try schema(try require(node, "items", of: type), namespace: namespace))
        case "map": return .map(try schema(try require(node, "values", of: type), namespace: namespace))
        default: return withLogicalType(try reference(type, typeNode, namespace: namespace), node)
        }
    }

    private func require(_ node: JSONNode, _ key: String, of type: String) throws(AvroSchemaError) -> JSONNode {
        guard let member = node.member(key) else { throw error("type '\(type)' needs \"\(key)\"", node) }
        return member
    }

    private mutating func record(_ node: JSONNode, namespace: String?) throws(AvroSchemaError) -> AvroSchema {
        let (name, own) = try declare(node, "record", namespace: namespace)
        let fullName = AvroSchema.fullName(name, own)
        open.insert(fullName)
        let fieldsNode = try require(node, "fields", of: "record")
        guard case .array(let fieldNodes) = fieldsNode.value else {
            throw error("\"fields\" is an array, not \(fieldsNode.kind)", fieldsNode)
        }
        var fields: [AvroField] = []
        var names = Set<String>()
        for fieldNode in fieldNodes {
            let nameNode = try require(fieldNode, "name", of: "field of record '\(name)'")
            guard let fieldName = nameNode.string, AvroSchema.isName(fieldName) else {
                throw error("a field name is a letter or '_', then letters, digits and '_'", nameNode)
            }
            guard names.insert(fieldName).inserted else {
                throw error("record '\(name)' has two fields named '\(fieldName)'", nameNode)
            }
            let typeNode = try require(fieldNode, "type", of: "field '\(fieldName)'")
            fields.append(
                AvroField(
                    name: fieldName, type: try schema(typeNode, namespace: own),
                    doc: fieldNode.member("doc")?.string,
                    defaultValue: fieldNode.member("default").map(AvroDefault.init)))
        }
        open.remove(fullName)
        let schema = AvroSchema.record(
            AvroRecord(
                name: name, namespace: stored(own, in: namespace), doc: node.member("doc")?.string, fields: fields))
        named[fullName] = schema
        return schema
    }

    private mutating func enumeration(_ node: JSONNode, namespace: String?) throws(AvroSchemaError) -> AvroSchema {
        let (name, own) = try declare(node, "enum", namespace: namespace)
        let symbolsNode = try require(node, "symbols", of: "enum")
        guard case .array(let symbolNodes) = symbolsNode.value else {
            throw error("\"symbols\" is an array, not \(symbolsNode.kind)", symbolsNode)
        }
        var symbols: [String] = []
        var seen = Set<String>()
        for symbolNode in symbolNodes {
            guard let symbol = symbolNode.string, AvroSchema.isName(symbol) else {
                throw error("an enum symbol is a letter or '_', then letters, digits and '_'", symbolNode)
            }
            guard seen.insert(symbol).inserted else { throw error("the symbol '\(symbol)' stands twice", symbolNode) }
            symbols.append(symbol)
        }
        let schema = AvroSchema.enumeration(name: name, namespace: stored(own, in: namespace), symbols: symbols)
        named[AvroSchema.fullName(name, own)] = schema
        return schema
    }

    private mutating func fixed(_ node: JSONNode, namespace: String?) throws(AvroSchemaError) -> AvroSchema {
        let (name, own) = try declare(node, "fixed", namespace: namespace)
        let sizeNode = try require(node, "size", of: "fixed")
        guard let size = sizeNode.integer, 0...1 << 30 ~= size else {
            throw error("the size of a fixed is a whole number from 0 to 2^30", sizeNode)
        }
        let base = AvroSchema.fixed(name: name, namespace: stored(own, in: namespace), size: Int(size))
        let schema = withLogicalType(base, node)
        named[AvroSchema.fullName(name, own)] = schema
        return schema
    }

    /// The name and resolved namespace of a definition, which must be the first of its full name.
    private func declare(
        _ node: JSONNode, _ type: String, namespace: String?
    ) throws(AvroSchemaError) -> (name: String, namespace: String?) {
        let nameNode = try require(node, "name", of: type)
        guard let written = nameNode.string else { throw error("a name is a string, not \(nameNode.kind)", nameNode) }
        var parts = written.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let name = parts.removeLast()
        let own = parts.isEmpty ? node.member("namespace")?.string ?? namespace : parts.joined(separator: ".")
        let namespaceParts = (own ?? "").split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard AvroSchema.isName(name), own ?? "" == "" || namespaceParts.allSatisfy(AvroSchema.isName) else {
            throw error("'\(written)' is not a valid name", nameNode)
        }
        let fullName = AvroSchema.fullName(name, own)
        if Self.primitives[fullName] != nil { throw error("'\(name)' is the name of a built-in type", nameNode) }
        if named[fullName] != nil || open.contains(fullName) {
            throw error("type '\(fullName)' is defined twice", nameNode)
        }
        return (name, own)
    }

    /// The namespace as the model holds it: nil for none, empty for none inside one.
    private func stored(_ own: String?, in enclosing: String?) -> String? {
        if let own, !own.isEmpty { return own }
        return (enclosing ?? "").isEmpty ? nil : ""
    }

    private func withLogicalType(_ base: AvroSchema, _ node: JSONNode) -> AvroSchema {
        let logical: AvroLogicalType?
        switch (node.member("logicalType")?.string, base) {
        case ("date", .int): logical = .date
        case ("timestamp-millis", .long): logical = .timestampMillis
        case ("timestamp-micros", .long): logical = .timestampMicros
        case ("uuid", .string): logical = .uuid
        case ("decimal", .bytes), ("decimal", .fixed):
            let scaleNode = node.member("scale")
            let scale = scaleNode == nil ? 0 : scaleNode?.integer ?? -1
            if let precision = node.member("precision")?.integer, 1...1_000_000 ~= precision, 0...precision ~= scale {
                logical = .decimal(precision: Int(precision), scale: Int(scale))
            } else {
                logical = nil
            }
        default: logical = nil
        }
        return logical.map { .logical(base: base, $0) } ?? base
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
