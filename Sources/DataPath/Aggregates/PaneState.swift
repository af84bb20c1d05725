/// The groups of one pane and the states of their measures. Threads: one at a time.
final class PaneState {
    let key: PaneKey
    let keys: KeyTable
    let measures: [any MeasureStates]
    /// Groups that changed since the last updates were taken, each once, and whether a group is among them.
    private(set) var changed: [Int32] = []
    private let isChanged = StateColumn(initial: false)

    init(key: PaneKey, keys: KeyTable = KeyTable(), measures: [any MeasureStates]) {
        self.key = key
        self.keys = keys
        self.measures = measures
    }

    var memoryBytes: Int {
        keys.memoryBytes + measures.reduce(0) { $0 + $1.memoryBytes } + isChanged.memoryBytes + changed.capacity * 4
    }

    /// Adds the groups of `other` for which `map` is not -1; `map` gives their number here (as ``KeyTable/insert`` gave it).
    func merge(_ other: PaneState, map: UnsafePointer<Int32>) throws(AggregationError) {
        for (own, added) in zip(measures, other.measures) {
            own.resize(to: keys.count)
            try own.merge(added, map: map)
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
