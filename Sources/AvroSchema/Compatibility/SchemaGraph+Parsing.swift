internal import Diagnostics

extension SchemaGraph {
    /// Parses a schema of Avro 1.11. Throws with the place in the text.
    ///
    /// Defaults are kept as they stand; ``invalidDefaults()`` judges them.
    public static func parse(json: String) throws(AvroSchemaError) -> SchemaGraph { try parse(json: Array(json.utf8)) }

    /// Parses a schema from UTF-8 bytes; see ``parse(json:)-(String)``.
    public static func parse(json: [UInt8]) throws(AvroSchemaError) -> SchemaGraph {
        let node = try JSONParser.parse(json)
        var parser = SchemaParser()
        parser.graph.root = try parser.schema(node, namespace: nil)
        parser.graph.canonicalText = CanonicalSchemaText.text(of: node)
        return parser.graph
    }

    static let primitives: [String: Kind] = [
        "null": .null, "boolean": .boolean, "int": .int, "long": .long, "float": .float, "double": .double,
        "bytes": .bytes, "string": .string,
    ]
}

private struct SchemaParser {
    var graph = SchemaGraph()
    /// The node of every named type, by full name.
    private var named: [String: Int] = [:]
    /// Types whose definition we are inside of.
    private var open: Set<String> = []

    private func error(_ message: String, _ node: JSONNode) -> AvroSchemaError {
        AvroSchemaError(.schemaInvalid, message, line: node.line, column: node.column)
    }

    private mutating func add(_ node: SchemaGraph.Node) -> Int {
        graph.nodes.append(node)
        return graph.nodes.count - 1
    }

    mutating func schema(_ node: JSONNode, namespace: String?) throws(AvroSchemaError) -> Int {
        switch node.value {
        case .string(let name): return try reference(name, node, namespace: namespace)
        case .array(let branches): return try union(branches, node, namespace: namespace)
        case .object: return try definition(node, namespace: namespace)
        default: throw error("a schema is a type name, an array (union) or an object, not \(node.kind)", node)
        }
    }

    private mutating func reference(
        _ name: String, _ node: JSONNode, namespace: String?
    ) throws(AvroSchemaError) -> Int {
        if let primitive = SchemaGraph.primitives[name] { return add(SchemaGraph.Node(kind: primitive)) }
        let qualified = name.contains(".") ? name : AvroSchema.fullName(name, namespace)
        // A simple name may also mean a type without a namespace.
        for fullName in [qualified, name] {
            guard let type = named[fullName] else { continue }
            if open.contains(fullName), graph.recursion == nil {
                graph.recursion = error(
                    "type '\(name)' contains itself; recursive types are not supported yet", node)
            }
            return type
        }
        throw error("unknown type '\(name)'", node)
    }

    private mutating func union(
        _ nodes: [JSONNode], _ node: JSONNode, namespace: String?
    ) throws(AvroSchemaError) -> Int {
        if nodes.isEmpty { throw error("a union needs at least one type", node) }
        var branches: [Int] = []
        var kinds = Set<String>()
        for branchNode in nodes {
            let branch = try schema(branchNode, namespace: namespace)
            if case .union = graph.nodes[branch].kind {
                throw error("a union must not hold a union directly", branchNode)
            }
            let kind = graph.unionKind(branch)
            guard kinds.insert(kind).inserted else {
                throw error("a union must not hold two of the same type (\(kind))", branchNode)
            }
            branches.append(branch)
        }
        return add(SchemaGraph.Node(kind: .union(branches)))
    }

    private mutating func definition(_ node: JSONNode, namespace: String?) throws(AvroSchemaError) -> Int {
        guard let typeNode = node.member("type") else { throw error("a schema object needs a \"type\"", node) }
        guard let type = typeNode.string else {
            // {"type": {...}} and {"type": [...]}: the object around it carries nothing.
            return withLogicalType(try schema(typeNode, namespace: namespace), node)
        }
        switch type {
        case "record", "error": return try record(node, namespace: namespace)
        case "enum": return try enumeration(node, namespace: namespace)
        case "fixed": return try fixed(node, namespace: namespace)
        case "array":
            let items = try schema(try require(node, "items", of: type), namespace: namespace)
            return add(SchemaGraph.Node(kind: .array(items)))
        case "map":
            let values = try schema(try require(node, "values", of: type), namespace: namespace)
            return add(SchemaGraph.Node(kind: .map(values)))
        default: return withLogicalType(try reference(type, typeNode, namespace: namespace), node)
        }
    }

    private func require(_ node: JSONNode, _ key: String, of type: String) throws(AvroSchemaError) -> JSONNode {
        guard let member = node.member(key) else { throw error("type '\(type)' needs \"\(key)\"", node) }
        return member
    }

    private mutating func record(_ node: JSONNode, namespace: String?) throws(AvroSchemaError) -> Int {
        let (index, name, own) = try declare(node, "record", namespace: namespace)
        let fullName = AvroSchema.fullName(name, own)
        open.insert(fullName)
        let fieldsNode = try require(node, "fields", of: "record")
        guard case .array(let fieldNodes) = fieldsNode.value else {
            throw error("\"fields\" is an array, not \(fieldsNode.kind)", fieldsNode)
        }
        var fields: [SchemaGraph.Field] = []
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
                SchemaGraph.Field(
                    name: fieldName, aliases: try aliases(of: fieldNode),
                    type: try schema(typeNode, namespace: own), doc: fieldNode.member("doc")?.string,
                    defaultValue: fieldNode.member("default").map(AvroDefault.init)))
        }
        open.remove(fullName)
        graph.nodes[index].kind = .record(fields)
        return index
    }

    private mutating func enumeration(_ node: JSONNode, namespace: String?) throws(AvroSchemaError) -> Int {
        let (index, _, _) = try declare(node, "enum", namespace: namespace)
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
        let defaultNode = node.member("default")
        if let defaultNode, defaultNode.string.map(seen.contains) != true {
            throw error("the default of an enum is one of its symbols", defaultNode)
        }
        graph.nodes[index].kind = .enumeration(symbols: symbols, defaultSymbol: defaultNode?.string)
        return index
    }

    private mutating func fixed(_ node: JSONNode, namespace: String?) throws(AvroSchemaError) -> Int {
        let (index, _, _) = try declare(node, "fixed", namespace: namespace)
        let sizeNode = try require(node, "size", of: "fixed")
        guard let size = sizeNode.integer, 0...1 << 30 ~= size else {
            throw error("the size of a fixed is a whole number from 0 to 2^30", sizeNode)
        }
        graph.nodes[index].kind = .fixed(size: Int(size))
        return withLogicalType(index, node)
    }

    /// Makes room for a definition, which must be the first of its full name; gives its name and namespace.
    private mutating func declare(
        _ node: JSONNode, _ type: String, namespace: String?
    ) throws(AvroSchemaError) -> (index: Int, name: String, namespace: String?) {
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
        if SchemaGraph.primitives[fullName] != nil {
            throw error("'\(name)' is the name of a built-in type", nameNode)
        }
        if named[fullName] != nil { throw error("type '\(fullName)' is defined twice", nameNode) }
        let aliases = try aliases(of: node).map { $0.contains(".") ? $0 : AvroSchema.fullName($0, own) }
        let index = add(
            SchemaGraph.Node(kind: .null, fullName: fullName, aliases: aliases, doc: node.member("doc")?.string))
        named[fullName] = index
        return (index, name, own)
    }

    /// The names in "aliases"; none when it is not there.
    private func aliases(of node: JSONNode) throws(AvroSchemaError) -> [String] {
        guard let list = node.member("aliases") else { return [] }
        guard case .array(let items) = list.value else {
            throw error("\"aliases\" is an array, not \(list.kind)", list)
        }
        var names: [String] = []
        for item in items {
            guard let name = item.string,
                name.split(separator: ".", omittingEmptySubsequences: false).map(String.init).allSatisfy(
                    AvroSchema.isName)
            else { throw error("an alias is a name", item) }
            names.append(name)
        }
        return names
    }

    private mutating func withLogicalType(_ index: Int, _ node: JSONNode) -> Int {
        guard let name = node.member("logicalType")?.string else { return index }
        let logical: AvroLogicalType
        switch (name, graph.nodes[index].kind) {
        case ("date", .int): logical = .date
        case ("timestamp-millis", .long): logical = .timestampMillis
        case ("timestamp-micros", .long): logical = .timestampMicros
        case ("uuid", .string): logical = .uuid
        case ("decimal", .bytes), ("decimal", .fixed):
            let scaleNode = node.member("scale")
            let scale = scaleNode == nil ? 0 : scaleNode?.integer ?? -1
            guard let precision = node.member("precision")?.integer, 1...1_000_000 ~= precision, 0...precision ~= scale
            else { return index }
            logical = .decimal(precision: Int(precision), scale: Int(scale))
        default: return index
        }
        graph.nodes[index].logical = logical
        return index
    }
}
