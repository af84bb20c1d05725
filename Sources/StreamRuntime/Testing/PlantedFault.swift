internal import DataPath

/// Mistakes that the simulation must find: each is one that a change of this code could bring. Only a test can plant one
/// (``RunHost/fault``, which no option reaches); asked once a batch, a flush or a
/// barrier.
enum PlantedFault: String, CaseIterable, Sendable {
    /// A checkpoint is written before the sinks have committed what it counts.
    case checkpointBeforeSink
    /// A partition's clock is forgotten when a run goes on from a checkpoint.
    case clockLostOnRestart
    /// The first partition is left out of the minimum that closes windows.
    case watermarkIgnored
    /// State is merged twice when a run goes on from a checkpoint: what changed is added to what was there.
    case stateMergedTwice
    /// A part of the state that has what changed leaves a group out that did.
    case changeForgotten
    /// A record that the broker delivers again is counted again.
    case duplicateCounted
    /// Of several windows that are due at once the first is not written.
    case skippedWindow
    /// Rows that are due when a worker hands over before the flush interval are not written.
    case earlyRowsLost
}

extension PlantedFault {
    /// As the state of an aggregation knows it.
    var ofState: StateFault? {
        switch self {
        case .stateMergedTwice: .olderValueAdded
        case .changeForgotten: .changeForgotten
        default: nil
        }
    }
}
