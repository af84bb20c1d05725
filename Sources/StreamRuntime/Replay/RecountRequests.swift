internal import Synchronization

/// Aggregations that have to be counted anew, because a replayed record belongs into what they have closed. Threads: any.
final class RecountRequests: Sendable {
    /// Why, and with it what becomes of the rows that are there.
    enum Reason: Sendable {
        /// A window has been closed and its state is gone. The rows that are there are replaced.
        case closedWindow
        /// The record would have moved the clock past a window's end: others that were counted are late in truth, and rows
        /// may have to go.
        case clock
    }

    private struct State {
        var wanted: [Int: Reason] = [:]
        var since: Int64 = 0
        var told: Set<Int> = []
    }

    private let state = Mutex(State())
    /// By aggregation: whether its topics still hold everything that it counted.
    private let isPossible: [Bool]
    /// Replayed records come in numbers: those of other aggregations are waited for, so that all begin together.
    private static let gatheringMilliseconds: Int64 = 1000

    init(isPossible: [Bool]) { self.isPossible = isPossible }

    enum Answer {
        case willBeDone
        /// `isFirst`: nobody was told yet.
        case impossible(isFirst: Bool)
    }

    /// - Parameter now: Monotonic milliseconds.
    func want(_ aggregation: Int, _ reason: Reason, at now: Int64) -> Answer {
        state.withLock { state in
            guard isPossible[aggregation] else {
                return .impossible(isFirst: state.told.insert(aggregation).inserted)
            }
            if state.wanted.isEmpty { state.since = now }
            if state.wanted[aggregation] != .clock { state.wanted[aggregation] = reason }
            return .willBeDone
        }
    }

    /// Whether it is time to begin.
    func isDue(at now: Int64) -> Bool {
        state.withLock { !$0.wanted.isEmpty && now - $0.since >= Self.gatheringMilliseconds }
    }

    var wanted: [Int: Reason] { state.withLock { $0.wanted } }
}
