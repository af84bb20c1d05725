import Glibc

/// How an event log writes.
public struct EventLogOptions: Sendable {
    /// When appended records are made durable against a loss of power. A killed process loses nothing in any case.
    public enum Fsync: Hashable, Sendable {
        case never
        /// With the first append after so many milliseconds, on flush and on close.
        case interval(milliseconds: Int64)
        case always
    }

    public var fsync: Fsync
    /// Bytes of a segment, for topics without `segment.bytes`.
    public var segmentBytes: Int64
    /// Milliseconds since the epoch; tests pass their own.
    public var now: @Sendable () -> Int64

    public init(
        fsync: Fsync = .interval(milliseconds: 1000), segmentBytes: Int64 = 64 << 20,
        now: @escaping @Sendable () -> Int64 = EventLogOptions.wallClock
    ) {
        self.fsync = fsync
        self.segmentBytes = segmentBytes
        self.now = now
    }

    public static func wallClock() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
