/// Exact sums and averages of integers, decimals and money.
///
/// A sum is 128 bits and a count of its wraps around, 192 bits together: intermediate sums may exceed 128 bits in one
/// order and not in another, yet the result, or the error, is always the same.
final class IntegerSumStates: MeasureStates {
    enum Result {
        /// A long; throws when it does not fit.
        case longSum
        /// In the column's own unit; `limit` is 10^precision.
        case decimalSum(limit: Int128)
        /// The exact quotient, rounded half to even at the result's scale.
        case decimalAverage(limit: Int128, scaleUp: Int128, scaleDown: Int128)
        /// The exact sum rounded to a double, divided by the count: two roundings.
        case doubleAverage
    }

    private struct State: BitwiseCopyable {
        var sum: Int128
        var count: Int64
        /// How often the sum wrapped around upwards less how often downwards.
        var wraps: Int64
    }

    private let measure: String
    private let result: Result
    private var column = StateColumn(initial: State(sum: 0, count: 0, wraps: 0))

    init(measure: String, result: Result) {
        self.measure = measure
        self.result = result
    }

    var count: Int { column.count }
    var memoryBytes: Int { column.memoryBytes }

    func resize(to count: Int) { column.resize(to: count) }

    func update(_ input: MeasureColumn?, _ rows: RowGroups) throws(AggregationError) {
        let states = column.states
        guard let input else { throw .wrongLayout(column: measure) }
        let hasNulls = input.hasNulls
        let nulls = input.nulls
        switch input.vector {
        case .int64(let vector):
            let values = vector.values
            for index in 0..<rows.count {
                let row = Int(rows.rows[index])
                if hasNulls && nulls[row] { continue }
                let state = states + Int(rows.groups[index])
                Self.add(Int128(values[row]), to: state)
                state.pointee.count &+= 1
            }
        case .int128(let vector):
            let values = vector.values
            for index in 0..<rows.count {
                let row = Int(rows.rows[index])
                if hasNulls && nulls[row] { continue }
                let state = states + Int(rows.groups[index])
                Self.add(values[row], to: state)
                state.pointee.count &+= 1
            }
        default: throw .wrongLayout(column: measure)
        }
    }

    @inline(__always)
    private static func add(_ value: Int128, to state: UnsafeMutablePointer<State>) {
        let (sum, overflow) = state.pointee.sum.addingReportingOverflow(value)
        state.pointee.sum = sum
        if overflow { state.pointee.wraps &+= value < 0 ? -1 : 1 }
    }

    func merge(_ other: any MeasureStates, map: UnsafePointer<Int32>) throws(AggregationError) {
        let other = try sameKind(other, IntegerSumStates.self, measure: measure)
        for group in 0..<other.count where map[group] >= 0 {
            let state = column.states + Int(map[group])
            let added = other.column.states[group]
            Self.add(added.sum, to: state)
            state.pointee.count &+= added.count
            state.pointee.wraps &+= added.wraps
        }
    }

    func split(
        into parts: [any MeasureStates], part: UnsafePointer<Int32>, index: UnsafePointer<Int32>
    ) throws(AggregationError) {
        let pointers = try statePointers(parts, IntegerSumStates.self, measure: measure) { $0.column.states }
        for group in 0..<count { pointers[Int(part[group])][Int(index[group])] = column.states[group] }
    }

    func finish(_ groups: UnsafeBufferPointer<Int32>, into column: ColumnVector) throws(AggregationError) {
        try finish(groups, into: column, as: result, measure: measure)
    }

    /// As the states of `measure`, which may be another one, would if they had seen the same.
    func finish(
        _ groups: UnsafeBufferPointer<Int32>, into column: ColumnVector, as result: Result, measure: String
    ) throws(AggregationError) {
        for group in groups {
            let state = self.column.states[Int(group)]
            switch (column, result) {
            case (.int64(let vector), _) where state.count == 0: vector.appendNull()
            case (.int128(let vector), _) where state.count == 0: vector.appendNull()
            case (.double(let vector), _) where state.count == 0: vector.appendNull()
            case (.int64(let vector), .longSum):
                guard state.wraps == 0, let sum = Int64(exactly: state.sum) else { throw .overflow(measure: measure) }
                vector.append(sum)
            case (.int128(let vector), .decimalSum(let limit)):
                guard state.wraps == 0, state.sum.magnitude < limit.magnitude else {
                    throw .overflow(measure: measure)
                }
                vector.append(state.sum)
            case (.int128(let vector), .decimalAverage(let limit, let up, let down)):
                guard state.wraps == 0, let average = Self.average(state.sum, state.count, up: up, down: down),
                    average.magnitude < limit.magnitude
                else { throw .overflow(measure: measure) }
                vector.append(average)
            case (.double(let vector), .doubleAverage):
                guard state.wraps == 0 else { throw .overflow(measure: measure) }
                vector.append(Double(state.sum) / Double(state.count))
            default: throw .wrongLayout(column: measure)
            }
        }
    }

    /// `sum * up / (count * down)`, half to even; nil when it does not fit 128 bits.
    private static func average(_ sum: Int128, _ count: Int64, up: Int128, down: Int128) -> Int128? {
        let (divisor, overflow) = UInt128(count).multipliedReportingOverflow(by: down.magnitude)
        guard !overflow else { return nil }
        let product = sum.magnitude.multipliedFullWidth(by: up.magnitude)
        guard product.high < divisor else { return nil }
        var (quotient, remainder) = divisor.dividingFullWidth(product)
        let rest = divisor - remainder
        if remainder > rest || (remainder == rest && quotient & 1 == 1) { quotient += 1 }
        guard let magnitude = Int128(exactly: quotient) else { return nil }
        return sum < 0 ? -magnitude : magnitude
    }

    func growthBytes(merging other: any MeasureStates, groupCount: Int) -> Int { column.growthBytes(to: groupCount) }

    func serialize(_ run: GroupRun, into writer: StateWriter) {
        for group in run.groups {
            let state = column.states[Int(group)]
            writer.put(state.sum)
            writer.put(state.count)
            writer.put(state.wraps)
        }
    }

    func restore(from reader: inout StateReader) throws(AggregationError) {
        for group in 0..<count {
            let state = State(sum: try reader.take(), count: try reader.take(), wraps: try reader.take())
            guard (0...Int64.max / 2).contains(state.count) else {
                throw .corruptState(reason: "a count is out of range")
            }
            column.states[group] = state
        }
    }

    func removeAll() { column.removeAll() }
}
