import Glibc

/// Least or greatest byte strings, in bytewise order (which for UTF-8 is the order of code points).
final class BytesExtremeStates: MeasureStates {
    private struct State: BitwiseCopyable {
        var start: Int
        /// -1 when there is no value yet.
        var length: Int
    }

    private let measure: String
    private let isMaximum: Bool
    private var column = StateColumn(initial: State(start: 0, length: -1))
    private var arena: UnsafeMutableRawPointer
    private var arenaCapacity = 0
    private var arenaCount = 0
    /// Bytes of values that have been replaced.
    private var deadCount = 0

    init(measure: String, isMaximum: Bool) {
        self.measure = measure
        self.isMaximum = isMaximum
        arena = .allocate(byteCount: arenaCapacity, alignment: 1)
    }

    deinit { arena.deallocate() }

    var count: Int { column.count }
    var memoryBytes: Int { column.memoryBytes + arenaCapacity }

    func resize(to count: Int) { column.resize(to: count) }

    func update(_ input: MeasureColumn?, _ rows: RowGroups) throws(AggregationError) {
        guard let input else { throw .wrongLayout(column: measure) }
        switch input.vector {
        case .bytes(let vector):
            for index in 0..<rows.count {
                let row = Int(rows.rows[index])
                if !vector.nulls[row] { add(vector[row], to: Int(rows.groups[index])) }
            }
        case .dictionary(let vector, let dictionary):
            let hasNulls = vector.nullCount > 0
            for index in 0..<rows.count {
                let row = Int(rows.rows[index])
                if !(hasNulls && vector.nulls[row]) { add(dictionary[vector.values[row]], to: Int(rows.groups[index])) }
            }
        default: throw .wrongLayout(column: measure)
        }
    }

    private func add(_ value: UnsafeRawBufferPointer, to group: Int) {
        let state = column.states[group]
        if state.length >= 0 {
            let order = compare(value, bytes(of: state))
            guard isMaximum ? order > 0 : order < 0 else { return }
            if value.count <= state.length {
                if let base = value.baseAddress { (arena + state.start).copyMemory(from: base, byteCount: value.count) }
                column.states[group].length = value.count
                deadCount += state.length - value.count
                return
            }
            deadCount += state.length
        }
        column.states[group] = State(start: 0, length: -1)
        let start = reserve(value.count)
        if let base = value.baseAddress { (arena + start).copyMemory(from: base, byteCount: value.count) }
        column.states[group] = State(start: start, length: value.count)
    }

    private func bytes(of state: State) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: arena + state.start, count: state.length)
    }

    private func compare(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
        let common = min(a.count, b.count)
        if common > 0, let first = a.baseAddress, let second = b.baseAddress {
            let order = memcmp(first, second, common)
            if order != 0 { return Int(order) }
        }
        return a.count - b.count
    }

    /// Room for `size` bytes at the end; squeezes replaced values out when they are half of the arena.
    private func reserve(_ size: Int) -> Int {
        if arenaCount + size > arenaCapacity {
            let capacity = capacity(for: size)
            let moved = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 1)
            var end = 0
            for group in 0..<count where column.states[group].length >= 0 {
                let state = column.states[group]
                (moved + end).copyMemory(from: arena + state.start, byteCount: state.length)
                column.states[group].start = end
                end += state.length
            }
            arena.deallocate()
            (arena, arenaCapacity, arenaCount, deadCount) = (moved, capacity, end, 0)
        }
        defer { arenaCount += size }
        return arenaCount
    }

    /// What the arena becomes when it has no room for `size` further bytes.
    private func capacity(for size: Int) -> Int {
        let live = arenaCount - deadCount
        return deadCount * 2 > arenaCount ? max(live + size, arenaCapacity) : (arenaCount + size) * 2
    }

    /// The arena is copied when it grows.
    func growthBytes(merging other: any MeasureStates, groupCount: Int) -> Int {
        let added = (other as? BytesExtremeStates)?.arenaCount ?? 0
        return column.growthBytes(to: groupCount) + (arenaCount + added > arenaCapacity ? capacity(for: added) : 0)
    }

    func merge(_ other: any MeasureStates, map: UnsafePointer<Int32>) throws(AggregationError) {
        let other = try sameKind(other, BytesExtremeStates.self, measure: measure)
        for group in 0..<other.count where map[group] >= 0 && other.column.states[group].length >= 0 {
            add(other.bytes(of: other.column.states[group]), to: Int(map[group]))
        }
    }

    func split(
        into parts: [any MeasureStates], part: UnsafePointer<Int32>, index: UnsafePointer<Int32>
    ) throws(AggregationError) {
        var targets: [BytesExtremeStates] = []
        for part in parts { targets.append(try sameKind(part, BytesExtremeStates.self, measure: measure)) }
        for group in 0..<count where column.states[group].length >= 0 {
            targets[Int(part[group])].add(bytes(of: column.states[group]), to: Int(index[group]))
        }
    }

    func finish(_ groups: UnsafeBufferPointer<Int32>, into column: ColumnVector) throws(AggregationError) {
        guard case .bytes(let result) = column else { throw .wrongLayout(column: measure) }
        for group in groups {
            let state = self.column.states[Int(group)]
            if state.length >= 0 { result.append(bytes(of: state)) } else { result.appendNull() }
        }
    }

    func serialize(_ run: GroupRun, into writer: StateWriter) {
        for group in run.groups {
            let state = column.states[Int(group)]
            writer.put(state.length >= 0)
            if state.length >= 0 { writer.put(bytes(of: state)) }
        }
    }

    func restore(from reader: inout StateReader) throws(AggregationError) {
        for group in 0..<count where try reader.takeBool() { add(try reader.takeBytes(), to: group) }
    }

    func removeAll() {
        column.removeAll()
        (arenaCount, deadCount) = (0, 0)
    }
}
