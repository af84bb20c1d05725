internal import DataPath

/// What a worker sends to the owner of a shard.
enum ShardMessage: Sendable {
    case partial(aggregation: Int, PartialBatch)
    /// The sender's watermarks, per aggregation; everything that they cover was sent before.
    case watermarks(worker: Int, [WatermarkReport])
    /// The sender has sent everything from before the barrier.
    case barrier(worker: Int, number: Int)

    /// Of the groups and states that it carries.
    var byteCount: Int {
        if case .partial(_, let batch) = self { batch.memoryBytes } else { 0 }
    }
}
