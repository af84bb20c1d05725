/// Counts of distinct values that keep the values (`strict: true`): no two are ever taken for one.
///
/// One table holds the values of all groups: a key is a group's number and then the value's bytes, which are those of a string, the
/// eight of an integer or canonical double, the sixteen of a decimal, or one of a boolean. Cost: a look-up a row; memory: the bytes
/// and about 40 more for each value of a group.
final class StrictDistinctStates: MeasureStates {
    private struct Group: BitwiseCopyable {
        var valueCount: Int64
        /// The entry of the value that came last; -1 when there is none.
        var last: Int32
    }

    private let measure: String
    private let hashKey: HashKey
    /// Whether integers are kept as 128-bit ones: the column is a decimal, or money seen as one.
    private let isWide: Bool
    private var groups = StateColumn(initial: Group(valueCount: 0, last: -1))
    private var table = KeyTable()
    /// Per entry of the table, the one before it of the same group.
    private var previous = StateColumn<Int32>(initial: -1)
    /// A key in the making.
    private let key = ByteBuffer(capacity: 256)

    init(measure: String, hashKey: HashKey, isWide: Bool) {
        self.measure = measure
        self.hashKey = hashKey
        self.isWide = isWide
    }

    var count: Int { groups.count }
    var memoryBytes: Int { groups.memoryBytes + table.memoryBytes + previous.memoryBytes }
    var keptValues: Int { table.count }

    func resize(to count: Int) { groups.resize(to: count) }

    func update(_ input: MeasureColumn?, _ rows: RowGroups) throws(AggregationError) {
        guard let input else { throw .wrongLayout(column: measure) }
        let nulls = input.nulls
        func update(_ add: (_ row: Int, _ group: Int) -> Void) {
            for index in 0..<rows.count where !nulls[Int(rows.rows[index])] {
                add(Int(rows.rows[index]), Int(rows.groups[index]))
            }
        }
        switch input.vector {
        case .dictionary(let vector, let dictionary):
            guard let hashes = input.codeHashes else { throw .wrongLayout(column: measure) }
            update { row, group in
                let code = vector.values[row]
                add(dictionary[code], hash: hashes[Int(code)].low, to: group)
            }
        case .bytes(let vector): update { add(vector[$0], to: $1) }
        case .int64(let vector) where isWide: update { add(Int128(vector.values[$0]).littleEndian, to: $1) }
        case .int64(let vector): update { add(vector.values[$0].littleEndian, to: $1) }
        case .int128(let vector): update { add(vector.values[$0].littleEndian, to: $1) }
        case .double(let vector): update { add(canonicalBits(vector.values[$0]).littleEndian, to: $1) }
        case .boolean(let vector): update { add(vector.values[$0] ? 1 : 0 as UInt8, to: $1) }
        case .hash: throw .wrongLayout(column: measure)
        }
    }

    private func add<Value: BitwiseCopyable>(_ value: Value, to group: Int) {
        withUnsafeBytes(of: value) { add($0, to: group) }
    }

    private func add(_ value: UnsafeRawBufferPointer, to group: Int) {
        add(value, hash: sipHash128(value, key: hashKey).low, to: group)
    }

    private func add(_ value: UnsafeRawBufferPointer, hash: UInt64, to group: Int) {
        key.removeAll()
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: group).littleEndian) { key.append($0) }
        key.append(value)
        let entry = table.insert(key.contents, hash: hash &+ Self.share(of: group))
        guard Int(entry) == previous.count else { return }
        previous.resize(to: Int(entry) + 1)
        previous.states[Int(entry)] = groups.states[group].last
        groups.states[group].last = entry
        groups.states[group].valueCount += 1
    }

    /// What a group adds to the hash of a value.
    private static func share(of group: Int) -> UInt64 { UInt64(group &+ 1) &* 0x9E37_79B9_7F4A_7C15 }

    private func value(_ entry: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: table[entry].dropFirst(MemoryLayout<UInt32>.size))
    }

    /// Gives every value with its hash and its group.
    private func forEach(_ take: (_ value: UnsafeRawBufferPointer, _ hash: UInt64, _ group: Int) -> Void) {
        for entry in 0..<table.count {
            let group = Int(UInt32(littleEndian: table[entry].loadUnaligned(as: UInt32.self)))
            take(value(entry), table.hash(entry) &- Self.share(of: group), group)
        }
    }

    func merge(_ other: any MeasureStates, map: UnsafePointer<Int32>) throws(AggregationError) {
        let other = try sameKind(other, StrictDistinctStates.self, measure: measure)
        other.forEach { value, hash, group in
            if map[group] >= 0 { add(value, hash: hash, to: Int(map[group])) }
        }
    }

    func split(
        into parts: [any MeasureStates], part: UnsafePointer<Int32>, index: UnsafePointer<Int32>
    ) throws(AggregationError) {
        var targets: [StrictDistinctStates] = []
        for part in parts { targets.append(try sameKind(part, StrictDistinctStates.self, measure: measure)) }
        forEach { value, hash, group in targets[Int(part[group])].add(value, hash: hash, to: Int(index[group])) }
    }

    func finish(_ groups: UnsafeBufferPointer<Int32>, into column: ColumnVector) throws(AggregationError) {
        guard case .int64(let result) = column else { throw .wrongLayout(column: measure) }
        for group in groups { result.append(self.groups.states[Int(group)].valueCount) }
    }

    func growthBytes(merging other: any MeasureStates, groupCount: Int) -> Int {
        guard let other = other as? StrictDistinctStates else { return groups.growthBytes(to: groupCount) }
        return groups.growthBytes(to: groupCount) + previous.growthBytes(to: previous.count + other.table.count)
            + table.growthBytes(for: other.table.count, keyBytes: other.table.keyBytes)
    }

    func serialize(_ run: GroupRun, into writer: StateWriter) {
        for group in run.groups {
            let state = groups.states[Int(group)]
            writer.put(UInt64(state.valueCount))
            var entry = Int(state.last)
            while entry >= 0 {
                writer.put(value(entry))
                entry = Int(previous.states[entry])
            }
        }
    }

    func restore(from reader: inout StateReader) throws(AggregationError) {
        for group in 0..<count {
            for _ in 0..<(try reader.takeCount(itemSize: 4)) { add(try reader.takeBytes(), to: group) }
        }
    }

    func removeAll() {
        groups.removeAll()
        table = KeyTable()
        previous.removeAll()
    }
}
