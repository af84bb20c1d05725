internal import Synchronization

/// Says things to a person at a bounded rate, with passwords left out. Threads: any.
public final class KafkaNotices: Sendable {
    private let notify: @Sendable (String) -> Void
    private let sensitiveValues: [String]
    private struct State {
        var lastSaid: [String: ContinuousClock.Instant] = [:]
        /// Said later, or never.
        var held: [String]?
    }
    private let state = Mutex(State())

    static let interval: Duration = .seconds(30)

    public init(sensitiveValues: [String], notify: @escaping @Sendable (String) -> Void) {
        self.notify = notify
        // The longest first: one password may be a part of another.
        self.sensitiveValues = sensitiveValues.filter { !$0.isEmpty }.sorted { $0.count > $1.count }
    }

    /// Says `text`, unless something was said under `topic` less than the interval ago.
    func say(_ text: String, topic: String) {
        let now = ContinuousClock.now
        let isDue = state.withLock { state in
            if let last = state.lastSaid[topic], now - last < KafkaNotices.interval { return false }
            state.lastSaid[topic] = now
            guard state.held != nil else { return true }
            state.held?.append(text)
            return false
        }
        if isDue { sayAlways(text) }
    }

    func sayAlways(_ text: String) { notify("kafka: \(redacted(text))") }

    /// Runs `body`, and says what it gave rise to only if it succeeds: its error says why it did not.
    public func holding<Result>(_ body: () throws -> Result) rethrows -> Result {
        state.withLock { $0.held = $0.held ?? [] }
        // After an error nothing more is said either: what comes then is the end of the connections.
        let result = try body()
        let held = state.withLock { state in
            defer { state.held = nil }
            return state.held ?? []
        }
        for text in held { sayAlways(text) }
        return result
    }

    /// The next text under `topic` is said even if one was said a moment ago.
    func forget(topic: String) { _ = state.withLock { $0.lastSaid.removeValue(forKey: topic) } }

    /// The text without passwords.
    func redacted(_ text: String) -> String {
        var text = text
        for value in sensitiveValues { text = text.replacing(value, with: "***") }
        return text
    }
}
