/// Least or greatest values of anything that orders like an integer: numbers, dates, timestamps, booleans.
///
/// Doubles are kept as integers of the same order: -0.0 and 0.0 are one value, NaN is above all (as in DuckDB).
final class ExtremeStates<Value: FixedWidthInteger & SignedInteger & BitwiseCopyable>: MeasureStates {
    private struct State: BitwiseCopyable {
        /// The worst value of all until there is one.
        var value: Value
        var hasValue: Bool
    }

    private let measure: String
    private let isMaximum: Bool
    private var column: StateColumn<State>

    init(measure: String, isMaximum: Bool) {
        self.measure = measure
        self.isMaximum = isMaximum
        column = StateColumn(initial: State(value: isMaximum ? .min : .max, hasValue: false))
    }

    var count: Int { column.count }
    var memoryBytes: Int { column.memoryBytes }

    func resize(to count: Int) { column.resize(to: count) }

    func update(_ input: MeasureColumn?, _ rows: RowGroups) throws(AggregationError) {
        guard let input else { throw .wrongLayout(column: measure) }
        switch input.vector {
        case .int64(let vector):
            let values = vector.values
            update(rows, vector.nulls, vector.nullCount > 0) { Value(truncatingIfNeeded: values[$0]) }
        case .int128(let vector) where Value.bitWidth == 128:
            let values = vector.values
            update(rows, vector.nulls, vector.nullCount > 0) { Value(truncatingIfNeeded: values[$0]) }
        case .double(let vector):
            let values = vector.values
            update(rows, vector.nulls, vector.nullCount > 0) { Value(truncatingIfNeeded: orderedBits(values[$0])) }
        case .boolean(let vector):
            let values = vector.values
            update(rows, vector.nulls, vector.nullCount > 0) { values[$0] ? 1 : 0 }
        default: throw .wrongLayout(column: measure)
        }
    }

    /// Inlined with the reader of values, so that no closure remains in the loop.
    @inline(__always)
    private func update(
        _ rows: RowGroups, _ nulls: UnsafeMutablePointer<Bool>, _ hasNulls: Bool, value: (Int) -> Value
    ) {
        let states = column.states
        for index in 0..<rows.count {
            let row = Int(rows.rows[index])
            if hasNulls && nulls[row] { continue }
            add(value(row), to: states + Int(rows.groups[index]))
        }
    }

    @inline(__always)
    private func add(_ value: Value, to state: UnsafeMutablePointer<State>) {
        state.pointee.hasValue = true
        if isMaximum ? value > state.pointee.value : value < state.pointee.value { state.pointee.value = value }
    }

    func merge(_ other: any MeasureStates, map: UnsafePointer<Int32>) throws(AggregationError) {
        let other = try sameKind(other, Self.self, measure: measure)
        for group in 0..<other.count where map[group] >= 0 && other.column.states[group].hasValue {
            add(other.column.states[group].value, to: column.states + Int(map[group]))
        }
    }

    func split(
        into parts: [any MeasureStates], part: UnsafePointer<Int32>, index: UnsafePointer<Int32>
    ) throws(AggregationError) {
        let pointers = try statePointers(parts, Self.self, measure: measure) { $0.column.states }
        for group in 0..<count { pointers[Int(part[group])][Int(index[group])] = column.states[group] }
    }

    func finish(_ groups: UnsafeBufferPointer<Int32>, into column: ColumnVector) throws(AggregationError) {
        for group in groups {
            let state = self.column.states[Int(group)]
            switch column {
            case .int64(let vector):
                if state.hasValue { vector.append(Int64(truncatingIfNeeded: state.value)) } else { vector.appendNull() }
            case .int128(let vector):
                if state.hasValue { vector.append(Int128(state.value)) } else { vector.appendNull() }
            case .double(let vector):
                if state.hasValue {
                    vector.append(doubleOfOrderedBits(Int64(truncatingIfNeeded: state.value)))
                } else {
                    vector.appendNull()
                }
            case .boolean(let vector):
                if state.hasValue { vector.append(state.value != 0) } else { vector.appendNull() }
            default: throw .wrongLayout(column: measure)
            }
        }
    }

    func growthBytes(merging other: any MeasureStates, groupCount: Int) -> Int { column.growthBytes(to: groupCount) }

    func serialize(_ run: GroupRun, into writer: StateWriter) {
        for group in run.groups {
            writer.put(column.states[Int(group)].hasValue)
            writer.put(column.states[Int(group)].value)
        }
    }

    func restore(from reader: inout StateReader) throws(AggregationError) {
        for group in 0..<count {
            let hasValue = try reader.takeBool()
            column.states[group] = State(value: try reader.take(), hasValue: hasValue)
        }
    }

    func removeAll() { column.removeAll() }
}

/// The bits of a double with one zero and one NaN.
@inline(__always)
func canonicalBits(_ value: Double) -> UInt64 {
    if value == 0 { return 0 }
    return value.isNaN ? Double.nan.bitPattern : value.bitPattern
}

/// An integer that orders like the double; NaN is the greatest.
@inline(__always)
func orderedBits(_ value: Double) -> Int64 {
    let bits = Int64(bitPattern: canonicalBits(value))
    return bits < 0 ? bits ^ .max : bits
}

func doubleOfOrderedBits(_ bits: Int64) -> Double {
    Double(bitPattern: UInt64(bitPattern: bits < 0 ? bits ^ .max : bits))
}
