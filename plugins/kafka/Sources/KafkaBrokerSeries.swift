import KafkaClient
import Metrics

/// The series of one broker as one client sees it. Threads: one at a time.
final class KafkaBrokerSeries {
    private let isUp: Gauge
    private let roundTripP99: Gauge
    private let roundTripAverage: Gauge
    private let waiting: Gauge
    private let unanswered: Gauge
    private let requests: Counter
    private let responses: Counter
    private let connects: Counter
    private let disconnects: Counter
    private let retries: Counter
    private let timeouts: Counter
    private let sendErrors: Counter
    private let receiveErrors: Counter

    /// - Parameter labels: The client and the broker's id.
    init(_ labels: [(String, String)], _ factory: any MetricsFactory) {
        func faults(_ kind: String) -> Counter {
            Counter(
                label: "streamplat_kafka_broker_faults_total", dimensions: labels + [("kind", kind)], factory: factory)
        }
        func trip(_ statistic: String) -> Gauge {
            Gauge(
                label: "streamplat_kafka_broker_round_trip_seconds", dimensions: labels + [("statistic", statistic)],
                factory: factory)
        }
        isUp = Gauge(label: "streamplat_kafka_broker_up", dimensions: labels, factory: factory)
        (roundTripP99, roundTripAverage) = (trip("p99"), trip("avg"))
        waiting = Gauge(label: "streamplat_kafka_broker_waiting_requests", dimensions: labels, factory: factory)
        unanswered = Gauge(label: "streamplat_kafka_broker_unanswered_requests", dimensions: labels, factory: factory)
        requests = Counter(label: "streamplat_kafka_broker_requests_total", dimensions: labels, factory: factory)
        responses = Counter(label: "streamplat_kafka_broker_responses_total", dimensions: labels, factory: factory)
        connects = Counter(label: "streamplat_kafka_broker_connects_total", dimensions: labels, factory: factory)
        disconnects = Counter(label: "streamplat_kafka_broker_disconnects_total", dimensions: labels, factory: factory)
        (retries, timeouts) = (faults("retry"), faults("timeout"))
        (sendErrors, receiveErrors) = (faults("send_error"), faults("receive_error"))
    }

    /// Takes new numbers; the counters grow by what came since `last`.
    func record(_ broker: KafkaStatistics.Broker, after last: KafkaStatistics.Broker) {
        isUp.record(broker.isUp ? 1 : 0)
        waiting.record(broker.waitingRequests)
        unanswered.record(broker.unansweredRequests)
        if let milliseconds = broker.roundTripP99Milliseconds { roundTripP99.record(milliseconds / 1000) }
        if let milliseconds = broker.roundTripAverageMilliseconds { roundTripAverage.record(milliseconds / 1000) }
        func add(_ value: (KafkaStatistics.Broker) -> Int64, to counter: Counter) {
            counter.increment(by: max(0, value(broker) - value(last)))
        }
        add({ $0.requests }, to: requests)
        add({ $0.responses }, to: responses)
        add({ $0.connects }, to: connects)
        add({ $0.disconnects }, to: disconnects)
        add({ $0.retries }, to: retries)
        add({ $0.timeouts }, to: timeouts)
        add({ $0.sendErrors }, to: sendErrors)
        add({ $0.receiveErrors }, to: receiveErrors)
    }

    /// There is no such connection any more.
    func clear() {
        isUp.record(0)
        waiting.record(0)
        unanswered.record(0)
    }
}
