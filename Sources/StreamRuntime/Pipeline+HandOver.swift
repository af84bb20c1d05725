internal import Synchronization

/// How a pipeline makes room for the next one of the same process.
extension Pipeline {
    /// Ends the run at a checkpoint, from which another pipeline can go on: like ``stop()``, but no open window is emitted,
    /// and a sink that does not answer is waited for as long as the run would have waited for it. ``stop()`` may follow.
    public func handOver() { handOverAsked.store(true, ordering: .releasing) }

    /// True when ``handOver()`` was called.
    public var isHandingOver: Bool { handOverAsked.load(ordering: .acquiring) }

    /// True once the threads of the run have been started. When ``run()`` throws before, nothing was counted, and another
    /// pipeline can go on from the checkpoint.
    public var hasStarted: Bool { started.load(ordering: .acquiring) }

    /// Says once that the threads run.
    func noteStart() { if !started.exchange(true, ordering: .acquiringAndReleasing) { onStart() } }

    /// Whether the next pipeline, or nobody, goes on.
    var shouldEnd: Bool { ending.hasBegun || isHandingOver }
}
