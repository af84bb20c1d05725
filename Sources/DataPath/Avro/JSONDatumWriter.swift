/// Turns JSON text into Avro datums of the schemas in an ``AvroNodes``: the way back of `AvroNodes.writeJSON`.
///
/// Recursion goes as deep as the schema, never as the text. Threads: one at a time.
final class JSONDatumWriter {
    let nodes: AvroNodes
    /// The datum of the last call.
    let out = OutputBuffer()
    /// Where strings with escapes are put together.
    let scratch = OutputBuffer()
    /// Where the members of records begin whose text has another order than the schema; nested ones follow.
    @exclusivity(unchecked) private var places: [UnsafePointer<UInt8>?] = []
    /// After a fault: the names of the record fields that lead to it, innermost first.
    @exclusivity(unchecked) private var faultPath: [[UInt8]] = []

    init(nodes: AvroNodes) { self.nodes = nodes }

    /// Nil when ``out`` holds the datum of node `index`.
    func write(_ index: Int, _ text: UnsafeRawBufferPointer) -> AvroEncodeError.Reason? {
        out.removeAll()
        places.removeAll(keepingCapacity: true)
        faultPath.removeAll()
        guard let start = text.baseAddress else { return .malformedJSON }
        var scanner = JSONScanner(start.assumingMemoryBound(to: UInt8.self), count: text.count)
        if let fault = value(index, &scanner) { return fault }
        _ = scanner.peek()
        return scanner.cursor == scanner.end ? nil : .malformedJSON
    }

    /// The path of the fault's field below `path`.
    func faultField(below path: String) -> String {
        faultPath.reversed().reduce(path) { $0 + "." + String(decoding: $1, as: UTF8.self) }
    }

    func value(_ index: Int, _ scanner: inout JSONScanner) -> AvroEncodeError.Reason? {
        let node = nodes.nodes[index]
        switch node.kind {
        case .union: return union(node, &scanner)
        case .record: return record(node, &scanner)
        case .array, .map: return elements(node, &scanner)
        default: return scalar(node, &scanner)
        }
    }

    /// Why the value at the scanner is not of its node's type.
    func mismatch(_ scanner: inout JSONScanner) -> AvroEncodeError.Reason {
        let isNull = scanner.peek() == UInt8(ascii: "n")
        guard scanner.skipValue(scratch) else { return .malformedJSON }
        return isNull ? .nullNotAllowed : .wrongType
    }

    /// Null and one other type, in either order; the plan's compiler refuses others.
    private func union(_ node: AvroNodes.Node, _ scanner: inout JSONScanner) -> AvroEncodeError.Reason? {
        let isNull = scanner.peek() == UInt8(ascii: "n")
        for branch in 0..<node.count where (nodes.nodes[nodes.children[node.first + branch]].kind == .null) == isNull {
            out.put(varint: Int64(branch))
            return value(nodes.children[node.first + branch], &scanner)
        }
        return mismatch(&scanner)
    }

    private func elements(_ node: AvroNodes.Node, _ scanner: inout JSONScanner) -> AvroEncodeError.Reason? {
        let isMap = node.kind == .map
        let closing = isMap ? UInt8(ascii: "}") : UInt8(ascii: "]")
        guard scanner.take(isMap ? UInt8(ascii: "{") : UInt8(ascii: "[")) else { return mismatch(&scanner) }
        let start = out.count
        // The count when there are elements, else the end.
        out.put(0)
        if scanner.take(closing) { return nil }
        let child = nodes.children[node.first]
        var count: Int64 = 0
        while true {
            if isMap {
                guard let key = scanner.string(scratch), scanner.take(UInt8(ascii: ":")) else { return .malformedJSON }
                out.put(varint: Int64(key.count))
                out.put(key)
            }
            if let fault = value(child, &scanner) { return fault }
            count += 1
            guard let isLast = scanner.ends(with: closing) else { return .malformedJSON }
            if isLast { break }
        }
        // More could not be read back.
        if nodes.elementSize(node) == 0, count > AvroNodes.emptyElementLimit { return .outOfRange }
        out.replace(byteAt: start, withVarint: count)
        out.put(0)
        return nil
    }

    private func record(_ node: AvroNodes.Node, _ scanner: inout JSONScanner) -> AvroEncodeError.Reason? {
        guard scanner.take(UInt8(ascii: "{")) else { return mismatch(&scanner) }
        var next = 0
        var isDone = scanner.take(UInt8(ascii: "}"))
        // Members in the schema's order are written as they come.
        while !isDone {
            _ = scanner.peek()
            let start = scanner.cursor
            guard let key = scanner.string(scratch), scanner.take(UInt8(ascii: ":")) else { return .malformedJSON }
            guard next < node.count, isName(node.firstName + next, key) else {
                scanner.cursor = start
                return scattered(node, from: next, &scanner)
            }
            if let fault = field(node, next, &scanner) { return fault }
            next += 1
            guard let isLast = scanner.ends(with: UInt8(ascii: "}")) else { return .malformedJSON }
            isDone = isLast
        }
        for index in next..<node.count {
            if let fault = absent(node, index) { return fault }
        }
        return nil
    }

    /// The fields from `first` on, whose members are found before any is written.
    private func scattered(
        _ node: AvroNodes.Node, from first: Int, _ scanner: inout JSONScanner
    ) -> AvroEncodeError.Reason? {
        let bottom = places.count
        for _ in first..<node.count { places.append(nil) }
        while true {
            guard let key = scanner.string(scratch), scanner.take(UInt8(ascii: ":")) else { return .malformedJSON }
            if let index = (0..<node.count).first(where: { isName(node.firstName + $0, key) }) {
                guard index >= first, places[bottom + index - first] == nil else { return .malformedJSON }
                places[bottom + index - first] = scanner.cursor
            }
            guard scanner.skipValue(scratch), let isLast = scanner.ends(with: UInt8(ascii: "}")) else {
                return .malformedJSON
            }
            if isLast { break }
        }
        for index in first..<node.count {
            if let place = places[bottom + index - first] {
                var member = scanner
                member.cursor = place
                if let fault = field(node, index, &member) { return fault }
            } else if let fault = absent(node, index) {
                return fault
            }
        }
        places.removeLast(node.count - first)
        return nil
    }

    private func field(
        _ node: AvroNodes.Node, _ index: Int, _ scanner: inout JSONScanner
    ) -> AvroEncodeError.Reason? {
        guard let fault = value(nodes.children[node.first + index], &scanner) else { return nil }
        faultPath.append(nodes.names[node.firstName + index])
        return fault
    }

    /// A field without a member: its default, or null.
    private func absent(_ node: AvroNodes.Node, _ index: Int) -> AvroEncodeError.Reason? {
        if let bytes = nodes.defaults[node.first + index] {
            out.put(bytes)
            return nil
        }
        let type = nodes.nodes[nodes.children[node.first + index]]
        if type.kind == .null { return nil }
        if type.kind == .union,
            let null = (0..<type.count).first(where: { nodes.nodes[nodes.children[type.first + $0]].kind == .null })
        {
            out.put(varint: Int64(null))
            return nil
        }
        faultPath.append(nodes.names[node.firstName + index])
        return .missingField
    }

    private func isName(_ index: Int, _ key: UnsafeRawBufferPointer) -> Bool {
        nodes.names[index].withUnsafeBytes { name in
            guard name.count == key.count else { return false }
            guard let left = name.baseAddress, let right = key.baseAddress else { return true }
            return equalBytes(left, right, key.count)
        }
    }
}
