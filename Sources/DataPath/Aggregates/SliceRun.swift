/// Puts overlapping windows together from their panes, one window after the other in the order of their numbers.
///
///     panes    | a | b | c | d | e | f |        front: what is in (a b c), (b c), (c)
///     window       [ b   c   d   e )            back:  what is in (d e)
///
/// A window is the front from its start on and the back; panes that come are added to the back; when the front is used up,
/// the back becomes a new front. So a pane is merged a few times, however many windows it is in. Hashes of distinct
/// values are not merged: each knows the last pane that it is in, and is counted until that pane is left. Threads: one at a time.
final class SliceRun {
    private let spec: AggregationSpec
    private let hashKey: HashKey
    /// Sorted by key.
    private let panes: [PaneState]
    private let onlyChanged: Bool
    /// The groups of all windows.
    let keys = KeyTable()
    /// Per pane, the groups' numbers in ``keys``; -1 for those that are not wanted.
    private var maps: [GroupMap] = []
    private let identity: GroupMap
    /// In how many panes of the window a group is wanted.
    private var uses = StateColumn<Int32>(initial: 0)
    private let distinct: [Int: DistinctSlices]

    /// Panes by the first window that they are in, and how many of them have been looked at.
    private let entering: [Int]
    private var entered = 0
    /// Panes of the window and, before ``activeHead``, some that it has left; ascending, so that they leave in their order.
    private var active: [Int] = []
    private var activeHead = 0
    /// Ascending by start; the last one is the newest pane alone.
    private var front: [(start: Int64, states: [any MeasureStates])] = []
    private var frontHead = 0
    /// Panes from here on are in the back.
    private var backStart = Int64.min
    private var back: [any MeasureStates]
    /// States of fronts that are used up.
    private var spare: [[any MeasureStates]] = []

    /// Nil when merging each window by itself costs less, or much less memory: groups that are in few of the panes; and when
    /// `account` does not have the memory.
    init?(
        _ spec: AggregationSpec, hashKey: HashKey, panes: [PaneState], onlyChanged: Bool, account: MemoryAccount?
    ) throws(AggregationError) {
        self.spec = spec
        self.hashKey = hashKey
        self.panes = panes
        self.onlyChanged = onlyChanged
        var entryCount = 0
        if onlyChanged {
            for pane in panes {
                for entry in pane.changed { _ = keys.insert(pane.keys[Int(entry)], hash: pane.keys.hash(Int(entry))) }
            }
            for pane in panes {
                let map = GroupMap(count: pane.keys.count)
                if keys.count < pane.keys.count {
                    for group in 0..<keys.count {
                        guard let entry = pane.keys.find(keys[group], hash: keys.hash(group)) else { continue }
                        map.groups[Int(entry)] = Int32(group)
                        entryCount += 1
                    }
                } else {
                    keys.find(pane.keys, map: map.groups)
                    for entry in 0..<pane.keys.count where map.groups[entry] >= 0 { entryCount += 1 }
                }
                maps.append(map)
            }
        } else {
            for pane in panes {
                let map = GroupMap(count: pane.keys.count)
                try keys.insert(pane.keys, map: map.groups)
                entryCount += pane.keys.count
                maps.append(map)
            }
        }
        identity = GroupMap(count: keys.count)
        for group in 0..<keys.count { identity.groups[group] = Int32(group) }
        uses.resize(to: keys.count)
        entering = panes.indices.sorted {
            (panes[$0].key.firstWindow, $0) < (panes[$1].key.firstWindow, $1)
        }
        var distinct: [Int: DistinctSlices] = [:]
        for (index, measure) in spec.measures.enumerated() where measure.countsHashes {
            distinct[index] = DistinctSlices(groupCount: keys.count)
        }
        self.distinct = distinct
        back = try spec.makeStates(hashKey: hashKey)
        guard keys.count * panes.count <= max(entryCount * Self.sparsest, Self.smallCount) else { return nil }
        guard let account else { return }
        // A front of every pane but the newest, a back, and a window.
        let groupBytes = account.bytesPerGroup + 4
        do throws(AggregationError) {
            try account.reserve(keys.memoryBytes + groupBytes * keys.count * (panes.count + 1))
        } catch {
            return nil
        }
    }

    private static let sparsest = 8
    private static let smallCount = 1 << 16

    /// Goes on to a window with a higher number, which begins at `start`.
    func move(to window: Int64, start: Int64) throws(AggregationError) {
        var needsFront = false
        while activeHead < active.count, panes[active[activeHead]].key.start < start {
            let pane = active[activeHead]
            activeHead += 1
            leave(pane)
            needsFront = needsFront || panes[pane].key.start >= backStart
        }
        while frontHead < front.count, front[frontHead].start < start {
            spare.append(front[frontHead].states)
            front[frontHead].states = []
            frontHead += 1
        }
        while entered < entering.count, panes[entering[entered]].key.firstWindow <= window {
            let pane = entering[entered]
            entered += 1
            guard panes[pane].key.start >= start else { continue }
            activate(pane)
            enter(pane)
            if needsFront { continue }
            needsFront = try !add(pane)
        }
        if needsFront { try makeFront() }
    }

    /// Hands the groups of the window and the states of their measures over, which are valid meanwhile.
    func window(
        _ take: (PaneState, [Int32]) throws(AggregationError) -> Void
    ) throws(AggregationError) {
        var states = try emptyStates()
        defer { spare.append(states) }
        for index in states.indices {
            if let slices = distinct[index] {
                states[index] = slices.states(spec.measures[index].name, hashKey)
                continue
            }
            states[index].resize(to: keys.count)
            if frontHead < front.count {
                try states[index].merge(front[frontHead].states[index], map: identity.groups)
            }
            try states[index].merge(back[index], map: identity.groups)
        }
        var groups: [Int32] = []
        for group in 0..<keys.count where uses.states[group] > 0 { groups.append(Int32(group)) }
        try take(PaneState(key: PaneKey(start: 0, firstWindow: 0), keys: keys, measures: states), groups)
    }

    private func emptyStates() throws(AggregationError) -> [any MeasureStates] {
        guard let states = spare.popLast() else { return try spec.makeStates(hashKey: hashKey) }
        for state in states { state.removeAll() }
        return states
    }

    private func activate(_ pane: Int) {
        var place = active.count
        // Nearly always behind all others: panes of rows that were late for earlier windows come later.
        while place > activeHead, active[place - 1] > pane { place -= 1 }
        active.insert(pane, at: place)
    }

    private func enter(_ pane: Int) {
        count(pane, by: 1)
        for (index, slices) in distinct {
            guard let states = panes[pane].measures[index] as? DistinctStates else { continue }
            states.forEachRun { slices.enter($0, count: $1, map: maps[pane].groups, slice: Int32(pane)) }
        }
    }

    private func leave(_ pane: Int) {
        count(pane, by: -1)
        for (index, slices) in distinct {
            guard let states = panes[pane].measures[index] as? DistinctStates else { continue }
            states.forEachRun { slices.leave($0, count: $1, map: maps[pane].groups, slice: Int32(pane)) }
        }
    }

    private func count(_ pane: Int, by step: Int32) {
        let map = maps[pane].groups
        if onlyChanged {
            for entry in panes[pane].changed { uses.states[Int(map[Int(entry)])] += step }
        } else {
            for entry in 0..<panes[pane].keys.count { uses.states[Int(map[entry])] += step }
        }
    }

    /// Merges a pane into the back, or, when it is one of rows that were late for earlier windows, into the front; false when
    /// the front has no such place.
    private func add(_ pane: Int) throws(AggregationError) -> Bool {
        let start = panes[pane].key.start
        if start >= backStart {
            try merge(pane, into: back)
            return true
        }
        guard let last = front[frontHead...].lastIndex(where: { $0.start == start }) else { return false }
        for index in frontHead...last { try merge(pane, into: front[index].states) }
        return true
    }

    private func merge(_ pane: Int, into states: [any MeasureStates]) throws(AggregationError) {
        for index in states.indices where distinct[index] == nil {
            states[index].resize(to: keys.count)
            try states[index].merge(panes[pane].measures[index], map: maps[pane].groups)
        }
    }

    private func makeFront() throws(AggregationError) {
        spare += front[frontHead...].map(\.states)
        front = []
        frontHead = 0
        active.removeFirst(activeHead)
        activeHead = 0
        backStart = (active.last.map { panes[$0].key.start } ?? .min) + 1
        spare.append(back)
        back = try emptyStates()
        for pane in active.reversed() {
            let start = panes[pane].key.start
            if let last = front.last, last.start == start {
                try merge(pane, into: last.states)
                continue
            }
            let states = try emptyStates()
            if let last = front.last {
                for index in states.indices where distinct[index] == nil {
                    states[index].resize(to: keys.count)
                    try states[index].merge(last.states[index], map: identity.groups)
                }
            }
            try merge(pane, into: states)
            front.append((start, states))
        }
        front.reverse()
    }
}
