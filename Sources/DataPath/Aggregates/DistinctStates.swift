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
    private var counts = StateColumn<Int64>(initial: 0)
    private let set = DistinctSet()
    private let list = DistinctPairList()
    private var recent: RecentPairs?
    /// Values that came since the states were last written; nil when they are not known.
    private var news: DistinctPairList?
    /// While the states are written.
    private var runs: DistinctRuns?

    /// So many may always be listed; of a large set an eighth, because a list costs as much as the set.
    private static let alwaysListed = 1 << 12

    init(measure: String, hashKey: HashKey, isWide: Bool) {
        self.measure = measure
        self.hashKey = hashKey
        self.isWide = isWide
    }

    var count: Int { counts.count }
    var memoryBytes: Int {
        counts.memoryBytes + set.memoryBytes + list.capacity * MemoryLayout<DistinctPair>.stride
            + (recent?.memoryBytes ?? 0) + (news?.capacity ?? 0) * MemoryLayout<DistinctPair>.stride
    }

    var keptValues: Int { list.count + set.count }

    func resize(to count: Int) { counts.resize(to: count) }

    func takeWorkingMemory(of old: any MeasureStates) {
        guard let old = old as? DistinctStates else { return }
        swap(&recent, &old.recent)
        recent?.removeAll()
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
        other.forEachRun { insert($0, count: $1, map: map) }
    }

    private func insert(_ pairs: UnsafePointer<DistinctPair>, count pairCount: Int, map: UnsafePointer<Int32>?) {
        set.insert(pairs, count: pairCount, map: map, counts: counts.states, news: news)
        if let news, news.count > max(Self.alwaysListed, set.count / 8) { self.news = nil }
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
        if let pairs = list.pairs { insert(pairs, count: list.count, map: nil) }
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
        return counts.growthBytes(to: groupCount) + set.growthBytes(for: added) + (news?.growthBytes(for: added) ?? 0)
    }

    func serializationBytes(onlyChanges: Bool) -> Int { ((onlyChanges ? news?.count : nil) ?? set.count) * 4 }

    /// Orders what is to be written by runs of groups: it is looked through twice, not once a run. Takes four bytes a pair.
    ///
    /// Of changes that is what came since the last time; all values when it is not known what came.
    func beginSerialization(groupsPerRun: Int, onlyChanges: Bool) {
        settle()
        if onlyChanges, let news {
            runs = news.pairs.map {
                DistinctRuns($0, slotCount: news.count, groupCount: count, groupsPerRun: groupsPerRun)
            }
        } else {
            runs = set.slots.map {
                DistinctRuns($0, slotCount: set.slotCount, groupCount: count, groupsPerRun: groupsPerRun)
            }
        }
    }

    func endSerialization() { (runs, news) = (nil, DistinctPairList()) }

    func serialize(_ run: GroupRun, into writer: StateWriter) {
        let place = writer.count
        writer.put(UInt64(0))
        guard let runs, let numbers = run.numbers else { return }
        var written: UInt64 = 0
        for slot in runs.slots(of: run.first) {
            let pair = runs.pairs[Int(slot)]
            let number = numbers[pair.group - run.first]
            guard number >= 0 else { continue }
            writer.put(pair.moved(to: number).low)
            writer.put(pair.high)
            written += 1
        }
        writer.put(written, at: place)
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
