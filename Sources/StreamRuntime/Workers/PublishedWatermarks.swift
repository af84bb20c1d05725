internal import Synchronization

/// The watermark of each aggregation over all partitions, as one worker publishes it for all shards.
///
/// A combination of reports may fall back when an idle partition wakes; what was published does not, and because there is one
/// publisher every shard closes the same windows. A shard reads it first, then takes its inbox: all that the watermark covers
/// was sent before it was published. Threads: one writes, any reads.
final class PublishedWatermarks: Sendable {
    private let values: Mutex<[Int64]>

    init(count: Int) { values = Mutex(Array(repeating: .min, count: count)) }

    var all: [Int64] { values.withLock { $0 } }

    /// Moves watermarks forward; a lower one changes nothing.
    func raise(_ watermarks: [Int64]) {
        values.withLock { values in
            for index in values.indices { values[index] = max(values[index], watermarks[index]) }
        }
    }
}
