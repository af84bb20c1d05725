/// Counts of distinct values, exact up to a collision of 128-bit keyed hashes.
///
/// The same value has the same hash in every process of a pipeline, whether the decoder hashed it or this class did:
/// SipHash over the bytes of a string, the eight bytes of an integer or canonical double, the sixteen of a decimal.
/// As a list it only hands pairs over, each of which is there once.
final class DistinctStates: MeasureStates {
    private let measure: String
    private let hashKey: HashKey
    /// Whether integers are hashed as 128-bit ones: the column is a decimal, or money seen as one.
    private let isWide: Bool
    private let isList: Bool
    private let counts = StateColumn<Int64>(initial: 0)
    private let set = DistinctSet()
    private var list: [DistinctSet.Slot] = []

    init(measure: String, hashKey: HashKey, isWide: Bool, isList: Bool) {
        self.measure = measure
        self.hashKey = hashKey
        self.isWide = isWide
        self.isList = isList
    }

    var count: Int { counts.count }
    var memoryBytes: Int {
        counts.memoryBytes + set.memoryBytes + list.capacity * MemoryLayout<DistinctSet.Slot>.stride
    }

    func resize(to count: Int) { counts.resize(to: count) }

    func update(_ input: MeasureColumn?, _ rows: RowGroups) throws(AggregationError) {
        guard let input else { throw .wrongLayout(column: measure) }
        let hasNulls = input.hasNulls
        let nulls = input.nulls
        let key = hashKey
        switch input.vector {
        case .hash(let vector):
            let values = vector.values
            update(rows, nulls, hasNulls) { values[$0] }
        case .dictionary(let vector, _):
            guard let hashes = input.codeHashes else { throw .wrongLayout(column: measure) }
            let codes = vector.values
            update(rows, nulls, hasNulls) { hashes[Int(codes[$0])] }
        case .bytes(let vector):
            update(rows, nulls, hasNulls) { sipHash128(vector[$0], key: key) }
        case .int64(let vector) where isWide:
            let values = vector.values
            update(rows, nulls, hasNulls) { Self.hash(Int128(values[$0]), key) }
        case .int64(let vector):
            let values = vector.values
            update(rows, nulls, hasNulls) { sipHash128(UInt64(bitPattern: values[$0]), key: key) }
        case .int128(let vector):
            let values = vector.values
            update(rows, nulls, hasNulls) { Self.hash(values[$0], key) }
        case .double(let vector):
            let values = vector.values
            update(rows, nulls, hasNulls) { sipHash128(canonicalBits(values[$0]), key: key) }
        case .boolean(let vector):
            let values = vector.values
            update(rows, nulls, hasNulls) { sipHash128(values[$0] ? 1 : 0, key: key) }
        }
    }

    private static func hash(_ value: Int128, _ key: HashKey) -> Hash128 {
        sipHash128(
            low: UInt64(truncatingIfNeeded: value), high: UInt64(truncatingIfNeeded: value >> 64), key: key)
    }

    @inline(__always)
    private func update(
        _ rows: RowGroups, _ nulls: UnsafePointer<Bool>, _ hasNulls: Bool, hash: (Int) -> Hash128
    ) {
        let states = counts.states
        let set = set
        for index in 0..<rows.count {
            let row = Int(rows.rows[index])
            if hasNulls && nulls[row] { continue }
            let group = Int(rows.groups[index])
            if set.insert(group: group, hash: hash(row)) { states[group] &+= 1 }
        }
    }

    func merge(_ other: any MeasureStates, map: UnsafePointer<Int32>) throws(AggregationError) {
        let other = try sameKind(other, DistinctStates.self, measure: measure)
        let states = counts.states
        other.forEachPair { pair in
            let group = Int(map[pair.group])
            if group >= 0, set.insert(group: group, hash: pair.hash) { states[group] &+= 1 }
        }
    }

    private func forEachPair(_ body: (DistinctSet.Slot) -> Void) {
        if isList {
            for pair in list { body(pair) }
        } else {
            for slot in 0..<set.slotCount where set.slots[slot].tag != 0 { body(set.slots[slot]) }
        }
    }

    func split(
        into parts: [any MeasureStates], part: UnsafePointer<Int32>, index: UnsafePointer<Int32>
    ) throws(AggregationError) {
        var targets: [DistinctStates] = []
        for part in parts { targets.append(try sameKind(part, DistinctStates.self, measure: measure)) }
        forEachPair { pair in
            let tag = UInt64(index[pair.group]) + 1
            targets[Int(part[pair.group])].list.append(
                DistinctSet.Slot(low: pair.low, high: pair.high, tag: tag))
        }
    }

    func finish(_ groups: UnsafeBufferPointer<Int32>, into column: ColumnVector) throws(AggregationError) {
        guard case .int64(let result) = column else { throw .wrongLayout(column: measure) }
        for group in groups { result.append(counts.states[Int(group)]) }
    }

    func serialize(into writer: inout StateWriter) {
        writer.put(UInt64(isList ? list.count : set.count))
        forEachPair { pair in
            writer.put(UInt32(pair.group))
            writer.put(pair.low)
            writer.put(pair.high)
        }
    }

    func restore(from reader: inout StateReader) throws(AggregationError) {
        let pairCount = try reader.takeCount(itemSize: 20)
        list.reserveCapacity(list.count + pairCount)
        for _ in 0..<pairCount {
            let group = try reader.take(UInt32.self)
            guard Int(group) < count else { throw .corruptState(reason: "a group does not exist") }
            list.append(
                DistinctSet.Slot(low: try reader.take(), high: try reader.take(), tag: UInt64(group) + 1))
        }
    }

    func removeAll() {
        counts.removeAll()
        set.removeAll()
        list.removeAll()
    }
}
