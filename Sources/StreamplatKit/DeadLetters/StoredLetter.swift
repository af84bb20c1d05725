public import PluginAPI

/// A dead letter with its place in the topic of dead letters, as one domain sees it.
public struct StoredLetter: Sendable {
    public var letter: DeadLetter
    public var partition: Int
    public var offset: Int64
    /// The event type that the record was one of, as far as its topic or its place in the configuration says so.
    public var eventType: String?
    /// Whether it was sent again.
    public var isReplayed: Bool

    /// What a receipt says of it: where the original is. A row of a table is known by the letter's own place.
    public var identity: ReplayedRecord {
        let partition: TopicPartition
        let offset: Int64
        switch letter.origin {
        case .topic(let place, let at): (partition, offset) = (place, at)
        case .file(let file, _, _):
            (partition, offset) = (TopicPartition(topic: file, partition: self.partition), self.offset)
        case .table(let table):
            (partition, offset) = (TopicPartition(topic: table, partition: self.partition), self.offset)
        }
        return ReplayedRecord(partition: partition, offset: offset, retryCount: letter.retryCount + 1)
    }

    /// Where the record came from, in a few words.
    public var source: String {
        switch letter.origin {
        case .topic(let partition, _): partition.topic
        case .file(let file, _, _): file
        case .table(let table): table
        }
    }
}
