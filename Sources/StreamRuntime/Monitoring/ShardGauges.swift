internal import Metrics
internal import PlatformModel

/// How much one worker's shard holds, by aggregation. Threads: one.
struct ShardGauges {
    /// Looking through all panes once a second is nothing; at each of many small flushes it would be.
    private static let intervalMilliseconds: Int64 = 500

    private let windows: [Gauge]
    private let bytes: [Gauge]
    private var lastShown = Int64.min / 2

    init(_ aggregations: [Aggregation], worker: Int) {
        func gauges(_ label: String) -> [Gauge] {
            aggregations.map {
                Gauge(label: label, dimensions: [("aggregation", $0.name), ("worker", String(worker))])
            }
        }
        windows = gauges("streamplat_open_windows")
        bytes = gauges("streamplat_state_bytes")
    }

    /// - Parameter now: Monotonic milliseconds.
    mutating func show(_ shard: Shard, at now: Int64) {
        guard now - lastShown >= Self.intervalMilliseconds else { return }
        lastShown = now
        for (index, size) in shard.sizes.enumerated() {
            windows[index].record(size.windows)
            bytes[index].record(size.bytes)
        }
    }
}
