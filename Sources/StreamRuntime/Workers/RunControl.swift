internal import Foundation
internal import Synchronization

/// What the threads of a run tell each other: stop, barriers, failure.
///
/// A **barrier** is an instant between batches. The coordinator asks for one; every worker hands its partial aggregates
/// on, reports its positions, waits until it holds everything that was sent to it, gives its shards' rows and state, and
/// goes on when all have done so. Threads: any.
final class RunControl: @unchecked Sendable {
    // `@unchecked`: stored variables are accessed only between lock() and unlock() of `condition`.
    enum BarrierKind: Sendable, Equatable {
        case checkpoint
        /// The last one: workers end after it.
        case final(closeWindows: Bool)
    }

    struct Barrier: Sendable {
        var number: Int
        var kind: BarrierKind
    }

    /// What one worker contributes to a checkpoint.
    struct Report: Sendable {
        var positions: [SectionPosition]
        /// Where the state of the worker's shard is, per aggregation.
        var state: [StateFile]
        /// How far dead letters were sent, one section a partition.
        var letters: [Checkpoint.Section]
    }

    struct SectionPosition: Sendable {
        var section: String
        var position: Checkpoint.Position
    }

    private let condition = NSCondition()
    private let workerCount: Int
    private let ending: Ending
    private var reports: [Int: Report] = [:]
    private var sinkReachedBarrier = 0
    private var stores: [Checkpoint.Store] = []
    private var failureValue: (any Error)?
    private var barrier: Barrier?
    /// The number of the newest barrier asked for: workers look at it between batches without a lock.
    let requestedBarrier = Atomic<Int>(0)
    private let isAbandoned = Atomic<Bool>(false)

    /// - Parameter ending: Begins with the first failure.
    init(workerCount: Int, ending: Ending = Ending(limitMilliseconds: .max)) {
        self.workerCount = workerCount
        self.ending = ending
    }

    /// True when threads should end as soon as they can, leaving everything as the last checkpoint has it.
    var shouldAbandon: Bool { isAbandoned.load(ordering: .relaxed) }

    /// Records the first failure and ends the run.
    func fail(_ error: any Error) {
        condition.lock()
        if failureValue == nil { failureValue = error }
        ending.begin()
        isAbandoned.store(true, ordering: .relaxed)
        condition.broadcast()
        condition.unlock()
    }

    /// Waits, but not longer than the run lasts.
    func pause(milliseconds: Int) {
        let end = Date(timeIntervalSinceNow: Double(milliseconds) / 1000)
        condition.lock()
        defer { condition.unlock() }
        while !isAbandoned.load(ordering: .relaxed), condition.wait(until: end) {}
    }

    var failure: (any Error)? {
        condition.lock()
        defer { condition.unlock() }
        return failureValue
    }

    // MARK: The coordinator's side.

    /// Runs one barrier and gives all reports, in the order of the workers, and what the sinks want to get back, when
    /// every sink has everything that came before it; nil when the run was abandoned meanwhile.
    ///
    /// - Parameter check: Called ten times a second while it waits; may throw to end the waiting.
    func runBarrier(_ kind: BarrierKind, check: () throws -> Void) throws
        -> (reports: [Report], stores: [Checkpoint.Store])?
    {
        condition.lock()
        defer { condition.unlock() }
        let number = (barrier?.number ?? 0) + 1
        barrier = Barrier(number: number, kind: kind)
        reports = [:]
        requestedBarrier.store(number, ordering: .releasing)
        while reports.count < workerCount || sinkReachedBarrier < number {
            if isAbandoned.load(ordering: .relaxed) { return nil }
            if !condition.wait(until: Date(timeIntervalSinceNow: 0.1)) { try check() }
        }
        return (reports.sorted { $0.key < $1.key }.map(\.value), stores)
    }

    // MARK: The workers' side.

    var currentBarrier: Barrier? {
        condition.lock()
        defer { condition.unlock() }
        return barrier
    }

    func report(_ report: Report, worker: Int) {
        condition.lock()
        reports[worker] = report
        condition.broadcast()
        condition.unlock()
    }

    /// Waits until every worker has reported; false when the run was abandoned.
    func waitForAllReports(of number: Int) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        while barrier?.number == number, reports.count < workerCount {
            if isAbandoned.load(ordering: .relaxed) { return false }
            condition.wait()
        }
        return !isAbandoned.load(ordering: .relaxed)
    }

    // MARK: The sink thread's side.

    func sinkReached(barrier number: Int, _ stores: [Checkpoint.Store]) {
        condition.lock()
        self.stores = stores
        sinkReachedBarrier = number
        condition.broadcast()
        condition.unlock()
    }
}
