/// A sum or an average of a column of which an earlier measure of the aggregation keeps the sums: it reads that one's.
///
/// What changes states does nothing here: it is done once, by that measure, which is always told, too. Saved state has the
/// sums of both, so it does not depend on who shares with whom.
final class SharedSumStates: MeasureStates {
    /// Whose sums these are, and what is made of them.
    enum Source {
        case doubles(DoubleSumStates, isAverage: Bool)
        case integers(IntegerSumStates, IntegerSumStates.Result)
    }

    private let measure: String
    private let source: Source

    init(measure: String, source: Source) {
        self.measure = measure
        self.source = source
    }

    private var sums: any MeasureStates {
        switch source {
        case .doubles(let sums, _): sums
        case .integers(let sums, _): sums
        }
    }

    var count: Int { sums.count }
    var memoryBytes: Int { 0 }

    func resize(to count: Int) {}
    func update(_ column: MeasureColumn?, _ rows: RowGroups) {}
    func merge(_ other: any MeasureStates, map: UnsafePointer<Int32>) {}
    func split(into parts: [any MeasureStates], part: UnsafePointer<Int32>, index: UnsafePointer<Int32>) {}
    func growthBytes(merging other: any MeasureStates, groupCount: Int) -> Int { 0 }
    func removeAll() {}

    func finish(_ groups: UnsafeBufferPointer<Int32>, into column: ColumnVector) throws(AggregationError) {
        switch source {
        case .doubles(let sums, let isAverage):
            try sums.finish(groups, into: column, isAverage: isAverage, measure: measure)
        case .integers(let sums, let result):
            try sums.finish(groups, into: column, as: result, measure: measure)
        }
    }

    func serialize(_ run: GroupRun, into writer: StateWriter) { sums.serialize(run, into: writer) }

    func restore(from reader: inout StateReader) throws(AggregationError) {
        let known: any MeasureStates =
            switch source {
            case .doubles(_, let isAverage): DoubleSumStates(measure: measure, isAverage: isAverage)
            case .integers(_, let result): IntegerSumStates(measure: measure, result: result)
            }
        known.resize(to: count)
        try known.restore(from: &reader)
    }
}
