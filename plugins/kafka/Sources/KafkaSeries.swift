import KafkaClient
import Metrics

/// The series of one client: a reader or a producer. Threads: one at a time.
final class KafkaSeries {
    /// Brokers that get series of their own, those with the lowest ids: a cluster may have hundreds.
    static let brokerLimit = 64

    private let brokersUp: Gauge
    private let queuedRecords: Gauge
    private let queuedBytes: Gauge
    private let fetchedRecords: Gauge
    private let fetchedBytes: Gauge
    private let roundTrip: Gauge
    private let sentRecords: Counter
    private let sentBytes: Counter
    private let receivedRecords: Counter
    private let receivedBytes: Counter
    private var brokers: [Int32: KafkaBrokerSeries] = [:]
    private var last = KafkaStatistics()
    private let client: String
    private let factory: any MetricsFactory

    init(client: String, _ factory: any MetricsFactory) {
        self.client = client
        self.factory = factory
        let labels = [("client", client)]
        brokersUp = Gauge(label: "streamplat_kafka_brokers_up", dimensions: labels, factory: factory)
        queuedRecords = Gauge(label: "streamplat_kafka_queued_records", dimensions: labels, factory: factory)
        queuedBytes = Gauge(label: "streamplat_kafka_queued_bytes", dimensions: labels, factory: factory)
        fetchedRecords = Gauge(label: "streamplat_kafka_fetched_records", dimensions: labels, factory: factory)
        fetchedBytes = Gauge(label: "streamplat_kafka_fetched_bytes", dimensions: labels, factory: factory)
        roundTrip = Gauge(label: "streamplat_kafka_round_trip_seconds", dimensions: labels, factory: factory)
        sentRecords = Counter(label: "streamplat_kafka_sent_records_total", dimensions: labels, factory: factory)
        sentBytes = Counter(label: "streamplat_kafka_sent_bytes_total", dimensions: labels, factory: factory)
        receivedRecords = Counter(
            label: "streamplat_kafka_received_records_total", dimensions: labels, factory: factory)
        receivedBytes = Counter(label: "streamplat_kafka_received_bytes_total", dimensions: labels, factory: factory)
    }

    func record(_ statistics: KafkaStatistics) {
        brokersUp.record(statistics.brokersUp)
        queuedRecords.record(statistics.queuedMessages)
        queuedBytes.record(statistics.queuedBytes)
        fetchedRecords.record(statistics.fetchedMessages)
        fetchedBytes.record(statistics.fetchedBytes)
        if let milliseconds = statistics.roundTripP99Milliseconds { roundTrip.record(milliseconds / 1000) }
        // librdkafka gives totals, each instance its own.
        if statistics.instance != last.instance { last = KafkaStatistics() }
        func add(_ value: (KafkaStatistics) -> Int64, to counter: Counter) {
            counter.increment(by: max(0, value(statistics) - value(last)))
        }
        add({ $0.sentMessages }, to: sentRecords)
        add({ $0.sentBytes }, to: sentBytes)
        add({ $0.receivedMessages }, to: receivedRecords)
        add({ $0.receivedBytes }, to: receivedBytes)
        let before = Dictionary(last.brokers.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        for broker in statistics.brokers {
            guard let series = series(of: broker.id) else { continue }
            series.record(broker, after: before[broker.id] ?? KafkaStatistics.Broker(id: broker.id))
        }
        // A broker that left the cluster, or all of a handle that has ended.
        for id in brokers.keys where !statistics.brokers.contains(where: { $0.id == id }) { brokers[id]?.clear() }
        last = statistics
    }

    private func series(of broker: Int32) -> KafkaBrokerSeries? {
        if let known = brokers[broker] { return known }
        guard brokers.count < Self.brokerLimit else { return nil }
        let made = KafkaBrokerSeries([("client", client), ("broker", String(broker))], factory)
        brokers[broker] = made
        return made
    }
}
