import KafkaClient
import Metrics
import Synchronization

/// Records what librdkafka counts. Threads: any.
final class KafkaMetrics: Sendable {
    /// The series of one handle, and the totals at its last reading.
    private final class Series {
        let brokersUp: Gauge
        let queuedRecords: Gauge
        let queuedBytes: Gauge
        let roundTrip: Gauge
        let sentBytes: Counter
        let receivedBytes: Counter
        var last = KafkaStatistics()

        init(client: String) {
            let labels = [("client", client)]
            brokersUp = Gauge(label: "streamplat_kafka_brokers_up", dimensions: labels)
            queuedRecords = Gauge(label: "streamplat_kafka_queued_records", dimensions: labels)
            queuedBytes = Gauge(label: "streamplat_kafka_queued_bytes", dimensions: labels)
            roundTrip = Gauge(label: "streamplat_kafka_round_trip_seconds", dimensions: labels)
            sentBytes = Counter(label: "streamplat_kafka_sent_bytes_total", dimensions: labels)
            receivedBytes = Counter(label: "streamplat_kafka_received_bytes_total", dimensions: labels)
        }
    }

    private let series = Mutex<[String: Series]>([:])

    /// Takes the numbers of one handle, about once a second.
    func record(client: String, _ statistics: KafkaStatistics) {
        series.withLock { all in
            let series = all[client] ?? Series(client: client)
            all[client] = series
            series.brokersUp.record(statistics.brokersUp)
            series.queuedRecords.record(statistics.queuedMessages)
            series.queuedBytes.record(statistics.queuedBytes)
            if let milliseconds = statistics.roundTripP99Milliseconds { series.roundTrip.record(milliseconds / 1000) }
            // librdkafka gives totals.
            series.sentBytes.increment(by: statistics.sentBytes - series.last.sentBytes)
            series.receivedBytes.increment(by: statistics.receivedBytes - series.last.receivedBytes)
            series.last = statistics
        }
    }
}
