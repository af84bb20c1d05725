/// Renders rows of batches as newline-delimited JSON objects, keys in the order of the columns.
///
/// Dotted columns (`location.country`) become nested objects, a group of them that is wholly null becomes null. Timestamps
/// and dates are ISO 8601 strings, decimals are numbers with all their digits, bytes are lower-case hexadecimal strings,
/// NaN and infinities are null. Columns of type json are written as they are. Threads: one at a time.
public struct NDJSONWriter {
    public let schema: BatchSchema
    /// All that stands between the cells, one behind the other, and ``padding`` more bytes.
    private let texts: [UInt8]
    private let steps: [Step]
    /// The columns of all nested objects, one object's behind the other's.
    private let members: [Int]

    /// A text of up to so many bytes is copied as so many.
    private static let padding = 32

    /// A part of a row: some text, then a cell or nothing. An object of which all columns are null is left out.
    private struct Step {
        var text: Range<Int>
        /// -1: only text.
        var column = -1
        /// For the beginning of a nested object: its columns in ``members``, and the step behind its last one.
        var object: Range<Int>?
        var end = 0
    }

    /// `names` replaces the columns' names; as many as there are columns.
    public init(schema: BatchSchema, names: [String]? = nil) {
        self.schema = schema
        let names = names ?? schema.columns.map(\.name)
        var root: [Member] = []
        for (index, name) in names.enumerated() {
            let path = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            Member.add(path[...], column: index, to: &root)
        }
        var plan = Plan()
        plan.add(root)
        plan.close(with: "\n")
        texts = plan.texts + [UInt8](repeating: 0, count: Self.padding)
        (steps, members) = (plan.steps, plan.members)
    }

    /// Appends the rows `range` (default: all) of a batch of this schema, each with its line end.
    ///
    /// `ends`, with room for all rows of the range, gets where in `out` each one ends: a JSON column may hold line ends too.
    public func write(
        _ batch: RecordBatch, rows range: Range<Int>? = nil, to out: ByteBuffer,
        ends: UnsafeMutablePointer<Int>? = nil
    ) {
        let rows = range ?? 0..<batch.rowCount
        let rare = zip(batch.schema.columns, batch.columns).map { JSONColumn.Rare($0.type, $1) }
        var columns = rare.indices.map { JSONColumn(batch.schema.columns[$0].type, batch.columns[$0], rare[$0]) }
        columns.withUnsafeMutableBufferPointer { columns in
            texts.withUnsafeBytes { texts in
                steps.withUnsafeBufferPointer { steps in
                    for row in rows {
                        write(row, columns, texts, steps, to: out)
                        if let ends { ends[row - rows.lowerBound] = out.count }
                    }
                }
            }
        }
        withExtendedLifetime((batch, rare)) {}
    }

    @inline(__always)
    private func write(
        _ row: Int, _ columns: UnsafeMutableBufferPointer<JSONColumn>, _ texts: UnsafeRawBufferPointer,
        _ steps: UnsafeBufferPointer<Step>, to out: ByteBuffer
    ) {
        var next = 0
        while next < steps.count {
            let step = steps[next]
            next &+= 1
            Self.copy(step.text, of: texts, to: out)
            if step.column >= 0 {
                columns[step.column].write(row, to: out)
            } else if let object = step.object, members[object].allSatisfy({ columns[$0].isNull(row) }) {
                out.append("null")
                next = step.end
            }
        }
    }

    /// Two moves of 16 bytes are sooner done than a call that looks how many there are.
    @inline(__always)
    private static func copy(_ range: Range<Int>, of texts: UnsafeRawBufferPointer, to out: ByteBuffer) {
        guard let base = texts.baseAddress, range.count <= padding else {
            return out.append(UnsafeRawBufferPointer(rebasing: texts[range]))
        }
        out.reserve(padding)
        let (from, into) = (base + range.lowerBound, UnsafeMutableRawPointer(out.end))
        for offset in stride(from: 0, to: padding, by: 16) {
            into.storeBytes(
                of: from.loadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self), toByteOffset: offset,
                as: SIMD16<UInt8>.self)
        }
        out.count &+= range.count
    }

    /// A key with the column that it holds, or with the members of its object.
    private struct Member {
        var name: String
        var column: Int?
        var members: [Member] = []

        static func add(_ path: ArraySlice<String>, column: Int, to members: inout [Member]) {
            guard let name = path.first else { return }
            let rest = path.dropFirst()
            if !rest.isEmpty, let index = members.firstIndex(where: { $0.name == name && $0.column == nil }) {
                return add(rest, column: column, to: &members[index].members)
            }
            var member = Member(name: name, column: rest.isEmpty ? column : nil)
            if !rest.isEmpty { add(rest, column: column, to: &member.members) }
            members.append(member)
        }

        var columns: [Int] { column.map { [$0] } ?? members.flatMap(\.columns) }
    }

    /// The steps of a row in the making.
    private struct Plan {
        var texts: [UInt8] = []
        var steps: [Step] = []
        var members: [Int] = []
        /// Where the text begins that no step has yet.
        private var start = 0

        mutating func add(_ object: [Member]) {
            texts += "{".utf8
            for (index, member) in object.enumerated() {
                if index > 0 { texts += ",".utf8 }
                let key = ByteBuffer(capacity: 64)
                var name = member.name
                name.withUTF8 { TextFormat.writeJSONString(UnsafeRawBufferPointer($0), to: key) }
                texts += key.contents
                texts += ":".utf8
                if let column = member.column {
                    takeStep { $0.column = column }
                    continue
                }
                let first = members.count
                members += member.columns
                let position = steps.count
                let columns = first..<members.count
                takeStep { $0.object = columns }
                add(member.members)
                takeStep { _ in }
                steps[position].end = steps.count
            }
            texts += "}".utf8
        }

        mutating func close(with text: String) {
            texts += text.utf8
            takeStep { _ in }
        }

        private mutating func takeStep(_ change: (inout Step) -> Void) {
            var step = Step(text: start..<texts.count)
            change(&step)
            steps.append(step)
            start = texts.count
        }
    }
}
