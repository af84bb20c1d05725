/// A writer's schema as a flat table, for values that are walked as a whole: skipped, or turned into JSON text and back.
///
/// Compiled from `AvroSchema` once; never changed after that. Node 0 is the root. A node's children are
/// `children[first ..< first + count]`.
public struct AvroNodes: Sendable {
    package enum Kind: UInt8, Sendable {
        case null, boolean, int, long, float, double, bytes, string, fixed, enumeration, record, array, map, union
        /// Decimals over bytes (`size` is -1) or a fixed.
        case decimal
    }

    /// What the number of an int or long counts, when its JSON may also be a date or time as text.
    package enum Calendar: UInt8, Sendable {
        case none, days, milliseconds, microseconds
    }

    package struct Node: Sendable {
        package var kind: Kind
        package var calendar = Calendar.none
        package var first = 0
        package var count = 0
        /// Bytes of a fixed; scale of a decimal is in ``scale``.
        package var size = 0
        package var precision = 0
        package var scale = 0
        /// The first of `count` names (a record's fields, an enum's symbols) in ``AvroNodes/names``.
        package var firstName = 0
        /// The fewest bytes that a value takes.
        package var minimumSize = 0

        package init(kind: Kind) { self.kind = kind }
    }

    package var nodes: [Node] = []
    package var children: [Int] = []
    /// UTF-8 names of record fields and enum symbols; plain Avro names, so they need no escape in JSON.
    package var names: [[UInt8]] = []
    /// The encoded default of each record field, in step with the children of records; nil where there is none.
    package var defaults: [[UInt8]?] = []

    /// JSON text shows every timestamp in milliseconds, rounded down; else in the unit of its type.
    package var showsMilliseconds = false

    package init() {}

    /// Array and map blocks whose elements take no bytes could claim any number of them.
    static let emptyElementLimit: Int64 = 65_536
    /// A value with elements that take no bytes may become so much text, however many blocks of them there are.
    static let emptyElementTextLimit = 16 << 20

    /// Moves `cursor` past a value of node `index`. False, cursor unspecified, when the bytes do not follow the schema.
    package func skip(
        _ index: Int, _ cursor: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> Bool {
        let node = nodes[index]
        switch node.kind {
        case .null: return true
        case .boolean: return Self.advance(&cursor, end, 1)
        case .int, .long: return AvroVarint.read(&cursor, end) != nil
        case .enumeration:
            guard let symbol = AvroVarint.read(&cursor, end) else { return false }
            return symbol >= 0 && symbol < Int64(node.count)
        case .float: return Self.advance(&cursor, end, 4)
        case .double: return Self.advance(&cursor, end, 8)
        case .bytes, .string: return Self.skipBytes(&cursor, end)
        case .fixed: return Self.advance(&cursor, end, Int64(node.size))
        case .decimal:
            return node.size < 0 ? Self.skipBytes(&cursor, end) : Self.advance(&cursor, end, Int64(node.size))
        case .record:
            for child in node.first..<node.first + node.count where !skip(children[child], &cursor, end) {
                return false
            }
            return true
        case .union:
            guard let branch = AvroVarint.read(&cursor, end), branch >= 0, branch < Int64(node.count) else {
                return false
            }
            return skip(children[node.first + Int(branch)], &cursor, end)
        case .array, .map: return skipBlocks(node, &cursor, end)
        }
    }

    private func skipBlocks(
        _ node: Node, _ cursor: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> Bool {
        while true {
            guard let block = Self.block(&cursor, end, elementSize: elementSize(node)) else { return false }
            if block.count == 0 { return true }
            if let bytes = block.byteCount {
                guard Self.advance(&cursor, end, bytes) else { return false }
                continue
            }
            // Elements that can be empty always are: there is nothing to step over, however many a few bytes claim.
            if elementSize(node) == 0 { continue }
            for _ in 0..<block.count {
                if node.kind == .map, !Self.skipBytes(&cursor, end) { return false }
                if !skip(children[node.first], &cursor, end) { return false }
            }
        }
    }

    /// The fewest bytes that an element of an array or map takes; a map's has a key.
    package func elementSize(_ node: Node) -> Int {
        nodes[children[node.first]].minimumSize + (node.kind == .map ? 1 : 0)
    }

    /// The head of a block: how many elements, and the bytes they take if the writer says so. Nil when it cannot be true.
    package static func block(
        _ cursor: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, elementSize: Int
    ) -> (count: Int64, byteCount: Int64?)? {
        guard var count = AvroVarint.read(&cursor, end) else { return nil }
        var byteCount: Int64?
        if count < 0 {
            guard count != .min, let bytes = AvroVarint.read(&cursor, end), bytes >= 0, bytes <= end - cursor else {
                return nil
            }
            count = -count
            byteCount = bytes
        }
        let limit = elementSize == 0 ? emptyElementLimit : Int64(end - cursor) / Int64(elementSize)
        return count <= limit ? (count, byteCount) : nil
    }

    @inline(__always)
    package static func advance(_ cursor: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ count: Int64)
        -> Bool
    {
        guard count >= 0, count <= Int64(end - cursor) else { return false }
        cursor += Int(count)
        return true
    }

    @inline(__always)
    package static func skipBytes(_ cursor: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
        guard let length = AvroVarint.read(&cursor, end) else { return false }
        return advance(&cursor, end, length)
    }

    /// The bytes of a string or `bytes`; nil when they are not all there.
    @inline(__always)
    package static func readBytes(
        _ cursor: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> UnsafeRawBufferPointer? {
        guard let length = AvroVarint.read(&cursor, end) else { return nil }
        let start = cursor
        guard advance(&cursor, end, length) else { return nil }
        return UnsafeRawBufferPointer(start: start, count: Int(length))
    }
}
