internal import Glibc
internal import Synchronization

/// Steps at which a test can have the program killed, as by `kill -9`: `STREAMPLAT_TEST_KILL=after-state:3` ends it when
/// it comes to that step for the third time. For tests only.
///
/// The variable is read once. A step is passed once a batch, a flush or a checkpoint, never once a row.
package enum KillPoint: String, CaseIterable, Sendable {
    case afterDecode = "after-decode"
    case afterState = "after-state"
    case beforeSink = "before-sink"
    case afterSink = "after-sink"
    case duringState = "during-state"
    case duringCheckpoint = "during-checkpoint"
    case betweenRenames = "between-renames"
    case beforeOffsetCommit = "before-offset-commit"
    /// The stores know the run's epoch, and nothing else does yet.
    case afterClaim = "after-claim"
    /// Of the leader of a cluster's round: the others know of the round; they were told to count on after a barrier.
    case afterBegin = "after-begin"
    case afterGo = "after-go"
    /// Of another member: its part of a barrier is given; its rows are committed and its positions told.
    case afterArrived = "after-arrived"
    case afterReported = "after-reported"
    /// Of a reload, three times: the old pipeline has ended, what is outstanding was applied, the new one's threads run.
    case betweenPipelines = "between-pipelines"

    private struct Armed: Sendable {
        var point: KillPoint
        var passage: Int
    }

    private static let armed: Armed? = {
        guard let value = getenv("STREAMPLAT_TEST_KILL") else { return nil }
        let parts = String(cString: value).split(separator: ":")
        guard let point = parts.first.flatMap({ KillPoint(rawValue: String($0)) }) else { return nil }
        return Armed(point: point, passage: parts.dropFirst().first.flatMap { Int($0) } ?? 1)
    }()
    private static let passages = Atomic<Int>(0)

    /// Says that this step has been reached.
    @inline(__always)
    package func pass() {
        guard let armed = Self.armed, armed.point == self else { return }
        Self.reach(armed.passage)
    }

    private static func reach(_ passage: Int) {
        guard passages.add(1, ordering: .relaxed).newValue == passage else { return }
        kill(getpid(), SIGKILL)
        // The signal may take a moment to arrive; nothing more may happen meanwhile.
        while true { pause() }
    }
}
