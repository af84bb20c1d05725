package import DataPath

extension AvroNodes {
    /// Adds a schema and everything below it; returns its node.
    package mutating func add(_ schema: AvroSchema) -> Int {
        let index = nodes.count
        nodes.append(Node(kind: .null))
        var node = Node(kind: .null)
        switch schema {
        case .null: break
        case .boolean: node.kind = .boolean; node.minimumSize = 1
        case .int: node.kind = .int; node.minimumSize = 1
        case .long: node.kind = .long; node.minimumSize = 1
        case .float: node.kind = .float; node.minimumSize = 4
        case .double: node.kind = .double; node.minimumSize = 8
        case .bytes: node.kind = .bytes; node.minimumSize = 1
        case .string: node.kind = .string; node.minimumSize = 1
        case .logical(let base, .decimal(let precision, let scale)):
            node.kind = .decimal
            (node.precision, node.scale) = (precision, scale)
            if case .fixed(_, _, let size) = base {
                (node.size, node.minimumSize) = (size, size)
            } else {
                (node.size, node.minimumSize) = (-1, 1)
            }
        case .logical(let base, let logical):
            nodes.removeLast()
            let added = add(base)
            switch logical {
            case .date: nodes[added].calendar = .days
            case .timestampMillis: nodes[added].calendar = .milliseconds
            case .timestampMicros: nodes[added].calendar = .microseconds
            case .uuid, .decimal: break
            }
            return added
        case .fixed(_, _, let size):
            node.kind = .fixed
            (node.size, node.minimumSize) = (size, size)
        case .enumeration(_, _, let symbols):
            node.kind = .enumeration
            node.minimumSize = 1
            (node.firstName, node.count) = (names.count, symbols.count)
            names += symbols.map { Array($0.utf8) }
        case .array(let items):
            node.kind = .array
            node.minimumSize = 1
            place([items], in: &node)
        case .map(let values):
            node.kind = .map
            node.minimumSize = 1
            place([values], in: &node)
        case .union(let branches):
            node.kind = .union
            node.minimumSize = 1
            place(branches, in: &node)
        case .record(let record):
            node.kind = .record
            node.firstName = names.count
            names += record.fields.map { Array($0.name.utf8) }
            place(record.fields.map(\.type), in: &node)
            for (offset, field) in record.fields.enumerated() {
                defaults[node.first + offset] = field.defaultValue.flatMap { AvroDatum.encode($0, as: field.type) }
            }
            node.minimumSize = children[node.first..<node.first + node.count]
                .reduce(0) { min($0 + nodes[$1].minimumSize, 1 << 40) }
        }
        nodes[index] = node
        return index
    }

    private mutating func place(_ schemas: [AvroSchema], in node: inout Node) {
        let indices = schemas.map { add($0) }
        (node.first, node.count) = (children.count, indices.count)
        children += indices
        defaults += indices.map { _ in nil }
    }
}
