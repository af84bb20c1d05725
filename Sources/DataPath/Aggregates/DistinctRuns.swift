/// The slots of a set of pairs, or a list of them, ordered by the runs of groups that their groups are in; they must not
/// change meanwhile. Threads: one at a time.
final class DistinctRuns {
    let pairs: UnsafePointer<DistinctPair>
    private let groupsPerRun: Int
    private let order: UnsafeMutablePointer<UInt32>
    /// Where each run begins; one more than there are runs.
    private let starts: [Int]

    init(_ slots: UnsafePointer<DistinctPair>, slotCount: Int, groupCount: Int, groupsPerRun: Int) {
        pairs = slots
        self.groupsPerRun = groupsPerRun
        var ends = [Int](repeating: 0, count: groupCount / groupsPerRun + 2)
        for slot in 0..<slotCount where slots[slot].low != 0 { ends[slots[slot].group / groupsPerRun + 1] += 1 }
        for run in 1..<ends.count { ends[run] += ends[run - 1] }
        starts = ends
        order = GrowingMemory.resize(nil, to: ends[ends.count - 1])
        for slot in 0..<slotCount where slots[slot].low != 0 {
            let run = slots[slot].group / groupsPerRun
            order[ends[run]] = UInt32(truncatingIfNeeded: slot)
            ends[run] += 1
        }
    }

    deinit { GrowingMemory.free(order) }

    /// The slots of the run that begins with this group.
    func slots(of group: Int) -> UnsafeBufferPointer<UInt32> {
        let run = group / groupsPerRun
        return UnsafeBufferPointer(start: order + starts[run], count: starts[run + 1] - starts[run])
    }
}
