/// First and last event time of each group and how many rows it has: what makes a fragment of a session. Every aggregation
/// over sessions has it behind its measures.
final class SpanStates: MeasureStates {
    struct Span: BitwiseCopyable {
        var first = Int64.max
        var last = Int64.min
        var rows: Int64 = 0
    }

    private var column = StateColumn(initial: Span())

    var count: Int { column.count }
    var memoryBytes: Int { column.memoryBytes }

    subscript(group: Int) -> Span { column.states[group] }

    func resize(to count: Int) { column.resize(to: count) }

    func update(_ input: MeasureColumn?, _ rows: RowGroups) throws(AggregationError) {
        guard let input, case .int64(let times) = input.vector else { throw .wrongLayout(column: "timestamp") }
        let (states, values) = (column.states, times.values)
        for index in 0..<rows.count {
            add(Span(time: values[Int(rows.rows[index])]), to: states + Int(rows.groups[index]))
        }
    }

    @inline(__always)
    private func add(_ added: Span, to state: UnsafeMutablePointer<Span>) {
        state.pointee.first = min(state.pointee.first, added.first)
        state.pointee.last = max(state.pointee.last, added.last)
        state.pointee.rows &+= added.rows
    }

    func merge(_ other: any MeasureStates, map: UnsafePointer<Int32>) throws(AggregationError) {
        let other = try sameKind(other, SpanStates.self, measure: "span")
        for group in 0..<other.count where map[group] >= 0 {
            add(other.column.states[group], to: column.states + Int(map[group]))
        }
    }

    func split(
        into parts: [any MeasureStates], part: UnsafePointer<Int32>, index: UnsafePointer<Int32>
    ) throws(AggregationError) {
        let pointers = try statePointers(parts, SpanStates.self, measure: "span") { $0.column.states }
        for group in 0..<count { pointers[Int(part[group])][Int(index[group])] = column.states[group] }
    }

    func finish(_ groups: UnsafeBufferPointer<Int32>, into column: ColumnVector) throws(AggregationError) {
        throw .wrongLayout(column: "span")
    }

    func growthBytes(merging other: any MeasureStates, groupCount: Int) -> Int { column.growthBytes(to: groupCount) }

    func serialize(_ run: GroupRun, into writer: StateWriter) {
        for group in run.groups {
            let span = column.states[Int(group)]
            writer.put(span.first)
            writer.put(span.last)
            writer.put(span.rows)
        }
    }

    func restore(from reader: inout StateReader) throws(AggregationError) {
        let limit = WindowCalendar.timeLimit
        for group in 0..<count {
            let span = Span(first: try reader.take(), last: try reader.take(), rows: try reader.take())
            guard span.first >= -limit, span.first <= span.last, span.last <= limit, span.rows > 0 else {
                throw .corruptState(reason: "a session's span is impossible")
            }
            column.states[group] = span
        }
    }

    func removeAll() { column.removeAll() }
}

extension SpanStates.Span {
    init(time: Int64) { self.init(first: time, last: time, rows: 1) }
}
