/// A set of (group, hash) pairs: open addressing, linear probing, at most 5/8 full.
///
/// Positions are multiplied by an odd number drawn per set: reading one set in the order of its slots and adding to another
/// would otherwise pile up long runs there. Threads: one at a time. Cost: one cache line a pair, of which a block's are
/// fetched at once.
final class DistinctSet {
    private(set) var count = 0
    private(set) var slots: UnsafeMutablePointer<DistinctPair>?
    private(set) var slotCount = 0
    private var shift: UInt64 = 64
    private var limit = 0
    private let multiplier = UInt64.random(in: 0 ... .max) | 1
    /// What the fetching of slots ahead read, kept so that it is not optimised away.
    private var fetched: UInt64 = 0

    private static let blockSize = 32

    deinit { GrowingMemory.free(slots) }

    var memoryBytes: Int { slotCount * MemoryLayout<DistinctPair>.stride }

    /// Adds pairs, the groups of which `map` renumbers (-1: left out; no map: they stay), and counts in `counts` those of
    /// each group that are new; those are appended to `news`, too.
    func insert(
        _ pairs: UnsafePointer<DistinctPair>, count pairCount: Int, map: UnsafePointer<Int32>?,
        counts: UnsafeMutablePointer<Int64>, news: DistinctPairList?
    ) {
        withUnsafeTemporaryAllocation(of: DistinctPair.self, capacity: Self.blockSize) { block in
            guard let block = block.baseAddress else { return }
            var next = 0
            while next < pairCount {
                let end = min(next &+ Self.blockSize, pairCount)
                var kept = 0
                if let map {
                    for index in next..<end {
                        let group = map[pairs[index].group]
                        block[kept] = pairs[index].moved(to: group)
                        kept &+= group >= 0 ? 1 : 0
                    }
                } else {
                    kept = end &- next
                    block.update(from: pairs + next, count: kept)
                }
                insert(block: block, kept, counts: counts, news: news)
                next = end
            }
        }
    }

    @inline(__always)
    private func insert(
        block: UnsafeMutablePointer<DistinctPair>, _ blockCount: Int, counts: UnsafeMutablePointer<Int64>,
        news: DistinctPairList?
    ) {
        if count &+ blockCount > limit { grow(to: max(slotCount * 2, 128)) }
        guard let slots else { return }
        let mask = slotCount &- 1
        var fetched: UInt64 = 0
        for index in 0..<blockCount { fetched ^= slots[position(block[index])].low }
        self.fetched = fetched
        var added = 0
        // The pairs that are new come to the front of the block, behind which the loop is already.
        for index in 0..<blockCount {
            let pair = block[index]
            var slot = position(pair)
            while true {
                let found = slots[slot]
                if found.low == pair.low, found.high == pair.high { break }
                if found.low == 0 {
                    slots[slot] = pair
                    counts[pair.group] &+= 1
                    block[added] = pair
                    added &+= 1
                    break
                }
                slot = (slot &+ 1) & mask
            }
        }
        count &+= added
        guard let news, added > 0 else { return }
        news.reserve(added).update(from: block, count: added)
        news.count += added
    }

    /// Bytes that so many further pairs would take at their peak, beyond what is there: old and new slots are there at once.
    func growthBytes(for more: Int) -> Int {
        guard count + more > limit else { return 0 }
        var size = max(slotCount, 64)
        while count + more > size / 8 * 5 { size *= 2 }
        return size * MemoryLayout<DistinctPair>.stride
    }

    func removeAll() {
        GrowingMemory.free(slots)
        (slots, slotCount, shift, limit, count) = (nil, 0, 64, 0, 0)
    }

    @inline(__always)
    private func position(_ pair: DistinctPair) -> Int {
        Int(truncatingIfNeeded: (pair.mixed &* multiplier) &>> shift)
    }

    @inline(never)
    private func grow(to size: Int) {
        let larger = GrowingMemory.zeroed(DistinctPair.self, count: size)
        let (old, oldCount) = (slots, slotCount)
        (slots, slotCount) = (larger, size)
        shift = UInt64(64 - size.trailingZeroBitCount)
        limit = size / 8 * 5
        guard let old else { return }
        for index in 0..<oldCount where old[index].low != 0 {
            var slot = position(old[index])
            while larger[slot].low != 0 { slot = (slot &+ 1) & (size &- 1) }
            larger[slot] = old[index]
        }
        GrowingMemory.free(old)
    }
}
