/// Versions of rows: of several rows of one key the one with the highest version counts.
///
/// A version is a 64-bit number: the epoch of the run that writes, in the upper 24 bits, and a number that goes up by one
/// with each row of the run, in the lower 40. So rows of a newer run win over those of an older one that still lives, and
/// of one run the last row wins. A run that comes to the end of its numbers, after 2^40 rows, takes a new epoch; 2^24
/// epochs are enough for a restart every minute for 31 years.
enum RowVersion {
    static let sequenceBits: UInt64 = 40
    static let highestEpoch: UInt64 = 1 << 24 - 1

    /// The first version of an epoch.
    static func first(of epoch: UInt64) -> UInt64 { epoch << sequenceBits }

    static func epoch(of version: UInt64) -> UInt64 { version >> sequenceBits }
}
