internal import Foundation

/// Processing time. Asked once a batch, a flush or a call, never once a row. Threads: any.
protocol RunClock: Sendable {
    /// Monotonic milliseconds.
    var milliseconds: Int64 { get }
    /// Milliseconds since 1970.
    var wallMilliseconds: Int64 { get }
    func sleep(milliseconds: Int)
    /// Waits on a locked condition until it is signalled; false when that long has passed without.
    func wait(on condition: NSCondition, milliseconds: Int) -> Bool
}

/// The clocks of this machine.
struct MachineClock: RunClock {
    var milliseconds: Int64 { Int64(Self.nanoseconds() / 1_000_000) }
    var wallMilliseconds: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
    func sleep(milliseconds: Int) { usleep(UInt32(clamping: milliseconds * 1000)) }

    func wait(on condition: NSCondition, milliseconds: Int) -> Bool {
        condition.wait(until: Date(timeIntervalSinceNow: Double(milliseconds) / 1000))
    }

    /// Monotonic nanoseconds: to measure how long work takes, which decides nothing.
    static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
