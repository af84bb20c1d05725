internal import Synchronization

/// When a run has to be over: so long after it was asked to stop, or failed. Threads: any.
final class Ending: Sendable {
    /// On the clock of the workers; 0 = not yet.
    private let since = Atomic<Int64>(0)
    private let limitMilliseconds: Int64
    private let clock: any RunClock
    private let outer: Ending?

    /// - Parameter outer: Its end is this one's, too.
    init(limitMilliseconds: Int64, clock: any RunClock = MachineClock(), within outer: Ending? = nil) {
        self.limitMilliseconds = limitMilliseconds
        self.clock = clock
        self.outer = outer
    }

    /// Of a part of the run, which may end by itself and take its time to do so: another part follows, so that what hangs is
    /// waited for until the run itself has to be over.
    func part() -> Ending { Ending(limitMilliseconds: .max, clock: clock, within: self) }

    /// The run ends from now on; a second call changes nothing.
    func begin() { _ = since.compareExchange(expected: 0, desired: max(1, clock.milliseconds), ordering: .relaxed) }

    var hasBegun: Bool { since.load(ordering: .relaxed) != 0 || outer?.hasBegun == true }

    /// True when the run should have been over by now.
    var isOverdue: Bool { overdueMilliseconds.map { $0 > 0 } ?? false || outer?.isOverdue == true }

    /// Nil before the end has begun; negative while there is time.
    private var overdueMilliseconds: Int64? {
        let since = since.load(ordering: .relaxed)
        return since == 0 ? nil : clock.milliseconds - since - limitMilliseconds
    }

    /// How long a thread that is told to end gets to notice it, even when the time is over already.
    private static let graceMilliseconds: Int64 = 1000

    /// Waits for a thread's end for as long as the run may last; false when the thread has not ended by then.
    ///
    /// - Parameter watch: Called several times a second meanwhile, with the milliseconds since the call.
    func waits(for thread: RunThread, _ watch: (Int64) -> Void = { _ in }) -> Bool {
        let begin = clock.milliseconds
        while !thread.join(milliseconds: 50) {
            watch(clock.milliseconds - begin)
            guard isOverdue, clock.milliseconds - begin > Self.graceMilliseconds else { continue }
            return false
        }
        return true
    }
}
