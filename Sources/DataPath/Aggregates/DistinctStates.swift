/// Counts of distinct values, exact up to a collision of keyed hashes (``DistinctPair`` gives the bound).
///
/// The same value has the same hash in every process of a pipeline, whether the decoder hashed it or this class did:
/// SipHash over the bytes of a string, the eight bytes of an integer or canonical double, the sixteen of a decimal.
///
/// Rows are only listed (less those that came again soon), 16 bytes each; merging looks them up, once, in the set of the
/// pane. So results are there only for what was merged or settled.
final class DistinctStates: MeasureStates {
    private let measure: String
    private let hashKey: HashKey
    /// Whether integers are hashed as 128-bit ones: the column is a decimal, or money seen as one.
    private let isWide: Bool
    /// How many values each group has in the set.
    private let counts = StateColumn<Int64>(initial: 0)
    private let set = DistinctSet()
    private let list = DistinctPairList()
    private var recent: RecentPairs?
    /// While the states are written.
    private var runs: DistinctRuns?

    init(measure: String, hashKey: HashKey, isWide: Bool) {
        self.measure = measure
        self.hashKey = hashKey
        self.isWide = isWide
    }

    var count: Int { counts.count }
    var memoryBytes: Int {
        counts.memoryBytes + set.memoryBytes + list.capacity * MemoryLayout<DistinctPair>.stride
            + (recent?.memoryBytes ?? 0)
    }

    func resize(to count: Int) { counts.resize(to: count) }

    func startAnew() -> any MeasureStates {
        let new = DistinctStates(measure: measure, hashKey: hashKey, isWide: isWide)
        swap(&new.recent, &recent)
        new.recent?.removeAll()
        return new
    }

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
        let recent = self.recent ?? RecentPairs()
        self.recent = recent
        let pairs = list.reserve(rows.count)
        var added = 0
        for index in 0..<rows.count {
            let row = Int(rows.rows[index])
            if hasNulls && nulls[row] { continue }
            let pair = DistinctPair(group: Int(rows.groups[index]), hash: hash(row))
            pairs[added] = pair
            added &+= recent.add(pair)
        }
        list.count += added
    }

    func merge(_ other: any MeasureStates, map: UnsafePointer<Int32>) throws(AggregationError) {
        let other = try sameKind(other, DistinctStates.self, measure: measure)
        other.forEachRun { set.insert($0, count: $1, map: map, counts: counts.states) }
    }

    /// Gives all pairs in runs; some may come twice.
    func forEachRun(_ take: (UnsafePointer<DistinctPair>, Int) -> Void) {
        if let pairs = list.pairs, list.count > 0 { take(pairs, list.count) }
        guard let slots = set.slots else { return }
        // Runs of full slots, so that empty ones need no test inside.
        var start = 0
        while start < set.slotCount {
            guard slots[start].low != 0 else {
                start += 1
                continue
            }
            var end = start + 1
            while end < set.slotCount, slots[end].low != 0 { end += 1 }
            take(slots + start, end - start)
            start = end
        }
    }

    /// Results without the values behind them.
    func setCounts(_ values: UnsafePointer<Int64>, count: Int) {
        counts.resize(to: count)
        counts.states.update(from: values, count: count)
    }

    func settle() {
        if let pairs = list.pairs { set.insert(pairs, count: list.count, map: nil, counts: counts.states) }
        list.removeAll()
        recent = nil
    }

    func split(
        into parts: [any MeasureStates], part: UnsafePointer<Int32>, index: UnsafePointer<Int32>
    ) throws(AggregationError) {
        guard let pairs = list.pairs else { return }
        var sizes = [Int](repeating: 0, count: parts.count)
        for pair in 0..<list.count { sizes[Int(part[pairs[pair].group])] += 1 }
        var ends: [UnsafeMutablePointer<DistinctPair>] = []
        for (part, size) in zip(parts, sizes) {
            let target = try sameKind(part, DistinctStates.self, measure: measure).list
            ends.append(target.reserve(size))
            target.count += size
        }
        ends.withUnsafeMutableBufferPointer { ends in
            for pair in 0..<list.count {
                let group = pairs[pair].group
                let target = Int(part[group])
                ends[target].pointee = pairs[pair].moved(to: index[group])
                ends[target] += 1
            }
        }
    }

    func finish(_ groups: UnsafeBufferPointer<Int32>, into column: ColumnVector) throws(AggregationError) {
        guard case .int64(let result) = column else { throw .wrongLayout(column: measure) }
        for group in groups { result.append(counts.states[Int(group)]) }
    }

    func growthBytes(merging other: any MeasureStates, groupCount: Int) -> Int {
        let added = (other as? DistinctStates).map { $0.list.count + $0.set.count } ?? 0
        return counts.growthBytes(to: groupCount) + set.growthBytes(for: added)
    }

    /// Orders the set by runs of groups: it is looked through twice, not once a run. Takes four bytes a pair.
    func beginSerialization(groupsPerRun: Int) {
        settle()
        runs = set.slots.map { slots in
            DistinctRuns(slots, slotCount: set.slotCount, groupCount: count, groupsPerRun: groupsPerRun)
        }
    }

    func endSerialization() { runs = nil }

    func serialize(_ groups: Range<Int>, into writer: StateWriter) {
        guard let slots = set.slots, let runs else { return writer.put(UInt64(0)) }
        let order = runs.slots(of: groups.lowerBound)
        writer.put(UInt64(order.count))
        for slot in order {
            let pair = slots[Int(slot)]
            // Groups of a run are numbered from 0.
            writer.put(pair.moved(to: Int32(pair.group - groups.lowerBound)).low)
            writer.put(pair.high)
        }
    }

    func restore(from reader: inout StateReader) throws(AggregationError) {
        let pairCount = try reader.takeCount(itemSize: 16)
        let pairs = list.reserve(pairCount)
        for index in 0..<pairCount {
            let (low, high) = (try reader.take(UInt64.self), try reader.take(UInt64.self))
            let pair = DistinctPair(low: low, high: high)
            guard (0..<count).contains(pair.group) else { throw .corruptState(reason: "a group does not exist") }
            pairs[index] = pair
        }
        list.count += pairCount
    }

    func removeAll() {
        counts.removeAll()
        set.removeAll()
        list.removeAll()
        recent?.removeAll()
    }
}
