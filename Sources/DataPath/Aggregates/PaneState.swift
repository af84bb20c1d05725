/// The groups of one pane and the states of their measures. Threads: one at a time.
final class PaneState {
    let key: PaneKey
    let keys: KeyTable
    let measures: [any MeasureStates]
    /// Of a session, the last of ``measures``; nil of other windows.
    let spans: SpanStates?
    /// Groups that changed since the last updates were taken, each once.
    private(set) var changed: [Int32] = []
    /// What is known of each group, see ``Mark``.
    private var marks = StateColumn<UInt8>(initial: 0)
    /// Whether anything has changed since the state was last written.
    private(set) var hasUnsavedChanges = false
    /// Whether the state as it was written may have groups of this pane.
    private(set) var isSaved = false
    /// The state as it was last written has the first groups, so many.
    private(set) var savedCount = 0
    /// Of a session: keys that the state as it was last written has and that have been closed since.
    private(set) var removed: KeyTable?
    /// Of a session: groups whose sessions are closed. They are left out when the pane is made anew.
    private var isClosed = StateColumn(initial: false)
    private(set) var closedCount = 0
    var openCount: Int { keys.count - closedCount }
    /// Of a session: the records of rows that may be late, with their groups.
    var records: [(group: Int32, record: [UInt8])] = []

    /// Bits of a group's byte.
    private enum Mark {
        /// Is among ``changed``.
        static let changed: UInt8 = 1
        /// Changed since the state was last written.
        static let unsaved: UInt8 = 2
        /// While state is read: older parts of it have more of the group's distinct values.
        static let incomplete: UInt8 = 4
    }

    init(key: PaneKey, keys: KeyTable = KeyTable(), measures: [any MeasureStates]) {
        self.key = key
        self.keys = keys
        self.measures = measures
        spans = measures.last as? SpanStates
    }

    var memoryBytes: Int {
        keys.memoryBytes + measures.reduce(0) { $0 + $1.memoryBytes } + marks.memoryBytes + changed.capacity * 4
            + isClosed.memoryBytes + records.reduce(0) { $0 + $1.record.capacity + 48 } + (removed?.memoryBytes ?? 0)
    }

    /// Bytes that ``merge(_:map:)`` and marking all its groups would take at their peak, beyond what is there.
    func growthBytes(merging other: PaneState) -> Int {
        var bytes = marks.growthBytes(to: keys.count)
        if changed.count + other.keys.count > changed.capacity {
            bytes += max(changed.capacity * 2, changed.count + other.keys.count) * 4
        }
        for (own, added) in zip(measures, other.measures) {
            bytes += own.growthBytes(merging: added, groupCount: keys.count)
        }
        return bytes
    }

    /// Adds the groups of `other` for which `map` is not -1; `map` gives their number here (as ``KeyTable/insert`` gave it).
    ///
    /// - Parameter distinct: The same for distinct values alone, where more groups' are wanted.
    func merge(
        _ other: PaneState, map: UnsafePointer<Int32>, distinct: UnsafePointer<Int32>? = nil
    ) throws(AggregationError) {
        for (own, added) in zip(measures, other.measures) {
            own.resize(to: keys.count)
            try own.merge(added, map: added is DistinctStates ? distinct ?? map : map)
        }
        for kept in other.records where map[Int(kept.group)] >= 0 {
            records.append((map[Int(kept.group)], kept.record))
        }
    }

    /// Makes deltas that a thread handed over the state of the pane itself; all groups have changed.
    func settle() {
        for states in measures { states.settle() }
        marks.resize(to: keys.count)
        marks.states.update(repeating: Mark.changed | Mark.unsaved, count: keys.count)
        changed = Array(0..<Int32(keys.count))
        hasUnsavedChanges = true
    }

    func markChanged(_ group: Int32) {
        if marks.count < keys.count { marks.resize(to: keys.count) }
        let mark = marks.states + Int(group)
        let before = mark.pointee
        guard before & (Mark.changed | Mark.unsaved) != Mark.changed | Mark.unsaved else { return }
        mark.pointee = before | Mark.changed | Mark.unsaved
        hasUnsavedChanges = true
        if before & Mark.changed == 0 { changed.append(group) }
    }

    /// Also when no value has changed: that a group is not among ``changed`` any more has to be written.
    func clearChanged() {
        guard !changed.isEmpty else { return }
        for group in changed { marks.states[Int(group)] = Mark.unsaved }
        changed.removeAll(keepingCapacity: true)
        hasUnsavedChanges = true
    }

    func unmarkChanged(_ group: Int) {
        if group < marks.count { marks.states[group] &= ~Mark.changed }
    }

    func isClosed(_ group: Int) -> Bool { group < isClosed.count && isClosed.states[group] }

    func close(_ group: Int) {
        isClosed.resize(to: keys.count)
        guard !isClosed.states[group] else { return }
        isClosed.states[group] = true
        closedCount += 1
        guard group < savedCount else { return }
        let removed = removed ?? KeyTable()
        self.removed = removed
        removed.append(keys[group], hash: keys.hash(group))
        hasUnsavedChanges = true
    }

    func hasChanged(_ group: Int) -> Bool { group < marks.count && marks.states[group] & Mark.changed != 0 }
}

// What a checkpoint asks.
extension PaneState {
    /// Appends the open groups of a range: all, or those that changed since the state was last written.
    func appendGroups(_ range: Range<Int>, onlyUnsaved: Bool, to groups: inout [Int32]) {
        guard onlyUnsaved else {
            for group in range where !isClosed(group) { groups.append(Int32(group)) }
            return
        }
        let end = min(range.upperBound, marks.count)
        let bytes = UnsafeRawPointer(marks.states)
        var group = range.lowerBound
        while group < end {
            // Most groups have not changed: eight at once.
            if group + 8 <= end {
                let eight = bytes.loadUnaligned(fromByteOffset: group, as: UInt64.self)
                if eight & 0x0202_0202_0202_0202 == 0 {
                    group += 8
                    continue
                }
            }
            if marks.states[group] & Mark.unsaved != 0, !isClosed(group) { groups.append(Int32(group)) }
            group += 1
        }
    }

    /// The state has been written.
    func noteSaved() {
        if hasUnsavedChanges {
            let (bytes, count) = (marks.states, marks.count)
            for group in 0..<count { bytes[group] &= ~Mark.unsaved }
        }
        (hasUnsavedChanges, isSaved, savedCount, removed) = (false, true, keys.count, nil)
    }

    /// Takes over what `other`, the groups of which `map` renumbers in their order (-1: left out), knows of them.
    func takeMarks(of other: PaneState, map: UnsafePointer<Int32>) {
        marks.resize(to: keys.count)
        for entry in 0..<other.keys.count where map[entry] >= 0 {
            if entry < other.savedCount { savedCount += 1 }
            guard entry < other.marks.count else { continue }
            let mark = other.marks.states[entry]
            marks.states[Int(map[entry])] = mark
            if mark & Mark.changed != 0 { changed.append(map[entry]) }
        }
        (hasUnsavedChanges, isSaved, removed) = (other.hasUnsavedChanges, other.isSaved, other.removed)
    }

    func isIncomplete(_ group: Int) -> Bool { group < marks.count && marks.states[group] & Mark.incomplete != 0 }

    func setIncomplete(_ group: Int, _ value: Bool) {
        if marks.count < keys.count { marks.resize(to: keys.count) }
        if value { marks.states[group] |= Mark.incomplete } else { marks.states[group] &= ~Mark.incomplete }
    }
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
