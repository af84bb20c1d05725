/// Tells when the content of a configuration has changed and come to rest: looks go in, a verdict comes out.
///
/// Content decides: a file that was touched, or replaced by an equal one, is not news. A change is told when two looks in a
/// row find the same, so an editor that empties a file before it writes it is not caught in the middle.
public struct ConfigurationWatch: Sendable {
    /// What is known to whoever asks.
    private var known: ConfigurationSnapshot?
    private var lastSeen: ConfigurationSnapshot?

    /// Knows nothing: the first content that is at rest is news.
    public init() {}

    /// Takes a look; true when it is news.
    public mutating func observe(_ snapshot: ConfigurationSnapshot) -> Bool {
        defer { lastSeen = snapshot }
        guard snapshot == lastSeen, snapshot != known else { return false }
        known = snapshot
        return true
    }

    /// This content is known from elsewhere: it is no news any more.
    public mutating func know(_ snapshot: ConfigurationSnapshot) { known = snapshot }
}
