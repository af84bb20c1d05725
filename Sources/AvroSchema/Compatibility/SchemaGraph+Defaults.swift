extension SchemaGraph {
    /// The fields, as `record.field`, whose default is no value of their type. A union's default may be of any branch.
    public func invalidDefaults() -> [String] {
        var result: [String] = []
        for node in nodes {
            guard case .record(let fields) = node.kind else { continue }
            for field in fields {
                if let value = field.defaultValue, !accepts(value, field.type) {
                    result.append("\(node.fullName ?? "").\(field.name)")
                }
            }
        }
        return result
    }

    private func accepts(_ value: AvroDefault, _ type: Int) -> Bool {
        switch (nodes[type].kind, value) {
        case (.null, .null), (.boolean, .boolean), (.string, .string), (.long, .integer), (.float, .integer),
            (.float, .double), (.double, .integer), (.double, .double):
            true
        case (.int, .integer(let number)): Int32(exactly: number) != nil
        // One byte a code point.
        case (.bytes, .string(let text)): text.unicodeScalars.allSatisfy { $0.value < 256 }
        case (.fixed(let size), .string(let text)):
            text.unicodeScalars.count == size && text.unicodeScalars.allSatisfy { $0.value < 256 }
        case (.enumeration(let symbols, _), .string(let text)): symbols.contains(text)
        case (.array(let items), .array(let values)): values.allSatisfy { accepts($0, items) }
        case (.map(let type), .object(let members)): members.values.allSatisfy { accepts($0, type) }
        case (.record(let fields), .object(let members)):
            fields.allSatisfy { field in
                if let value = members[field.name] { accepts(value, field.type) } else { field.defaultValue != nil }
            }
        case (.union(let branches), _): branches.contains { accepts(value, $0) }
        default: false
        }
    }
}
