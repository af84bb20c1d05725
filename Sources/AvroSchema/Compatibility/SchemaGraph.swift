/// A schema with all that Avro 1.11 allows: types that contain themselves, aliases, default symbols.
///
/// What a registry must take and compare; the columns of the data path are planned from ``AvroSchema``, a tree.
public struct SchemaGraph: Sendable {
    struct Node: Sendable {
        var kind: Kind
        /// Of a record, enum or fixed.
        var fullName: String?
        /// Full names.
        var aliases: [String] = []
        var doc: String?
        var logical: AvroLogicalType?
    }

    /// Numbers are places in ``SchemaGraph/nodes``.
    enum Kind: Sendable, Equatable {
        case null, boolean, int, long, float, double, bytes, string
        case record([Field])
        case enumeration(symbols: [String], defaultSymbol: String?)
        case fixed(size: Int)
        case array(Int)
        case map(Int)
        case union([Int])
    }

    struct Field: Sendable, Equatable {
        var name: String
        var aliases: [String]
        var type: Int
        var doc: String?
        var defaultValue: AvroDefault?
    }

    var nodes: [Node] = []
    var root = 0
    /// The first reference of a type to itself, as the error that a tree would be.
    var recursion: AvroSchemaError?

    /// The schema as JSON text that is the same for texts that say the same: without spaces, with keys in a fixed order
    /// and names in their shortest definition. Nothing that was written is lost. Parsing it gives the same text again,
    /// and so does ``AvroSchema/json(pretty:)`` without `pretty`.
    public internal(set) var canonicalText = ""

    /// The namespace, empty for none, and the name without it.
    static func split(_ fullName: String) -> (namespace: String, name: String) {
        guard let dot = fullName.lastIndex(of: ".") else { return ("", fullName) }
        return (String(fullName[..<dot]), String(fullName[fullName.index(after: dot)...]))
    }

    /// What a type is called in messages: `int`, `record Purchase`, `array of string`.
    func title(_ index: Int) -> String {
        let node = nodes[index]
        let name = node.fullName ?? ""
        switch node.kind {
        case .null: return "null"
        case .boolean: return "boolean"
        case .int: return "int"
        case .long: return "long"
        case .float: return "float"
        case .double: return "double"
        case .bytes: return "bytes"
        case .string: return "string"
        case .record: return "record \(name)"
        case .enumeration: return "enum \(name)"
        case .fixed(let size): return "fixed \(name) of \(size) bytes"
        case .array(let items): return "array of \(title(items))"
        case .map(let values): return "map of \(title(values))"
        case .union(let branches): return branches.map(title).joined(separator: " or ")
        }
    }

    /// What may stand only once in a union: the unnamed type, or the full name.
    func unionKind(_ index: Int) -> String {
        let node = nodes[index]
        if let name = node.fullName { return name }
        switch node.kind {
        case .array: return "array"
        case .map: return "map"
        case .union: return "union"
        default: return title(index)
        }
    }
}
