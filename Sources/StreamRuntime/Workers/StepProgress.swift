/// What became of one step of a run's part: a worker, the sink thread, the coordinator.
///
/// A step never waits for another part, so that all parts can be driven from one thread; a thread that has only one of them
/// to drive waits between two steps.
enum StepProgress: Sendable {
    /// Something was done; the next step may be taken at once.
    case worked
    /// There is nothing to do until another part, or the world, has done something.
    case waiting
    /// There are no more steps.
    case ended
}
