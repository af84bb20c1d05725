/// A reader's position is not in the partition: retention removed it, or it never was there.
///
/// Thrown by ``Broker/makeReader(_:at:)`` and ``PartitionReader/fetch(into:maxBytes:)``; the caller decides where to go on.
public struct OffsetOutOfRangeError: Error, Sendable, CustomStringConvertible {
    public var partition: TopicPartition
    public var position: Int64
    /// The first offset that can be read.
    public var earliest: Int64
    /// The offset that the next record will get.
    public var next: Int64

    public init(partition: TopicPartition, position: Int64, earliest: Int64, next: Int64) {
        self.partition = partition
        self.position = position
        self.earliest = earliest
        self.next = next
    }

    public var description: String {
        "[SP6010] topic \(partition.topic), partition \(partition.partition): offset \(position) is not in "
            + "the partition, which holds \(earliest) to \(next - 1)"
    }
}
