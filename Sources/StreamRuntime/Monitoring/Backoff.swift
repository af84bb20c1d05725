/// Pauses between attempts: each twice as long as the one before, up to ten seconds, less a random part of up to a half, so
/// that those who failed together do not all come back together.
struct Backoff {
    private var ceilingMilliseconds = 100
    private static let longestMilliseconds = 10_000

    /// The next pause in milliseconds.
    ///
    /// - Parameter random: 64 random bits.
    mutating func next(_ random: UInt64) -> Int {
        defer { ceilingMilliseconds = min(ceilingMilliseconds * 2, Self.longestMilliseconds) }
        return ceilingMilliseconds / 2 + Int(random % UInt64(ceilingMilliseconds / 2 + 1))
    }
}
