internal import PluginAPI
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

    /// The original of a replayed record, and the aggregation that would have to begin anew for it.
    struct Asker: Hashable, Sendable {
        var aggregation: Int
        var partition: TopicPartition
        var offset: Int64
    }

    private struct State {
        var askers: Set<Asker> = []
        var wanted: [Int: Reason] = [:]
        var since: Int64 = 0
        var told: Set<Int> = []
    }

    private let state = Mutex(State())
    /// By aggregation: whether its topics still hold everything that it counted.
    private let isPossible: [Bool]
    /// Replayed records come in numbers: those of other aggregations are waited for, so that all begin together.
    private static let gatheringMilliseconds: Int64 = 1000

    /// Who asked in earlier rounds of the run.
    private let earlier: Set<Asker>

    /// - Parameter earlier: The requests of the round before, if there was one.
    init(isPossible: [Bool], after earlier: RecountRequests?) {
        self.isPossible = isPossible
        self.earlier = earlier.map { earlier in earlier.state.withLock { earlier.earlier.union($0.askers) } } ?? []
    }

    enum Answer {
        case willBeDone
        /// It has been done for the same record, and the original was refused again: its cause is not mended.
        case inVain
        /// `isFirst`: nobody was told yet.
        case impossible(isFirst: Bool)
    }

    /// - Parameter now: Monotonic milliseconds.
    func want(_ asker: Asker, _ reason: Reason, at now: Int64) -> Answer {
        let aggregation = asker.aggregation
        if earlier.contains(asker) { return .inVain }
        return state.withLock { state in
            guard isPossible[aggregation] else {
                return .impossible(isFirst: state.told.insert(aggregation).inserted)
            }
            state.askers.insert(asker)
            if state.wanted.isEmpty { state.since = now }
            if state.wanted[aggregation] != .clock { state.wanted[aggregation] = reason }
            return .willBeDone
        }
    }

    /// What another process of the cluster wants.
    func add(_ aggregation: Int, _ reason: Reason, at now: Int64) {
        state.withLock { state in
            if state.wanted.isEmpty { state.since = now }
            if state.wanted[aggregation] != .clock { state.wanted[aggregation] = reason }
        }
    }

    /// Whether it is time to begin.
    func isDue(at now: Int64) -> Bool {
        state.withLock { !$0.wanted.isEmpty && now - $0.since >= Self.gatheringMilliseconds }
    }

    var wanted: [Int: Reason] { state.withLock { $0.wanted } }
}
