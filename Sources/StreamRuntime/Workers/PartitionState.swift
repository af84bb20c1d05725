internal import DataPath
internal import Metrics
internal import PluginAPI

/// One partition that a worker owns: its reader, and for each consumer how far it has counted.
final class PartitionState {
    let input: Int
    let partition: TopicPartition
    var reader: any PartitionReader
    /// In the order of the input's consumers.
    var consumers: [ConsumerPosition]
    /// True after a fetch found nothing; false after one that found records.
    var isAtEnd = false
    /// When records were last read, or the run began; monotonic milliseconds.
    var lastRecordAt: Int64
    /// What earlier runs have sent to the dead letters of decoding.
    var reported: ReportedLetters
    /// True once it was said that letters are not sent again.
    var hasSaidReported = false
    /// The same for the steps of streams, by the stream's position in the topology.
    var reportedSteps: [Int: ReportedSteps]
    /// Records behind the partition's end, when last looked at.
    var lag = 0
    let lagGauge: Gauge
    /// Nothing comes behind its end in this run.
    private let endsForGood: Bool

    struct ConsumerPosition {
        /// The offset of the next record to count; what lies before was counted by an earlier run.
        var nextOffset: Int64
        /// The highest event time counted; `Int64.min` for none.
        var maxEventTime: Int64
        /// What it has read and not counted.
        var refused: RefusedOffsets
    }

    init(
        input: Int, partition: TopicPartition, reader: any PartitionReader, consumers: [ConsumerPosition],
        reported: ReportedLetters, reportedSteps: [Int: ReportedSteps], now: Int64, endsForGood: Bool
    ) {
        self.endsForGood = endsForGood
        self.input = input
        self.partition = partition
        self.reader = reader
        self.consumers = consumers
        self.reported = reported
        self.reportedSteps = reportedSteps
        lastRecordAt = now
        lagGauge = Gauge(
            label: "streamplat_consumer_lag",
            dimensions: [("topic", partition.topic), ("partition", String(partition.partition))])
    }

    /// An idle partition, also one that never had a record, is read to its end and has been so for the timeout: the
    /// watermark does not wait for it. This is the one place where processing time matters. A part of a file in which no
    /// record begins is idle at once, as none will.
    func isIdle(now: Int64, timeout: Int64) -> Bool {
        guard isAtEnd else { return false }
        return endsForGood && consumers.allSatisfy { $0.maxEventTime == .min } || now - lastRecordAt >= timeout
    }
}
