internal import PluginAPI

/// How far a partition's dead letters of one stream's steps are in their topic already.
///
/// A new or changed reader of a stream reads the partition anew from its beginning; the steps of the stream are what they
/// were, so they fail on the same records. A checkpoint keeps this as a section of its own for each stream and partition, under
/// the stream's fingerprint: a changed stream tells anew.
struct ReportedSteps: Equatable {
    /// Records before this offset have gone through the stream's steps.
    var nextOffset: Int64
    /// True once it was said that letters are not sent again.
    var hasSaid = false
}

extension ReportedSteps {
    /// No aggregation or event type has a name with a colon.
    private static func sectionName(_ stream: String, _ partition: TopicPartition) -> String {
        "letters of stream:\(stream):\(partition.topic):\(partition.partition)"
    }

    /// What a checkpoint says of a partition whose next offset is `end`.
    ///
    /// - Parameter readers: Where the consumers that read the stream go on.
    init(
        _ stream: String, fingerprint: String, _ partition: TopicPartition, in checkpoint: Checkpoint?, end: Int64,
        readers: [Int64]
    ) {
        let section = checkpoint?.section(Self.sectionName(stream, partition), fingerprint: fingerprint)
        nextOffset = section?.positions.first?.nextOffset ?? .min
        // The topic was replaced by one that is shorter.
        if nextOffset > end { nextOffset = .min }
        advance(to: readers)
    }

    /// - Parameter readers: Where the consumers that read the stream are.
    mutating func advance(to readers: [Int64]) { nextOffset = max(nextOffset, readers.max() ?? .min) }

    func section(_ stream: String, fingerprint: String, _ partition: TopicPartition) -> Checkpoint.Section {
        Checkpoint.Section(
            name: Self.sectionName(stream, partition), fingerprint: fingerprint,
            positions: [.init(partition: partition, nextOffset: nextOffset, maxEventTime: .min)], shards: [])
    }
}
