internal import Synchronization

/// Says things to a person at a bounded rate, with passwords left out. Threads: any.
public final class KafkaNotices: Sendable {
    private let notify: @Sendable (String) -> Void
    private let sensitiveValues: [String]
    private let lastSaid = Mutex<[String: ContinuousClock.Instant]>([:])

    static let interval: Duration = .seconds(30)

    public init(sensitiveValues: [String], notify: @escaping @Sendable (String) -> Void) {
        self.notify = notify
        // The longest first: one password may be a part of another.
        self.sensitiveValues = sensitiveValues.filter { !$0.isEmpty }.sorted { $0.count > $1.count }
    }

    /// Says `text`, unless something was said under `topic` less than the interval ago.
    func say(_ text: String, topic: String) {
        let now = ContinuousClock.now
        let isDue = lastSaid.withLock { said in
            if let last = said[topic], now - last < KafkaNotices.interval { return false }
            said[topic] = now
            return true
        }
        if isDue { sayAlways(text) }
    }

    func sayAlways(_ text: String) { notify("kafka: \(redacted(text))") }

    /// The next text under `topic` is said even if one was said a moment ago.
    func forget(topic: String) { _ = lastSaid.withLock { $0.removeValue(forKey: topic) } }

    /// The text without passwords.
    func redacted(_ text: String) -> String {
        var text = text
        for value in sensitiveValues { text = text.replacing(value, with: "***") }
        return text
    }
}
