/// Distinct values of a window that moves over slices: each value is held with the last slice that has it.
///
/// Slices are numbered in the order in which they are left. A value costs two look-ups a slice that has it, however many
/// windows the slice is in. Threads: one at a time.
final class DistinctSlices {
    private struct Slot: BitwiseCopyable {
        var pair: DistinctPair
        /// -1: in no slice any more.
        var slice: Int64
    }

    private let groupCount: Int
    private var counts = StateColumn<Int64>(initial: 0)
    private var slots: UnsafeMutablePointer<Slot>
    private var slotCount = 128
    private var count = 0
    private let multiplier = UInt64.random(in: 0 ... .max) | 1

    init(groupCount: Int) {
        self.groupCount = groupCount
        counts.resize(to: groupCount)
        slots = GrowingMemory.zeroed(Slot.self, count: slotCount)
    }

    deinit { GrowingMemory.free(slots) }

    /// Adds the pairs of a slice, the groups of which `map` renumbers (-1: left out).
    func enter(_ pairs: UnsafePointer<DistinctPair>, count pairCount: Int, map: UnsafePointer<Int32>, slice: Int32) {
        if (count + pairCount) * 8 > slotCount * 5 { grow(for: count + pairCount) }
        for index in 0..<pairCount {
            let group = map[pairs[index].group]
            guard group >= 0 else { continue }
            let pair = pairs[index].moved(to: group)
            let slot = slots + position(of: pair)
            if slot.pointee.pair.low == 0 {
                slot.pointee = Slot(pair: pair, slice: Int64(slice))
                count += 1
                counts.states[Int(group)] += 1
            } else {
                if slot.pointee.slice < 0 { counts.states[Int(group)] += 1 }
                slot.pointee.slice = max(slot.pointee.slice, Int64(slice))
            }
        }
    }

    /// Takes the pairs out that no later slice has.
    func leave(_ pairs: UnsafePointer<DistinctPair>, count pairCount: Int, map: UnsafePointer<Int32>, slice: Int32) {
        for index in 0..<pairCount {
            let group = map[pairs[index].group]
            guard group >= 0 else { continue }
            let slot = slots + position(of: pairs[index].moved(to: group))
            guard slot.pointee.slice == Int64(slice), slot.pointee.pair.low != 0 else { continue }
            slot.pointee.slice = -1
            counts.states[Int(group)] -= 1
        }
    }

    /// The counts of now, as states that can only be finished.
    func states(_ measure: String, _ hashKey: HashKey) -> DistinctStates {
        let states = DistinctStates(measure: measure, hashKey: hashKey, isWide: false)
        states.setCounts(counts.states, count: groupCount)
        return states
    }

    /// The slot of a pair, or the empty one where it belongs.
    @inline(__always)
    private func position(of pair: DistinctPair) -> Int {
        let shift = UInt64(64 &- slotCount.trailingZeroBitCount)
        var slot = Int(truncatingIfNeeded: (pair.mixed &* multiplier) &>> shift)
        while slots[slot].pair.low != 0, slots[slot].pair.low != pair.low || slots[slot].pair.high != pair.high {
            slot = (slot &+ 1) & (slotCount &- 1)
        }
        return slot
    }

    private func grow(for needed: Int) {
        let (old, oldCount) = (slots, slotCount)
        while needed * 8 > slotCount * 5 { slotCount *= 2 }
        slots = GrowingMemory.zeroed(Slot.self, count: slotCount)
        for index in 0..<oldCount where old[index].pair.low != 0 {
            slots[position(of: old[index].pair)] = old[index]
        }
        GrowingMemory.free(old)
    }
}
