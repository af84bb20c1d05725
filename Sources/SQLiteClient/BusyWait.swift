internal import CSQLite
internal import Glibc

/// How a connection waits for the lock of another process: it asks every two milliseconds.
///
/// SQLite's own wait asks ten times a second at last. Nobody queues for its lock, so beside writers that leave short gaps a
/// third one would come to it only by luck, after seconds. Threads: the connection's.
final class BusyWait {
    private let limitNanoseconds: UInt64
    private var began: UInt64 = 0

    private static let pauseMicroseconds: UInt32 = 2000

    init(limitMilliseconds: Int32) { limitNanoseconds = UInt64(max(0, limitMilliseconds)) * 1_000_000 }

    /// Makes `handle` wait this way. The object has to outlive it.
    func attach(to handle: OpaquePointer) {
        sqlite3_busy_handler(
            handle,
            { context, earlier in
                guard let context else { return 0 }
                return Unmanaged<BusyWait>.fromOpaque(context).takeUnretainedValue().goesOn(earlier: earlier) ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Pauses and gives true, until the limit is reached.
    ///
    /// - Parameter earlier: How often the same lock was asked for before.
    private func goesOn(earlier: Int32) -> Bool {
        let now = Self.nanoseconds()
        if earlier == 0 { began = now }
        guard now - began < limitNanoseconds else { return false }
        usleep(Self.pauseMicroseconds)
        return true
    }

    private static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
