internal import Glibc

/// Versions of rows: of several rows of one key the one with the highest version counts.
///
/// A version is a 64-bit number: milliseconds since the epoch when the sink was opened, times 2^20, plus a number that goes
/// up by one with each row. So it goes on rising within a run, and from one run to the next, unless rows came faster than
/// 2^20 in a millisecond or the clock was set back; against both, a table's highest version is read before its first row
/// is written, and versions begin above it.
enum RowVersion {
    /// The first version of a sink that is opened now.
    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(max(time.tv_sec, 0) * 1000 + time.tv_nsec / 1_000_000) << 20
    }
}
