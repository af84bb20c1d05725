public import Synchronization

/// Counters of a running pipeline. Threads: any; each is monotonic unless it says otherwise.
public final class PipelineStatus: Sendable {
    public let eventsRead = Atomic<Int>(0)
    public let rowsWritten = Atomic<Int>(0)
    /// Rows that sinks refused; one that is refused again counts again.
    public let rowsRefused = Atomic<Int>(0)
    public let deadLetters = Atomic<Int>(0)
    /// Records that became dead letters; one that several aggregations refused counts once.
    public let badRecords = Atomic<Int>(0)
    /// Event and aggregation pairs that came too late.
    public let lateEvents = Atomic<Int>(0)
    /// Those of them whose records went to the topic of late records.
    public let lateRecords = Atomic<Int>(0)
    public let checkpoints = Atomic<Int>(0)
    /// Records between the readers' positions and the partitions' ends, when last looked at; not monotonic.
    public let lag = Atomic<Int>(0)
    /// The lowest watermark of any aggregation, milliseconds since the epoch; `Int64.min` before the first.
    public let watermark = Atomic<Int64>(.min)

    public init() {}
}

/// What a run did.
public struct RunSummary: Sendable {
    public var eventsRead: Int
    public var rowsWritten: Int
    public var deadLetters: Int
    public var lateEvents: Int
    public var lateRecords: Int
    public var checkpoints: Int
    public var seconds: Double

    /// What the counters say now.
    public init(_ status: PipelineStatus, seconds: Double) {
        eventsRead = status.eventsRead.load(ordering: .relaxed)
        rowsWritten = status.rowsWritten.load(ordering: .relaxed)
        deadLetters = status.deadLetters.load(ordering: .relaxed)
        lateEvents = status.lateEvents.load(ordering: .relaxed)
        lateRecords = status.lateRecords.load(ordering: .relaxed)
        checkpoints = status.checkpoints.load(ordering: .relaxed)
        self.seconds = seconds
    }
}
