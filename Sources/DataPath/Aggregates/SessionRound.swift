/// Puts sessions together from the fragments of one moment, and lists those that are to be written.
///
/// Fragments without a floor are linked when less than a gap lies between them. Then the others, in the order of their floors:
/// such a fragment joins the sessions that it touches and that end behind its floor, or forms one if that ends behind it;
/// otherwise it has no session. The result depends on the fragments alone, not on the order in which they came.
/// Threads: one at a time. Cost: a few look-ups for each pane with the group; less for panes that were linked.
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
    /// The fragments that the last ``look(around:_:)`` was about: all of the group in neighbouring panes where some lie
    /// behind floors, else those of one session.
    private(set) var fragments: [Fragment] = []
    /// Its sessions; those that were merged into others count no more.
    private(set) var found: [Session] = []
    private(set) var emitted: [Emitted] = []
    private var maps: [GroupMap?]
    /// By pane, then group; empty where none is.
    private var visited: [[Bool]]
    /// By pane, whether it is the only one of its time.
    private let isAlone: [Bool]
    private let hasFloors: Bool
    /// By pane, where the next one, and the one before, has the same groups (-1: it has not); nil when they are not linked.
    private var next: [GroupMap?]
    private var previous: [GroupMap?]

    init(_ panes: [PaneState], gap: Int64) {
        self.panes = panes
        self.gap = gap
        maps = Array(repeating: nil, count: panes.count)
        visited = Array(repeating: [], count: panes.count)
        next = Array(repeating: nil, count: panes.count)
        previous = Array(repeating: nil, count: panes.count)
        hasFloors = panes.contains { $0.key.firstWindow != .min }
        isAlone = panes.indices.map { index in
            (index == 0 || panes[index - 1].key.start != panes[index].key.start)
                && (index + 1 == panes.count || panes[index + 1].key.start != panes[index].key.start)
        }
    }

    /// Finds at once which groups of a pane the panes beside it have, too: for a pane of which most groups are to be looked
    /// at. Worth it because the look-ups are made by the block.
    func link(_ pane: Int) {
        for first in [pane - 1, pane] where first >= 0 && first + 1 < panes.count && next[first] == nil {
            guard isAlone[first], isAlone[first + 1], panes[first + 1].key.start == panes[first].key.start + gap
            else { continue }
            let (forward, backward) = (
                GroupMap(count: panes[first].keys.count), GroupMap(count: panes[first + 1].keys.count)
            )
            panes[first].keys.find(panes[first + 1].keys, map: backward.groups)
            for entry in 0..<panes[first + 1].keys.count where backward.groups[entry] >= 0 {
                forward.groups[Int(backward.groups[entry])] = Int32(entry)
            }
            (next[first], previous[first + 1]) = (forward, backward)
        }
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

    func isVisited(_ pane: Int, _ entry: Int) -> Bool { !visited[pane].isEmpty && visited[pane][entry] }

    func visit(_ fragment: Fragment) {
        if visited[fragment.pane].isEmpty {
            visited[fragment.pane] = Array(repeating: false, count: panes[fragment.pane].keys.count)
        }
        visited[fragment.pane][fragment.entry] = true
    }

    // MARK: Fragments.

    private func gather(_ pane: Int, _ entry: Int) {
        fragments.removeAll(keepingCapacity: true)
        if isAlone[pane] { take(pane, entry) } else { add(panesOfTime(of: pane), entry, in: pane) }
        gatherBeside(pane, entry, step: -1)
        gatherBeside(pane, entry, step: 1)
        if fragments.count > 1 { fragments.sort { $0.pane < $1.pane } }
    }

    /// Takes the group's fragments from pane to pane, to the earlier ones (`step` -1) or the later ones (1), as long as each
    /// time has one and, where none lies behind a floor, that one goes on from the one before.
    private func gatherBeside(_ pane: Int, _ entry: Int, step: Int) {
        var nearest = fragments.first
        // The outermost pane, and the group's number there; nil when that is not known.
        var (outermost, known): (Int, Int?) = (pane, isAlone[pane] ? entry : nil)
        if !isAlone[pane] {
            let range = panesOfTime(of: pane)
            outermost = step < 0 ? range.lowerBound : range.upperBound - 1
        }
        while panes.indices.contains(outermost + step),
            panes[outermost + step].key.start == panes[outermost].key.start + Int64(step) * gap
        {
            if let number = known, let links = step < 0 ? previous[outermost] : next[outermost] {
                let found = Int(links.groups[number])
                guard found >= 0, take(outermost + step, found), keepsLast(beside: &nearest) else { return }
                (outermost, known) = (outermost + step, found)
            } else {
                let range = panesOfTime(of: outermost + step)
                guard add(range, entry, in: pane), keepsLast(beside: &nearest) else { return }
                (outermost, known) = (step < 0 ? range.lowerBound : range.upperBound - 1, nil)
            }
        }
    }

    /// Whether the fragment that was taken last goes on from `nearest`, which it then becomes; else it is given back. Without
    /// floors there is nothing behind a gap that this session depends on.
    private func keepsLast(beside nearest: inout Fragment?) -> Bool {
        guard !hasFloors, let before = nearest, let taken = fragments.last else { return true }
        let distance = taken.first > before.last ? taken.first - before.last : before.first - taken.last
        if distance >= gap {
            fragments.removeLast()
            return false
        }
        nearest = taken
        return true
    }

    /// All panes that begin when this one does.
    private func panesOfTime(of pane: Int) -> Range<Int> {
        var (low, high) = (pane, pane + 1)
        while low > 0, panes[low - 1].key.start == panes[pane].key.start { low -= 1 }
        while high < panes.count, panes[high].key.start == panes[pane].key.start { high += 1 }
        return low..<high
    }

    /// Takes the fragments that panes have of a group of `pane`; false when there is none.
    @discardableResult
    private func add(_ range: Range<Int>, _ entry: Int, in pane: Int) -> Bool {
        let keys = panes[pane].keys
        let before = fragments.count
        for index in range {
            if let found = panes[index].keys.find(keys[entry], hash: keys.hash(entry)) { take(index, Int(found)) }
        }
        return fragments.count > before
    }

    /// Takes a fragment unless its session is closed.
    @discardableResult
    private func take(_ index: Int, _ entry: Int) -> Bool {
        let pane = panes[index]
        guard !pane.isClosed(entry), let span = pane.spans?[entry] else { return false }
        fragments.append(
            Fragment(
                pane: index, entry: entry, first: span.first, last: span.last, floor: pane.key.firstWindow,
                hasChanged: pane.hasChanged(entry)))
        return true
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
