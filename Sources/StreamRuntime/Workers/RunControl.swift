internal import Foundation
internal import Synchronization

/// What the threads of a run tell each other: stop, barriers, failure.
///
/// A **barrier** is an instant between batches. The coordinator asks for one; every worker hands its partial aggregates
/// on, reports its positions, waits until it holds everything that was sent to it, gives its shards' rows and state, and
/// goes on when all have done so. Threads: any.
final class RunControl: @unchecked Sendable {
    // `@unchecked`: stored variables are accessed only between lock() and unlock() of `condition`.
    enum BarrierKind: Codable, Sendable, Equatable {
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
        /// Where the state of the worker's shard is, per aggregation: see ``Checkpoint/Section/chains``.
        var state: [[StateFile]]
        /// How far dead letters were sent, one section a partition.
        var letters: [Checkpoint.Section]
    }

    struct SectionPosition: Sendable {
        var section: String
        var position: Checkpoint.Position
    }

    /// Who says when all workers have given their part of a barrier.
    enum Role: Sendable, Equatable {
        /// All of them are known here: those of this process, and what other processes tell.
        case leader
        /// Another process does; barriers are made of this one's workers.
        case member
    }

    private let condition = NSCondition()
    private let workerCount: Int
    private let role: Role
    private let ending: Ending
    let host: RunHost
    private var reports: [Int: Report] = [:]
    /// Workers that have given their part, though perhaps not everything of it is in the sinks.
    private var arrivals: Set<Int> = []
    /// The newest barrier that all have passed, as another process says.
    private var passedBarrier = 0
    private var sinkReachedBarrier = 0
    private var stores: [Checkpoint.Store] = []
    private var failureValue: (any Error)?
    private var barrier: Barrier?
    /// The number of the newest barrier asked for: workers look at it between batches without a lock.
    let requestedBarrier = Atomic<Int>(0)
    private let isAbandoned = Atomic<Bool>(false)

    /// - Parameters:
    ///   - workerCount: Of all processes; of a member its own.
    ///   - ending: Begins with the first failure.
    init(
        workerCount: Int, role: Role = .leader, ending: Ending = Ending(limitMilliseconds: .max),
        host: RunHost = RunHost()
    ) {
        self.workerCount = workerCount
        self.role = role
        self.host = host
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

    /// One step of a part of the run; a failure ends the run.
    func guarding(_ step: () throws -> StepProgress) -> StepProgress {
        do {
            return try step()
        } catch {
            fail(error)
            return .ended
        }
    }

    /// Waits, but not longer than the run lasts.
    func pause(milliseconds: Int) {
        let clock = host.clock
        let end = clock.milliseconds + Int64(milliseconds)
        condition.lock()
        defer { condition.unlock() }
        while !isAbandoned.load(ordering: .relaxed) {
            let rest = end - clock.milliseconds
            guard rest > 0 else { return }
            _ = clock.wait(on: condition, milliseconds: Int(rest))
        }
    }

    var failure: (any Error)? {
        condition.lock()
        defer { condition.unlock() }
        return failureValue
    }

    // MARK: The coordinator's side.

    /// What a barrier has brought together.
    struct Outcome: Sendable {
        /// In the order of the workers.
        var reports: [Report]
        /// What the sinks want to get back.
        var stores: [Checkpoint.Store]
    }

    /// Asks for a barrier and gives its number. One at a time.
    ///
    /// - Parameter number: The next one where nil.
    @discardableResult
    func requestBarrier(_ kind: BarrierKind, number: Int? = nil) -> Int {
        condition.lock()
        defer { condition.unlock() }
        let number = number ?? (barrier?.number ?? 0) + 1
        barrier = Barrier(number: number, kind: kind)
        reports = [:]
        arrivals = []
        requestedBarrier.store(number, ordering: .releasing)
        return number
    }

    /// What the barrier has brought together; nil until all workers have reported and every sink has everything that came
    /// before it.
    func outcome(ofBarrier number: Int) -> Outcome? {
        condition.lock()
        defer { condition.unlock() }
        guard isComplete(number) else { return nil }
        return Outcome(reports: reports.sorted { $0.key < $1.key }.map(\.value), stores: stores)
    }

    /// What the barrier still waits for, in words.
    func missing(at number: Int) -> String {
        condition.lock()
        defer { condition.unlock() }
        guard barrier?.number == number else { return "" }
        let behind = arrivals.count < workerCount ? ["\(workerCount - arrivals.count) of \(workerCount) workers"] : []
        let sinks = sinkReachedBarrier < number ? ["the own sinks"] : []
        let reported = reports.count < workerCount ? ["\(workerCount - reports.count) reports"] : []
        return (behind + sinks + reported).joined(separator: ", ")
    }

    /// The positions of all workers of all processes, when they have reported: every row from before the barrier is committed
    /// then but for those of this process's own sinks.
    func positions(ofBarrier number: Int) -> [SectionPosition]? {
        condition.lock()
        defer { condition.unlock() }
        guard barrier?.number == number, reports.count == workerCount else { return nil }
        return reports.sorted { $0.key < $1.key }.flatMap(\.value.positions)
    }

    /// Waits until the barrier is complete or the run is abandoned, but not longer than that.
    func waitForBarrier(_ number: Int, milliseconds: Int) {
        condition.lock()
        defer { condition.unlock() }
        while !isComplete(number), !isAbandoned.load(ordering: .relaxed) {
            if !host.clock.wait(on: condition, milliseconds: milliseconds) { return }
        }
    }

    /// Workers of other processes have given their part of the barrier.
    func arrive(_ workers: Range<Int>) {
        condition.lock()
        arrivals.formUnion(workers)
        condition.broadcast()
        condition.unlock()
    }

    /// What workers of another process contribute; their sinks have everything that came before the barrier.
    func add(_ others: [Int: Report]) {
        condition.lock()
        reports.merge(others) { $1 }
        condition.broadcast()
        condition.unlock()
    }

    /// Whether all workers that are counted here have given their part.
    func haveAllArrived(at number: Int) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        return barrier?.number == number && arrivals.count == workerCount
    }

    /// Every process has passed the barrier: the workers go on.
    func pass(barrier number: Int) {
        condition.lock()
        passedBarrier = number
        condition.broadcast()
        condition.unlock()
    }

    private func isComplete(_ number: Int) -> Bool {
        reports.count == workerCount && (sinkReachedBarrier >= number || host.fault == .checkpointBeforeSink)
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
        arrivals.insert(worker)
        condition.broadcast()
        condition.unlock()
    }

    /// Whether every worker has reported.
    func hasAllReports(of number: Int) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        return !isMissingReports(of: number)
    }

    /// Waits until every worker has reported or the run is abandoned.
    func waitForAllReports(of number: Int) {
        condition.lock()
        defer { condition.unlock() }
        while isMissingReports(of: number), !isAbandoned.load(ordering: .relaxed) { condition.wait() }
    }

    /// Another barrier can only have been asked for when this one was complete.
    private func isMissingReports(of number: Int) -> Bool {
        switch role {
        case .leader: barrier?.number == number && arrivals.count < workerCount
        case .member: passedBarrier < number
        }
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
