/// A binary min-heap of small values ordered by time, then by a tie number, so that its order is never a matter of luck.
///
/// Cost: O(log n) a push or pop, no allocation but for growth. Threads: one at a time.
final class TimeHeap<Value: BitwiseCopyable> {
    struct Entry {
        var time: Int64
        var tie: UInt64
        var value: Value

        @inline(__always)
        static func < (a: Entry, b: Entry) -> Bool { a.time != b.time ? a.time < b.time : a.tie < b.tie }
    }

    @exclusivity(unchecked) private(set) var count = 0
    @exclusivity(unchecked) private var capacity = 64
    @exclusivity(unchecked) private var entries: UnsafeMutablePointer<Entry>

    init() { entries = .allocate(capacity: capacity) }

    deinit { entries.deallocate() }

    /// The earliest entry. At least one must be there.
    @inline(__always)
    var first: Entry { entries[0] }

    func push(_ entry: Entry) {
        if count == capacity {
            let larger = UnsafeMutablePointer<Entry>.allocate(capacity: capacity * 2)
            larger.moveInitialize(from: entries, count: count)
            entries.deallocate()
            (entries, capacity) = (larger, capacity * 2)
        }
        var hole = count
        count += 1
        while hole > 0 {
            let parent = (hole - 1) / 2
            guard entry < entries[parent] else { break }
            (entries + hole).initialize(to: entries[parent])
            hole = parent
        }
        (entries + hole).initialize(to: entry)
    }

    /// Takes the earliest entry out. At least one must be there.
    func removeFirst() -> Entry {
        let earliest = entries[0]
        count -= 1
        if count > 0 { sink(entries[count]) }
        return earliest
    }

    /// Puts `entry` in the place of the earliest one: cheaper than taking out and pushing.
    func replaceFirst(_ entry: Entry) { sink(entry) }

    private func sink(_ entry: Entry) {
        var hole = 0
        while true {
            var child = 2 * hole + 1
            guard child < count else { break }
            if child + 1 < count, entries[child + 1] < entries[child] { child += 1 }
            guard entries[child] < entry else { break }
            entries[hole] = entries[child]
            hole = child
        }
        entries[hole] = entry
    }
}
