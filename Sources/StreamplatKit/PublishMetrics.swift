internal import Metrics

/// The series of one event type that is published.
struct PublishMetrics {
    let ok: Counter
    let failed: Counter
    /// Rows that the schema cannot hold.
    let refused: Counter

    init(eventType: String) {
        func events(_ status: String) -> Counter {
            Counter(
                label: "streamplat_events_produced_total", dimensions: [("event_type", eventType), ("status", status)])
        }
        (ok, failed, refused) = (events("ok"), events("failed"), events("refused"))
    }

    /// Seconds of one call to the producer: `send` or `flush`.
    static func latency(_ operation: String) -> Metrics.Timer {
        Metrics.Timer(label: "streamplat_produce_latency_seconds", dimensions: [("operation", operation)])
    }
}
