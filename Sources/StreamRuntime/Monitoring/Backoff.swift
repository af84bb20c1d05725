/// Pauses between attempts: each twice as long as the one before, up to ten seconds, less a random part of up to a half, so
/// that those who failed together do not all come back together.
struct Backoff {
    private var ceilingMilliseconds = 100
    private static let longestMilliseconds = 10_000

    /// The next pause in milliseconds.
    mutating func next() -> Int {
        defer { ceilingMilliseconds = min(ceilingMilliseconds * 2, Self.longestMilliseconds) }
        return Int.random(in: ceilingMilliseconds / 2...ceilingMilliseconds)
    }
}
