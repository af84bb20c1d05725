internal import Diagnostics

/// Prints a schema's JSON in one way; see ``SchemaGraph/canonicalText``. Only for text that parses as a schema.
struct CanonicalSchemaText {
    private var text = ""
    /// Full names that were defined so far.
    private var defined: Set<String> = []

    static func text(of node: JSONNode) -> String {
        var printer = CanonicalSchemaText()
        printer.schema(node, namespace: "")
        return printer.text
    }

    private static let schemaKeys = [
        "type", "namespace", "name", "doc", "aliases", "fields", "symbols", "size", "items", "values", "default",
        "logicalType", "precision", "scale",
    ]
    private static let fieldKeys = ["name", "type", "default", "doc", "aliases", "order"]

    private mutating func schema(_ node: JSONNode, namespace: String) {
        switch node.value {
        case .string(let name): reference(name, namespace: namespace)
        case .array(let branches): list(branches) { $0.schema($1, namespace: namespace) }
        case .object(let members): definition(members, node, namespace: namespace)
        default: break
        }
    }

    private mutating func reference(_ name: String, namespace: String) {
        let isSimple = SchemaGraph.primitives[name] != nil || name.contains(".")
        let qualified = AvroSchema.fullName(name, namespace)
        text += JSONValue.quoted(!isSimple && defined.contains(qualified) ? qualified : name)
    }

    private mutating func definition(_ members: [JSONNode.Member], _ node: JSONNode, namespace: String) {
        // {"type": "string"} says no more than "string".
        if members.count == 1, let type = node.member("type"), !Self.isComplex(type.string) {
            schema(type, namespace: namespace)
            return
        }
        var inner = namespace
        var shownNamespace: String?
        var shownName: String?
        if ["record", "error", "enum", "fixed"].contains(node.member("type")?.string),
            let name = node.member("name")?.string
        {
            let (own, simple) = SchemaGraph.split(name)
            inner = own.isEmpty && !name.contains(".") ? node.member("namespace")?.string ?? namespace : own
            shownNamespace = inner == namespace ? nil : inner
            shownName = simple
            defined.insert(AvroSchema.fullName(simple, inner))
        }
        var isFirst = true
        text += "{"
        func key(_ name: String) -> String {
            defer { isFirst = false }
            return (isFirst ? "" : ",") + JSONValue.quoted(name) + ":"
        }
        for name in Self.order(members, Self.schemaKeys, and: shownNamespace == nil ? [] : ["namespace"]) {
            switch name {
            case "namespace" where shownName != nil:
                if let shownNamespace { text += key(name) + JSONValue.quoted(shownNamespace) }
            case "name":
                if let value = shownName { text += key(name) + JSONValue.quoted(value) } else { fallthrough }
            default:
                guard let value = node.member(name) else { continue }
                text += key(name)
                member(name, value, of: node, namespace: inner)
            }
        }
        text += "}"
    }

    private static func isComplex(_ type: String?) -> Bool {
        type.map { ["record", "error", "enum", "fixed", "array", "map"].contains($0) } ?? false
    }

    private mutating func member(_ name: String, _ value: JSONNode, of node: JSONNode, namespace: String) {
        let type = node.member("type")?.string
        switch (name, type, value.value) {
        case ("type", let type, _):
            if Self.isComplex(type) {
                text += JSONValue.quoted(type ?? "")
            } else {
                schema(value, namespace: namespace)
            }
        case ("fields", "record", .array(let fields)), ("fields", "error", .array(let fields)):
            list(fields) { $0.field($1, namespace: namespace) }
        case ("items", "array", _), ("values", "map", _): schema(value, namespace: namespace)
        default: text += AvroDefault(value).json()
        }
    }

    private mutating func field(_ node: JSONNode, namespace: String) {
        guard case .object(let members) = node.value else { return }
        text += "{"
        for (index, name) in Self.order(members, Self.fieldKeys, and: []).enumerated() {
            guard let value = node.member(name) else { continue }
            text += (index > 0 ? "," : "") + JSONValue.quoted(name) + ":"
            if name == "type" { schema(value, namespace: namespace) } else { text += AvroDefault(value).json() }
        }
        text += "}"
    }

    private mutating func list(_ nodes: [JSONNode], _ print: (inout CanonicalSchemaText, JSONNode) -> Void) {
        text += "["
        for (index, node) in nodes.enumerated() {
            if index > 0 { text += "," }
            print(&self, node)
        }
        text += "]"
    }

    /// The keys that are there: the known ones in their order, then the others by name.
    private static func order(_ members: [JSONNode.Member], _ known: [String], and more: [String]) -> [String] {
        let present = Set(members.map(\.key)).union(more)
        return known.filter(present.contains) + present.subtracting(known).sorted()
    }
}
