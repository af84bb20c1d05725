/// Steps over values of one node of a schema, with the steps of its records laid out in a row. Threads: one at a time.
package final class AvroWalker {
    private enum Kind: UInt8 { case varint, bytes, fixed, node }

    private struct Step {
        var kind: Kind
        /// Bytes of a fixed; the node's number.
        var argument: Int
    }

    private let steps: UnsafeMutableBufferPointer<Step>
    /// Schemas can name a record in many places, so that writing it out in each could take much memory.
    private static let stepLimit = 4096

    package init(_ nodes: AvroNodes, _ root: Int) {
        var steps: [Step] = []
        var visits = 0
        if !Self.add(root, of: nodes, to: &steps, &visits) { steps = [Step(kind: .node, argument: root)] }
        self.steps = .allocate(capacity: steps.count)
        _ = self.steps.initialize(from: steps)
    }

    deinit { steps.deallocate() }

    /// False when there are too many.
    private static func add(
        _ index: Int, of nodes: AvroNodes, to steps: inout [Step], _ visits: inout Int
    ) -> Bool {
        visits += 1
        guard visits <= stepLimit else { return false }
        let node = nodes.nodes[index]
        switch node.kind {
        case .null: return true
        case .record:
            for child in node.first..<node.first + node.count {
                guard add(nodes.children[child], of: nodes, to: &steps, &visits) else { return false }
            }
            return true
        case .int, .long: steps.append(Step(kind: .varint, argument: 0))
        case .bytes, .string: steps.append(Step(kind: .bytes, argument: 0))
        case .boolean: add(1, to: &steps)
        case .float: add(4, to: &steps)
        case .double: add(8, to: &steps)
        case .fixed: add(node.size, to: &steps)
        case .decimal where node.size >= 0: add(node.size, to: &steps)
        case .decimal: steps.append(Step(kind: .bytes, argument: 0))
        case .enumeration, .union, .array, .map: steps.append(Step(kind: .node, argument: index))
        }
        return true
    }

    /// Neighbours are one step.
    private static func add(_ bytes: Int, to steps: inout [Step]) {
        if let last = steps.last, last.kind == .fixed, last.argument <= Int(Int32.max) {
            steps[steps.count - 1].argument += bytes
        } else {
            steps.append(Step(kind: .fixed, argument: bytes))
        }
    }

    /// Appends an entry for each of the `count` values that lie in the block's bytes from `first` on, until one does not
    /// follow the schema. `nodes` are those of the initializer.
    ///
    /// Their offsets count from `offset`. Returns how many there are and where the last one ends.
    package func split(
        _ block: RecordBlock, from first: Int, count: Int, offset: Int64, _ nodes: AvroNodes
    ) -> (count: Int, end: Int) {
        let start = UnsafePointer(block.bytes)
        let end = start + block.byteCount
        // Taken out for the loop, so that each addition need not ask whether somebody else looks at them.
        var entries: [RecordBlock.Entry] = []
        swap(&entries, &block.entries)
        defer { swap(&entries, &block.entries) }
        var entry = RecordBlock.Entry(
            offset: offset, timestamp: 0, keyStart: first, keyLength: -1, valueStart: first, valueLength: 0)
        var cursor = start + first
        for index in 0..<count {
            guard skip(nodes, &cursor, end) else { return (index, entry.valueStart) }
            entry.valueLength = cursor - start - entry.valueStart
            entries.append(entry)
            entry.offset += 1
            entry.valueStart = cursor - start
            entry.keyStart = entry.valueStart
        }
        return (count, entry.valueStart)
    }

    @inline(__always)
    private func skip(
        _ nodes: AvroNodes, _ cursor: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> Bool {
        for step in steps {
            switch step.kind {
            case .varint: guard AvroVarint.read(&cursor, end) != nil else { return false }
            case .bytes: guard AvroNodes.skipBytes(&cursor, end) else { return false }
            case .fixed: guard AvroNodes.advance(&cursor, end, Int64(step.argument)) else { return false }
            case .node: guard nodes.skip(step.argument, &cursor, end) else { return false }
            }
        }
        return true
    }
}
