/// What one thread has counted since its last extract, for one shard: per pane, groups and the states of their measures.
///
/// Owned by one thread at a time: whoever hands it on stops using it. That is why it may be `@unchecked Sendable`.
public final class PartialBatch: @unchecked Sendable {
    let panes: [PaneState]

    init(panes: [PaneState]) { self.panes = panes }

    public var groupCount: Int { panes.reduce(0) { $0 + $1.keys.count } }
    public var memoryBytes: Int { panes.reduce(0) { $0 + $1.memoryBytes } }
}

/// The groups of one pane and the states of their measures. Threads: one at a time.
final class PaneState {
    let key: PaneKey
    let keys = KeyTable()
    let measures: [any MeasureStates]
    /// Groups that changed since the last updates were taken, each once, and whether a group is among them.
    private(set) var changed: [Int32] = []
    private var isChanged: [Bool] = []

    init(key: PaneKey, measures: [any MeasureStates]) {
        self.key = key
        self.measures = measures
    }

    var memoryBytes: Int { keys.memoryBytes + measures.reduce(0) { $0 + $1.memoryBytes } + isChanged.capacity * 5 }

    /// Adds the groups of `other` for which `map` is not -1; `map` gives their number here (as ``KeyTable/insert`` gave it).
    func merge(_ other: PaneState, map: [Int32]) throws(AggregationError) {
        for (own, added) in zip(measures, other.measures) {
            own.resize(to: keys.count)
            var failure: AggregationError?
            map.withUnsafeBufferPointer { pointer in
                guard let base = pointer.baseAddress else { return }
                do throws(AggregationError) { try own.merge(added, map: base) } catch { failure = error }
            }
            if let failure { throw failure }
        }
    }

    func markChanged(_ group: Int32) {
        while isChanged.count < keys.count { isChanged.append(false) }
        guard !isChanged[Int(group)] else { return }
        isChanged[Int(group)] = true
        changed.append(group)
    }

    func clearChanged() {
        for group in changed { isChanged[Int(group)] = false }
        changed.removeAll()
    }

    func hasChanged(_ group: Int) -> Bool { group < isChanged.count && isChanged[group] }
}
