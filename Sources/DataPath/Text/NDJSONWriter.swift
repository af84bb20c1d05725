/// Renders rows of batches as newline-delimited JSON objects, keys in the order of the columns.
///
/// Dotted columns (`location.country`) become nested objects, a group of them that is wholly null becomes null. Timestamps
/// and dates are ISO 8601 strings, decimals are numbers with all their digits, bytes are lower-case hexadecimal strings,
/// NaN and infinities are null. Columns of type json are written as they are. Threads: one at a time.
public struct NDJSONWriter {
    public let schema: BatchSchema
    private let root: [Member]
    /// The lines' layout when no object stands inside another.
    private let flat: FlatLayout?

    /// A key with the column that it holds, or with the members of its object.
    private struct Member {
        /// `"name":`
        var key: [UInt8]
        var name: String
        var column: Int?
        var members: [Member] = []
    }

    /// `names` replaces the columns' names; as many as there are columns.
    public init(schema: BatchSchema, names: [String]? = nil) {
        self.schema = schema
        let names = names ?? schema.columns.map(\.name)
        var root: [Member] = []
        for (index, name) in names.enumerated() {
            let path = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            Self.add(path[...], column: index, to: &root)
        }
        self.root = root
        let isFlat = !root.isEmpty && root.allSatisfy { $0.column != nil }
        flat = isFlat ? FlatLayout(keys: root.map(\.key), columns: root.compactMap(\.column)) : nil
    }

    /// Appends the rows `range` (default: all) of a batch of this schema, each with its line end.
    ///
    /// `ends`, with room for all rows of the range, gets where in `out` each one ends: a JSON column may hold line ends too.
    public func write(
        _ batch: RecordBatch, rows range: Range<Int>? = nil, to out: ByteBuffer,
        ends: UnsafeMutablePointer<Int>? = nil
    ) {
        if let flat, let lines = flat.lines(of: batch) {
            lines.write(range ?? 0..<batch.rowCount, to: out, ends: ends)
            return
        }
        let cells = batch.columns.enumerated().map { CellText(batch.schema.columns[$0.offset].type, $0.element) }
        let rows = range ?? 0..<batch.rowCount
        for row in rows {
            Self.write(root, row, cells, to: out)
            out.append(UInt8(ascii: "\n"))
            if let ends { ends[row - rows.lowerBound] = out.count }
        }
    }

    private static func write(_ members: [Member], _ row: Int, _ cells: [CellText], to out: ByteBuffer) {
        out.append(UInt8(ascii: "{"))
        var isFirst = true
        for member in members {
            if !isFirst { out.append(UInt8(ascii: ",")) }
            isFirst = false
            member.key.withUnsafeBytes { out.append($0) }
            if let column = member.column {
                write(cells[column], row, to: out)
            } else if isNull(member, row, cells) {
                out.append("null")
            } else {
                write(member.members, row, cells, to: out)
            }
        }
        out.append(UInt8(ascii: "}"))
    }

    private static func write(_ cell: CellText, _ row: Int, to out: ByteBuffer) {
        if cell.isNull(row) || cell.isNotFinite(row) {
            out.append("null")
        } else if let text = cell.text(row) {
            if cell.type == .json { out.append(text) } else { TextFormat.writeJSONString(text, to: out) }
        } else if cell.scalarIsQuoted {
            out.append(UInt8(ascii: "\""))
            cell.writeScalar(row, to: out)
            out.append(UInt8(ascii: "\""))
        } else {
            cell.writeScalar(row, to: out)
        }
    }

    private static func isNull(_ member: Member, _ row: Int, _ cells: [CellText]) -> Bool {
        if let column = member.column { return cells[column].isNull(row) }
        return member.members.allSatisfy { isNull($0, row, cells) }
    }

    private static func add(_ path: ArraySlice<String>, column: Int, to members: inout [Member]) {
        guard let name = path.first else { return }
        let rest = path.dropFirst()
        if !rest.isEmpty, let index = members.firstIndex(where: { $0.name == name && $0.column == nil }) {
            add(rest, column: column, to: &members[index].members)
            return
        }
        let out = ByteBuffer(capacity: 64)
        var text = name
        text.withUTF8 { TextFormat.writeJSONString(UnsafeRawBufferPointer($0), to: out) }
        out.append(UInt8(ascii: ":"))
        var member = Member(key: Array(out.contents), name: name, column: rest.isEmpty ? column : nil)
        if !rest.isEmpty { add(rest, column: column, to: &member.members) }
        members.append(member)
    }
}
