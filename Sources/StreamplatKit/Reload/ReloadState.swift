internal import Provisioning
internal import StreamRuntime

/// What the thread of the pipelines and the thread that looks at configurations tell each other.
struct ReloadState: Sendable {
    /// A checked configuration that waits for the pipeline before it to end.
    struct Candidate: Sendable {
        var system: LiveSystem
        var lock: RunLock
        var difference: ConfigurationDifference
        /// What is to be carried out between the two pipelines.
        var plan: Plan?
    }

    /// What runs, or may have to run again.
    struct Running: Sendable {
        var system: LiveSystem
        var lock: RunLock
    }

    var running: Running
    var pipeline: Pipeline?
    var candidate: Candidate?
    /// What is gone back to when the new pipeline does not start.
    var previous: Running?
    /// What the new pipeline differs in, until it has started.
    var difference: ConfigurationDifference?
    var pauseBegan: ContinuousClock.Instant?
    var isAsked = false
    var isLooking = false
    var isStopping = false
    var hasEnded = false

    /// Whether one pipeline is being replaced by another.
    var isHandingOver: Bool { candidate != nil || difference != nil }
}
