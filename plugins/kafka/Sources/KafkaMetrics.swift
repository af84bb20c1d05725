import KafkaClient
import Metrics
import Synchronization

/// Records what librdkafka counts, each handle's numbers as one client and its brokers as theirs. Threads: any.
final class KafkaMetrics: Sendable {
    private struct Clients {
        var series: [String: KafkaSeries] = [:]
    }

    private let clients = Mutex(Clients())
    /// Known at once: librdkafka's threads are nobody's children.
    private let factory = MetricsSystem.factory

    /// Takes the numbers of one handle, about once a second; empty ones when it has ended.
    func record(client: String, _ statistics: KafkaStatistics) {
        clients.withLock { clients in
            let series = clients.series[client] ?? KafkaSeries(client: client, factory)
            clients.series[client] = series
            series.record(statistics)
        }
    }
}
