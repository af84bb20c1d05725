/// Puts sessions together from the fragments of one moment, and lists those that are to be written.
///
/// Fragments without a floor are linked when less than a gap lies between them. Then the others, in the order of their floors:
/// such a fragment joins the sessions that it touches and that end behind its floor, or forms one if that ends behind it;
/// otherwise it has no session. The result depends on the fragments alone, not on the order in which they came.
/// Threads: one at a time. Cost: a few look-ups for each pane with the group.
final class SessionRound {
    struct Fragment {
        var pane: Int
        var entry: Int
        var first: Int64
        var last: Int64
        /// `Int64.min` for none.
        var floor: Int64
        var hasChanged: Bool
        /// The number of its session; -1 for none.
        var session = -1
    }

    struct Session {
        var number: Int
        var first: Int64
        var last: Int64
        /// `last` and a gap.
        var end: Int64
        var isMerged = false
    }

    /// A session to be written, with a fragment that has its group's key.
    struct Emitted {
        var start: Int64
        var end: Int64
        var pane: Int
        var entry: Int
    }

    private let panes: [PaneState]
    private let gap: Int64
    /// All fragments of the group that the last ``look(around:_:)`` was about, in neighbouring panes.
    private(set) var fragments: [Fragment] = []
    /// Its sessions; those that were merged into others count no more.
    private(set) var found: [Session] = []
    private(set) var emitted: [Emitted] = []
    private var maps: [GroupMap?]
    private var visited: [StateColumn<Bool>?]

    init(_ panes: [PaneState], gap: Int64) {
        self.panes = panes
        self.gap = gap
        maps = Array(repeating: nil, count: panes.count)
        visited = Array(repeating: nil, count: panes.count)
    }

    /// Finds the sessions of a group around one of its fragments: ``found``, made of ``fragments``.
    func look(around pane: Int, _ entry: Int) {
        gather(pane, entry)
        found.removeAll(keepingCapacity: true)
        var hasFloors = false
        for index in fragments.indices {
            if fragments[index].floor != .min {
                hasFloors = true
                continue
            }
            let fragment = fragments[index]
            if let last = found.indices.last, fragment.first - found[last].last < gap {
                extend(last, by: index)
            } else {
                begin(with: index)
            }
        }
        if hasFloors { addBehindFloors() }
    }

    /// Lists a session that ``look(around:_:)`` has just found.
    func emit(_ session: Session) {
        guard let lead = fragments.first(where: { $0.session == session.number }) else { return }
        for fragment in fragments where fragment.session == session.number {
            let map = maps[fragment.pane] ?? GroupMap(count: panes[fragment.pane].keys.count)
            maps[fragment.pane] = map
            map.groups[fragment.entry] = Int32(emitted.count)
        }
        emitted.append(Emitted(start: session.first, end: session.end, pane: lead.pane, entry: lead.entry))
    }

    /// Which listed session each group of a pane belongs to; nil when none does.
    func map(of pane: Int) -> GroupMap? { maps[pane] }

    func isVisited(_ pane: Int, _ entry: Int) -> Bool { visited[pane]?.states[entry] ?? false }

    func visit(_ fragment: Fragment) {
        let column = visited[fragment.pane] ?? StateColumn(initial: false)
        visited[fragment.pane] = column
        column.resize(to: panes[fragment.pane].keys.count)
        column.states[fragment.entry] = true
    }

    // MARK: Fragments.

    private func gather(_ pane: Int, _ entry: Int) {
        fragments.removeAll(keepingCapacity: true)
        let key = panes[pane].keys[entry]
        let hash = panes[pane].keys.hash(entry)
        var low = pane
        while low > 0, panes[low - 1].key.start == panes[pane].key.start { low -= 1 }
        var high = pane + 1
        while high < panes.count, panes[high].key.start == panes[pane].key.start { high += 1 }
        add(low..<high, key, hash)
        while low > 0, panes[low - 1].key.start == panes[low].key.start - gap {
            let end = low
            let start = panes[low - 1].key.start
            while low > 0, panes[low - 1].key.start == start { low -= 1 }
            if !add(low..<end, key, hash) { break }
        }
        while high < panes.count, panes[high].key.start == panes[high - 1].key.start + gap {
            let begin = high
            let start = panes[high].key.start
            while high < panes.count, panes[high].key.start == start { high += 1 }
            if !add(begin..<high, key, hash) { break }
        }
        if fragments.count > 1 { fragments.sort { $0.pane < $1.pane } }
    }

    @discardableResult
    private func add(_ range: Range<Int>, _ key: UnsafeRawBufferPointer, _ hash: UInt64) -> Bool {
        let before = fragments.count
        for index in range {
            let pane = panes[index]
            guard let entry = pane.keys.find(key, hash: hash).map(Int.init), !pane.isClosed(entry),
                let span = pane.spans?[entry]
            else { continue }
            fragments.append(
                Fragment(
                    pane: index, entry: entry, first: span.first, last: span.last, floor: pane.key.firstWindow,
                    hasChanged: pane.hasChanged(entry)))
        }
        return fragments.count > before
    }

    // MARK: Sessions.

    private func begin(with index: Int) {
        fragments[index].session = found.count
        let fragment = fragments[index]
        found.append(
            Session(number: found.count, first: fragment.first, last: fragment.last, end: fragment.last + gap))
    }

    private func extend(_ session: Int, by index: Int) {
        fragments[index].session = session
        found[session].first = min(found[session].first, fragments[index].first)
        found[session].last = max(found[session].last, fragments[index].last)
        found[session].end = found[session].last + gap
    }

    private func addBehindFloors() {
        let order = fragments.indices.filter { fragments[$0].floor != .min }.sorted {
            (fragments[$0].floor, $0) < (fragments[$1].floor, $1)
        }
        var next = 0
        while next < order.count {
            let floor = fragments[order[next]].floor
            var group: [Int] = []
            while next < order.count, fragments[order[next]].floor == floor {
                group.append(order[next])
                next += 1
            }
            // First those that form sessions of their own: the others may touch these, and each other.
            for index in group where fragments[index].last + gap > floor {
                if !join(index) { begin(with: index) }
            }
            var rest = group.filter { fragments[$0].session < 0 }
            var hasJoined = true
            while hasJoined {
                let count = rest.count
                rest.removeAll { join($0) }
                hasJoined = rest.count < count
            }
        }
    }

    /// Joins all sessions that the fragment touches and that end behind its floor; false when there is none.
    private func join(_ index: Int) -> Bool {
        let fragment = fragments[index]
        var target: Int?
        for number in found.indices where !found[number].isMerged {
            guard found[number].end > fragment.floor, found[number].first < fragment.last + gap,
                fragment.first < found[number].end
            else { continue }
            if let target {
                found[number].isMerged = true
                for other in fragments.indices where fragments[other].session == number { extend(target, by: other) }
            } else {
                target = number
                extend(number, by: index)
            }
        }
        return target != nil
    }
}
