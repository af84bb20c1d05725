/// The groups of one pane and the states of their measures. Threads: one at a time.
final class PaneState {
    let key: PaneKey
    let keys: KeyTable
    let measures: [any MeasureStates]
    /// Of a session, the last of ``measures``; nil of other windows.
    let spans: SpanStates?
    /// Groups that changed since the last updates were taken, each once, and whether a group is among them.
    private(set) var changed: [Int32] = []
    private let isChanged = StateColumn(initial: false)
    /// Of a session: groups whose sessions are closed. They are left out when the pane is made anew.
    private let isClosed = StateColumn(initial: false)
    private(set) var closedCount = 0
    /// Of a session: the records of rows that may be late, with their groups.
    var records: [(group: Int32, record: [UInt8])] = []

    init(key: PaneKey, keys: KeyTable = KeyTable(), measures: [any MeasureStates]) {
        self.key = key
        self.keys = keys
        self.measures = measures
        spans = measures.last as? SpanStates
    }

    var memoryBytes: Int {
        keys.memoryBytes + measures.reduce(0) { $0 + $1.memoryBytes } + isChanged.memoryBytes + changed.capacity * 4
            + isClosed.memoryBytes + records.reduce(0) { $0 + $1.record.capacity + 48 }
    }

    /// Bytes that ``merge(_:map:)`` and marking all its groups would take at their peak, beyond what is there.
    func growthBytes(merging other: PaneState) -> Int {
        var bytes = isChanged.growthBytes(to: keys.count)
        if changed.count + other.keys.count > changed.capacity {
            bytes += max(changed.capacity * 2, changed.count + other.keys.count) * 4
        }
        for (own, added) in zip(measures, other.measures) {
            bytes += own.growthBytes(merging: added, groupCount: keys.count)
        }
        return bytes
    }

    /// Adds the groups of `other` for which `map` is not -1; `map` gives their number here (as ``KeyTable/insert`` gave it).
    func merge(_ other: PaneState, map: UnsafePointer<Int32>) throws(AggregationError) {
        for (own, added) in zip(measures, other.measures) {
            own.resize(to: keys.count)
            try own.merge(added, map: map)
        }
        for kept in other.records where map[Int(kept.group)] >= 0 {
            records.append((map[Int(kept.group)], kept.record))
        }
    }

    /// Makes deltas that a thread handed over the state of the pane itself; all groups have changed.
    func settle() {
        for states in measures { states.settle() }
        isChanged.resize(to: keys.count)
        isChanged.states.update(repeating: true, count: keys.count)
        changed = Array(0..<Int32(keys.count))
    }

    func markChanged(_ group: Int32) {
        if isChanged.count < keys.count { isChanged.resize(to: keys.count) }
        guard !isChanged.states[Int(group)] else { return }
        isChanged.states[Int(group)] = true
        changed.append(group)
    }

    func clearChanged() {
        for group in changed { isChanged.states[Int(group)] = false }
        changed.removeAll(keepingCapacity: true)
    }

    func unmarkChanged(_ group: Int) {
        if group < isChanged.count { isChanged.states[group] = false }
    }

    func isClosed(_ group: Int) -> Bool { group < isClosed.count && isClosed.states[group] }

    func close(_ group: Int) {
        if isClosed.count < keys.count { isClosed.resize(to: keys.count) }
        guard !isClosed.states[group] else { return }
        isClosed.states[group] = true
        closedCount += 1
    }

    func hasChanged(_ group: Int) -> Bool { group < isChanged.count && isChanged.states[group] }
}

/// Group numbers that a merge writes, one a group; memory is freed with the object.
final class GroupMap {
    let groups: UnsafeMutablePointer<Int32>

    init(count: Int) {
        groups = .allocate(capacity: max(count, 1))
        groups.initialize(repeating: -1, count: count)
    }

    deinit { groups.deallocate() }
}
