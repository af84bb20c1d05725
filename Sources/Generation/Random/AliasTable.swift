import Glibc

/// Picks an index by weight in constant time from one random word, about 3 ns.
///
/// Source: Walker's alias method, tables built as in Vose, "A Linear Algorithm for Generating Random Numbers with a
/// Given Distribution", 1991. Immutable after `init`, so any thread may pick; that is the proof for `@unchecked`.
final class AliasTable: @unchecked Sendable {
    private struct Entry: BitwiseCopyable {
        /// The entry itself is taken when the coin is below this.
        var threshold: UInt64
        var alias: UInt32
    }

    let count: Int
    private let entries: UnsafeMutablePointer<Entry>

    /// `weights` holds at least one entry; none is negative and at least one is above 0. Cost: O(count).
    init(weights: [Double]) {
        precondition(!weights.isEmpty, "an alias table needs at least one weight")
        count = weights.count
        entries = .allocate(capacity: count)
        let total = weights.reduce(0, +)
        let scale = total > 0 ? Double(count) / total : 0
        var scaled = weights.map { total > 0 ? $0 * scale : 1 }
        var small: [Int] = []
        var large: [Int] = []
        for index in 0..<count {
            if scaled[index] < 1 { small.append(index) } else { large.append(index) }
        }
        for index in 0..<count { entries[index] = Entry(threshold: .max, alias: UInt32(index)) }
        while let low = small.popLast() {
            guard let high = large.last else { break }
            entries[low] = Entry(threshold: UInt64(scaled[low] * 0x1p63) << 1, alias: UInt32(high))
            scaled[high] -= 1 - scaled[low]
            if scaled[high] < 1 {
                large.removeLast()
                small.append(high)
            }
        }
    }

    deinit { entries.deallocate() }

    /// Rank 0 is the likeliest: weight `(rank + 1)^-exponent`.
    convenience init(zipf count: Int, exponent: Double) {
        self.init(weights: (0..<max(count, 1)).map { pow(Double($0 + 1), -exponent) })
    }

    /// The high half of `word * count` is the column, the low half its coin.
    @inline(__always)
    func pick(_ word: UInt64) -> Int {
        let product = word.multipliedFullWidth(by: UInt64(truncatingIfNeeded: count))
        let index = Int(truncatingIfNeeded: product.high)
        let entry = entries[index]
        return product.low < entry.threshold ? index : Int(entry.alias)
    }
}
