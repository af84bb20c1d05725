internal import DataPath

/// What a worker sends to the owner of a shard.
enum ShardMessage: Sendable {
    case partial(aggregation: Int, PartialBatch)
    /// The same from another process.
    case encodedPartial(aggregation: Int, [UInt8])
    /// The sender's watermarks, per aggregation; everything that they cover was sent before.
    case watermarks(worker: Int, [WatermarkReport])
    /// The sender has sent everything from before the barrier; with the watermarks that were published where it is.
    case barrier(worker: Int, number: Int, published: [Int64])

    /// Of the groups and states that it carries.
    var byteCount: Int {
        switch self {
        case .partial(_, let batch): batch.memoryBytes
        case .encodedPartial(_, let bytes): bytes.count
        case .watermarks, .barrier: 0
        }
    }
}
