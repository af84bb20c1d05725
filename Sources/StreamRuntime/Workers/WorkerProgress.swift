internal import Synchronization

/// How far a worker is, for the coordinator. Threads: one writes, any reads.
final class WorkerProgress: Sendable {
    /// Rounds in which every partition was found to be at its end, since the last round that read something.
    private let quietRounds = Atomic<Int>(0)
    private let lagValue = Atomic<Int>(0)

    var quiet: Int { quietRounds.load(ordering: .acquiring) }
    var lag: Int { lagValue.load(ordering: .relaxed) }

    func publish(isAtEnd: Bool, lag: Int) {
        if isAtEnd {
            quietRounds.add(1, ordering: .releasing)
        } else {
            quietRounds.store(0, ordering: .releasing)
        }
        lagValue.store(lag, ordering: .relaxed)
    }
}
