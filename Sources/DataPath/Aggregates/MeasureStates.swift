/// Which row goes to which group: `groups[i]` is the group of row `rows[i]`.
struct RowGroups {
    let rows: UnsafePointer<Int32>
    let groups: UnsafePointer<Int32>
    let count: Int
}

/// The states of one measure, one a group.
///
/// The aggregate's operations over a whole run of groups: init (``resize(to:)``), update, merge, finish, size. Merging is
/// associative and commutative, so results depend on no order. Calls are made per batch, never per row. Threads: one at a
/// time.
protocol MeasureStates: AnyObject {
    /// How many groups there are.
    var count: Int { get }
    /// Memory held, in bytes.
    var memoryBytes: Int { get }
    /// Values that are kept one by one, of all groups together; about that many.
    var keptValues: Int { get }

    /// Makes room for `count` groups; new ones have seen no value.
    func resize(to count: Int)
    /// Counts rows of a batch. `column` is nil only for a count of rows.
    func update(_ column: MeasureColumn?, _ rows: RowGroups) throws(AggregationError)
    /// Adds group `g` of `other`, which has the same specification, to group `map[g]`; -1 leaves it out.
    func merge(_ other: any MeasureStates, map: UnsafePointer<Int32>) throws(AggregationError)
    /// Gives every group `g` to `parts[part[g]]` as its group `index[g]`, which has seen nothing yet.
    func split(
        into parts: [any MeasureStates], part: UnsafePointer<Int32>, index: UnsafePointer<Int32>
    ) throws(AggregationError)
    /// Appends the results of `groups` to `column`.
    func finish(_ groups: UnsafeBufferPointer<Int32>, into column: ColumnVector) throws(AggregationError)
    /// Bytes that merging `other` would take at its peak, beyond what is there, when there are `groupCount` groups then.
    func growthBytes(merging other: any MeasureStates, groupCount: Int) -> Int
    /// Memory that writing takes meanwhile, in bytes.
    func serializationBytes(onlyChanges: Bool) -> Int
    /// Says that all groups are about to be written, or those that changed since they were last written, in runs of so many
    /// of all.
    func beginSerialization(groupsPerRun: Int, onlyChanges: Bool)
    /// Writes the groups of a run.
    func serialize(_ run: GroupRun, into writer: StateWriter)
    /// Everything that changed has been written.
    func endSerialization()
    /// Reads what ``serialize(_:into:)`` wrote for as many groups as there are here; they have seen nothing yet.
    func restore(from reader: inout StateReader) throws(AggregationError)
    /// Does what was put off; for states that are kept as they are instead of being merged into others.
    func settle()
    /// Takes over what `old`, states of the same measure, needs no more once they are handed on.
    func takeWorkingMemory(of old: any MeasureStates)
    /// Forgets all groups.
    func removeAll()
}

extension MeasureStates {
    var keptValues: Int { 0 }
    func settle() {}
    func takeWorkingMemory(of old: any MeasureStates) {}
    func serializationBytes(onlyChanges: Bool) -> Int { 0 }
    func beginSerialization(groupsPerRun: Int, onlyChanges: Bool) {}
    func endSerialization() {}
}

/// One measure's input column in one batch.
struct MeasureColumn {
    let vector: ColumnVector
    /// The hash of each code, when a dictionary column is counted distinctly.
    let codeHashes: UnsafePointer<Hash128>?

    var nulls: UnsafePointer<Bool> {
        switch vector {
        case .boolean(let vector): UnsafePointer(vector.nulls)
        case .int64(let vector): UnsafePointer(vector.nulls)
        case .int128(let vector): UnsafePointer(vector.nulls)
        case .double(let vector): UnsafePointer(vector.nulls)
        case .bytes(let vector): UnsafePointer(vector.nulls)
        case .dictionary(let vector, _): UnsafePointer(vector.nulls)
        case .hash(let vector): UnsafePointer(vector.nulls)
        }
    }

    var hasNulls: Bool {
        switch vector {
        case .boolean(let vector): vector.nullCount > 0
        case .int64(let vector): vector.nullCount > 0
        case .int128(let vector): vector.nullCount > 0
        case .double(let vector): vector.nullCount > 0
        case .bytes(let vector): vector.nullCount > 0
        case .dictionary(let vector, _): vector.nullCount > 0
        case .hash(let vector): vector.nullCount > 0
        }
    }
}

extension AggregationSpec {
    /// New states for all measures, and behind them the span of a session.
    func makeStates(hashKey: HashKey) throws(AggregationError) -> [any MeasureStates] {
        var states: [any MeasureStates] = []
        for (index, measure) in measures.enumerated() {
            // The first of those that share has sums of its own.
            let earlier = measures[..<index].firstIndex { measure.canShareSums(of: $0) }
            states.append(try measure.makeStates(hashKey: hashKey, sharing: earlier.map { states[$0] }))
        }
        if window.kind == .session { states.append(SpanStates()) }
        return states
    }
}

extension MeasureSpec {
    /// Whether the sums of `other` are those of this measure.
    fileprivate func canShareSums(of other: MeasureSpec) -> Bool {
        isSum && other.isSum && !isFiltered && !other.isFiltered && column == other.column
            && inputType == other.inputType
    }

    private var isSum: Bool { function == .sum || function == .avg }

    /// New states for this measure.
    ///
    /// - Parameter sums: States of a measure with the same sums, when there is one: they are read.
    func makeStates(
        hashKey: HashKey, sharing sums: (any MeasureStates)? = nil
    ) throws(AggregationError) -> any MeasureStates {
        func unsupported(_ reason: String) -> AggregationError { .unsupported(measure: name, reason: reason) }
        switch function {
        case .count:
            guard resultType.physical == .int64 else { throw unsupported("a count is a long") }
            return CountStates(measure: name)
        case .countDistinct:
            guard let inputType else { throw unsupported("count_distinct needs a column") }
            guard resultType.physical == .int64 else { throw unsupported("a count is a long") }
            let isWide = inputType.physical == .int128
            return isStrict
                ? StrictDistinctStates(measure: name, hashKey: hashKey, isWide: isWide)
                : DistinctStates(measure: name, hashKey: hashKey, isWide: isWide)
        case .sum, .avg:
            guard let inputType, inputType.isNumeric else {
                throw unsupported("\(function.rawValue) needs a numeric column")
            }
            let isAverage = function == .avg
            if inputType.physical == .double {
                guard resultType.physical == .double else { throw unsupported("the result must be a double") }
                guard let sums = sums as? DoubleSumStates else {
                    return DoubleSumStates(measure: name, isAverage: isAverage)
                }
                return SharedSumStates(measure: name, source: .doubles(sums, isAverage: isAverage))
            }
            let result = try integerResult(inputType: inputType, isAverage: isAverage)
            guard let sums = sums as? IntegerSumStates else { return IntegerSumStates(measure: name, result: result) }
            return SharedSumStates(measure: name, source: .integers(sums, result))
        case .min, .max:
            guard let inputType else { throw unsupported("\(function.rawValue) needs a column") }
            guard inputType.physical == resultType.physical else {
                throw unsupported("the result must have the column's type")
            }
            let isMaximum = function == .max
            switch inputType.physical {
            case .bytes: return BytesExtremeStates(measure: name, isMaximum: isMaximum)
            case .int128: return ExtremeStates<Int128>(measure: name, isMaximum: isMaximum)
            case .boolean, .int64, .double: return ExtremeStates<Int64>(measure: name, isMaximum: isMaximum)
            }
        }
    }

    private func integerResult(
        inputType: LogicalType, isAverage: Bool
    ) throws(AggregationError) -> IntegerSumStates.Result {
        let inputScale: Int
        if case .decimal(_, let scale) = inputType { inputScale = scale } else { inputScale = 0 }
        switch (resultType, isAverage) {
        case (.decimal(let precision, let scale), true):
            guard (0...38).contains(scale), (0...38).contains(inputScale), (1...38).contains(precision) else { break }
            return .decimalAverage(
                limit: decimalPower(precision), scaleUp: decimalPower(max(scale - inputScale, 0)),
                scaleDown: decimalPower(max(inputScale - scale, 0)))
        case (.decimal(let precision, let scale), false):
            guard scale == inputScale, (1...38).contains(precision) else { break }
            return .decimalSum(limit: decimalPower(precision))
        case (.double, true):
            guard inputScale == 0 else { break }
            return .doubleAverage
        case (.int, false), (.long, false):
            guard inputScale == 0 else { break }
            return .longSum
        default: break
        }
        throw .unsupported(measure: name, reason: "the result type does not fit the column's")
    }
}

/// 10 to the power of `exponent`, 0…38.
func decimalPower(_ exponent: Int) -> Int128 {
    var power: Int128 = 1
    for _ in 0..<exponent { power *= 10 }
    return power
}

/// The pointers to the states of each part, so that a split looks up no object per group.
func statePointers<State, Owner: MeasureStates>(
    _ parts: [any MeasureStates], _ owner: Owner.Type, measure: String,
    _ states: (Owner) -> UnsafeMutablePointer<State>
) throws(AggregationError) -> [UnsafeMutablePointer<State>] {
    var pointers: [UnsafeMutablePointer<State>] = []
    for part in parts { pointers.append(states(try sameKind(part, owner, measure: measure))) }
    return pointers
}

/// `states` as the type that the same measure always has.
func sameKind<Owner: MeasureStates>(
    _ states: any MeasureStates, _ type: Owner.Type, measure: String
) throws(AggregationError) -> Owner {
    guard let own = states as? Owner else { throw .otherState(reason: "measure '\(measure)' is of another kind") }
    return own
}
