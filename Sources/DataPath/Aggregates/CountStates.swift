/// Counts of rows, or of the non-null values of a column.
final class CountStates: MeasureStates {
    private let measure: String
    private var counts = StateColumn<Int64>(initial: 0)

    init(measure: String) { self.measure = measure }

    var count: Int { counts.count }
    var memoryBytes: Int { counts.memoryBytes }

    func resize(to count: Int) { counts.resize(to: count) }

    func update(_ column: MeasureColumn?, _ rows: RowGroups) {
        let states = counts.states
        guard let column, column.hasNulls else {
            for index in 0..<rows.count { states[Int(rows.groups[index])] &+= 1 }
            return
        }
        let nulls = column.nulls
        for index in 0..<rows.count where !nulls[Int(rows.rows[index])] { states[Int(rows.groups[index])] &+= 1 }
    }

    func merge(_ other: any MeasureStates, map: UnsafePointer<Int32>) throws(AggregationError) {
        let other = try sameKind(other, CountStates.self, measure: measure)
        for group in 0..<other.count where map[group] >= 0 {
            counts.states[Int(map[group])] &+= other.counts.states[group]
        }
    }

    func split(
        into parts: [any MeasureStates], part: UnsafePointer<Int32>, index: UnsafePointer<Int32>
    ) throws(AggregationError) {
        let pointers = try statePointers(parts, CountStates.self, measure: measure) { $0.counts.states }
        for group in 0..<count { pointers[Int(part[group])][Int(index[group])] = counts.states[group] }
    }

    func finish(_ groups: UnsafeBufferPointer<Int32>, into column: ColumnVector) throws(AggregationError) {
        guard case .int64(let result) = column else { throw .wrongLayout(column: measure) }
        for group in groups { result.append(counts.states[Int(group)]) }
    }

    func growthBytes(merging other: any MeasureStates, groupCount: Int) -> Int { counts.growthBytes(to: groupCount) }

    func serialize(_ run: GroupRun, into writer: StateWriter) {
        for group in run.groups { writer.put(counts.states[Int(group)]) }
    }

    func restore(from reader: inout StateReader) throws(AggregationError) {
        for group in 0..<count { counts.states[group] = try reader.take() }
    }

    func removeAll() { counts.removeAll() }
}
