/// Exact sums and averages of doubles, rounded once when they are read.
///
/// A sum is kept as `high + low`: each addition splits its rounding error off exactly (Knuth's TwoSum) and adds it to `low`;
/// what does not fit there either is added to an ``ExactSum``, which most groups never need. So the result is the correctly
/// rounded exact sum (as Python's `math.fsum` gives it), whatever the order and the batches. An average is that sum divided
/// by the count: two roundings. NaN and infinities: NaN if any value is NaN or both infinities occur, else the infinity.
final class DoubleSumStates: MeasureStates {
    private struct State: BitwiseCopyable {
        var high: Double = 0
        var low: Double = 0
        var count: Int64 = 0
        /// One more than the index of the exact sum; 0 for none.
        var spill: UInt32 = 0
        var flags: UInt32 = 0
    }

    private enum Flag {
        static let nan: UInt32 = 1
        static let positive: UInt32 = 2
        static let negative: UInt32 = 4
    }

    /// Sums up to here are added without any step that could overflow.
    private static let limit = 0x1p1020

    private let measure: String
    private let isAverage: Bool
    private var column = StateColumn(initial: State())
    /// Made when the first group needs one.
    private var spills: ExactSumPool?

    init(measure: String, isAverage: Bool) {
        self.measure = measure
        self.isAverage = isAverage
    }

    var count: Int { column.count }
    var memoryBytes: Int { column.memoryBytes + (spills?.memoryBytes ?? 0) }

    func resize(to count: Int) { column.resize(to: count) }

    func update(_ input: MeasureColumn?, _ rows: RowGroups) throws(AggregationError) {
        guard let input, case .double(let vector) = input.vector else { throw .wrongLayout(column: measure) }
        let states = column.states
        let values = vector.values
        let nulls = vector.nulls
        let hasNulls = vector.nullCount > 0
        for index in 0..<rows.count {
            let row = Int(rows.rows[index])
            if hasNulls && nulls[row] { continue }
            let state = states + Int(rows.groups[index])
            state.pointee.count &+= 1
            add(values[row], to: state)
        }
    }

    @inline(__always)
    private func add(_ value: Double, to state: UnsafeMutablePointer<State>) {
        let (high, low) = (state.pointee.high, state.pointee.low)
        let sum = high + value
        // Not below the limit: too large, infinite or NaN.
        guard sum.magnitude < Self.limit else { return addRare(value, to: state) }
        let part = sum - high
        let error = (high - (sum - part)) + (value - part)
        let lowSum = low + error
        let lowPart = lowSum - low
        let rest = (low - (lowSum - lowPart)) + (error - lowPart)
        state.pointee.high = sum
        state.pointee.low = lowSum
        if rest != 0 { ExactSum.add(rest, to: spill(of: state)) }
    }

    @inline(never)
    private func addRare(_ value: Double, to state: UnsafeMutablePointer<State>) {
        if value.isNaN {
            state.pointee.flags |= Flag.nan
        } else if value.isInfinite {
            state.pointee.flags |= value > 0 ? Flag.positive : Flag.negative
        } else {
            ExactSum.add(value, to: spill(of: state))
        }
    }

    private func spill(of state: UnsafeMutablePointer<State>) -> UnsafeMutablePointer<UInt64> {
        let spills = spills ?? ExactSumPool()
        self.spills = spills
        if state.pointee.spill == 0 { state.pointee.spill = UInt32(spills.append() + 1) }
        return spills[Int(state.pointee.spill) - 1]
    }

    /// Nil for a group that has none.
    private func exactSum(of state: State) -> UnsafeMutablePointer<UInt64>? {
        state.spill == 0 ? nil : spills?[Int(state.spill) - 1]
    }

    func merge(_ other: any MeasureStates, map: UnsafePointer<Int32>) throws(AggregationError) {
        let other = try sameKind(other, DoubleSumStates.self, measure: measure)
        for group in 0..<other.count where map[group] >= 0 {
            merge(other.column.states[group], of: other, into: column.states + Int(map[group]))
        }
    }

    private func merge(_ added: State, of other: DoubleSumStates, into state: UnsafeMutablePointer<State>) {
        add(added.high, to: state)
        if added.low != 0 { add(added.low, to: state) }
        state.pointee.count &+= added.count
        state.pointee.flags |= added.flags
        if let sum = other.exactSum(of: added) { ExactSum.add(sum, to: spill(of: state)) }
    }

    func split(
        into parts: [any MeasureStates], part: UnsafePointer<Int32>, index: UnsafePointer<Int32>
    ) throws(AggregationError) {
        var targets: [DoubleSumStates] = []
        for part in parts { targets.append(try sameKind(part, DoubleSumStates.self, measure: measure)) }
        let pointers = targets.map { $0.column.states }
        for group in 0..<count {
            let (state, part, index) = (column.states[group], Int(part[group]), Int(index[group]))
            if state.spill == 0 {
                pointers[part][index] = state
            } else {
                targets[part].merge(state, of: self, into: pointers[part] + index)
            }
        }
    }

    func finish(_ groups: UnsafeBufferPointer<Int32>, into column: ColumnVector) throws(AggregationError) {
        try finish(groups, into: column, isAverage: isAverage, measure: measure)
    }

    /// As the states of `measure`, which may be another one, would if they had seen the same.
    func finish(
        _ groups: UnsafeBufferPointer<Int32>, into column: ColumnVector, isAverage: Bool, measure: String
    ) throws(AggregationError) {
        guard case .double(let result) = column else { throw .wrongLayout(column: measure) }
        for group in groups {
            let state = self.column.states[Int(group)]
            if state.count == 0 {
                result.appendNull()
            } else {
                let sum = sum(of: state)
                result.append(isAverage ? sum / Double(state.count) : sum)
            }
        }
    }

    private func sum(of state: State) -> Double {
        switch state.flags {
        case 0: break
        case Flag.positive: return .infinity
        case Flag.negative: return -.infinity
        default: return .nan
        }
        // One addition of two doubles is rounded correctly by itself.
        guard let spilled = exactSum(of: state) else { return state.high + state.low }
        return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: ExactSumPool.limbCount) { limbs in
            for limb in 0..<ExactSumPool.limbCount { limbs[limb] = spilled[limb] }
            guard let total = limbs.baseAddress else { return .nan }
            ExactSum.add(state.high, to: total)
            ExactSum.add(state.low, to: total)
            return ExactSum.rounded(total)
        }
    }

    /// Without exact sums that only the merge makes, which are rare.
    func growthBytes(merging other: any MeasureStates, groupCount: Int) -> Int {
        let spilled = (other as? DoubleSumStates)?.spills?.count ?? 0
        return column.growthBytes(to: groupCount)
            + (spills?.growthBytes(for: spilled) ?? ExactSumPool.memoryBytes(for: spilled))
    }

    func serialize(_ run: GroupRun, into writer: StateWriter) {
        for group in run.groups {
            let state = column.states[Int(group)]
            writer.put(state.high)
            writer.put(state.low)
            writer.put(state.count)
            writer.put(state.flags)
            let limbs = exactSum(of: state)
            writer.put(limbs != nil)
            guard let limbs else { continue }
            for limb in 0..<ExactSumPool.limbCount { writer.put(limbs[limb]) }
        }
    }

    func restore(from reader: inout StateReader) throws(AggregationError) {
        for group in 0..<count {
            let (high, low) = (try reader.takeDouble(), try reader.takeDouble())
            guard high.magnitude < Self.limit, low.magnitude < Self.limit else {
                throw .corruptState(reason: "a sum is out of range")
            }
            let state = column.states + group
            state.pointee = State(high: high, low: low, count: try reader.take(), flags: try reader.take())
            guard try reader.takeBool() else { continue }
            let limbs = spill(of: state)
            for limb in 0..<ExactSumPool.limbCount { limbs[limb] = try reader.take() }
        }
    }

    func removeAll() {
        column.removeAll()
        spills?.removeAll()
    }
}
