import Foundation
import Metrics
import PluginAPI
import Testing

@testable import Telemetry

extension KafkaSuites {
    @Suite("Metrics of the client")
    struct Measured {
        /// The value of a series; nil when there is none.
        private func value(_ series: String, _ registry: PrometheusRegistry) -> Double? {
            registry.exposition().split(separator: "\n").first { $0.hasPrefix(series + " ") }
                .flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }
        }

        private func wait(for what: String, until isRight: () -> Bool) {
            let end = Date(timeIntervalSinceNow: 30)
            while !isRight(), Date() < end { usleep(20_000) }
            #expect(isRight(), "\(what)")
        }

        @Test("they appear, grow with the traffic, fall to nothing at the end, and stay few")
        func traffic() throws {
            let registry = PrometheusRegistry()
            try withMetricsFactory(registry) {
                try KafkaSuites.withBroker { broker, _ in
                    let topic = KafkaSuites.topic()
                    try broker.createTopic(topic, partitions: 1)
                    let sent = "streamplat_kafka_sent_records_total{client=\"producer 1\"}"
                    let requests = "streamplat_kafka_broker_requests_total{broker=\"ID\",client=\"reader\"}"
                    var total = 0.0
                    for round in 1...3 {
                        let producer = try broker.makeProducer()
                        let block = RecordBlockBox().written
                        for number in 0..<100 { block.append(TestRecord("k", "\(number)")) }
                        try producer.send(block, to: topic)
                        try producer.flush()
                        // Each has librdkafka's counters of its own, and the first one's name.
                        wait(for: "round \(round)") { value(sent, registry) == Double(100 * round) }
                        let up = "streamplat_kafka_brokers_up{client=\"producer 1\"}"
                        #expect(value(up, registry) == 1)
                        try producer.close()
                    }
                    wait(for: "the producer is gone") {
                        value("streamplat_kafka_brokers_up{client=\"producer 1\"}", registry) == 0
                    }
                    let match = try #require(
                        registry.exposition().firstMatch(
                            of: /streamplat_kafka_broker_up\{broker="(\d+)",client="reader"\} 1/))
                    let id = String(match.1)
                    func ofBroker(_ series: String) -> Double? {
                        value(series.replacingOccurrences(of: "ID", with: id), registry)
                    }
                    total = ofBroker(requests) ?? 0
                    #expect(try broker.readToEnd(topic).count == 300)
                    wait(for: "requests of the reader") { ofBroker(requests) ?? 0 > total }
                    let rest = "broker=\"ID\",client=\"reader\""
                    wait(for: "what was received") {
                        value("streamplat_kafka_received_records_total{client=\"reader\"}", registry) == 300
                    }
                    for series in ["responses_total", "connects_total"] {
                        #expect(ofBroker("streamplat_kafka_broker_\(series){\(rest)}") ?? 0 > 0, "\(series)")
                    }
                    for statistic in ["avg", "p99"] {
                        #expect(
                            ofBroker(
                                "streamplat_kafka_broker_round_trip_seconds{\(rest),statistic=\"\(statistic)\"}") ?? 0
                                > 0)
                    }
                    for kind in ["retry", "timeout", "send_error", "receive_error"] {
                        let faults =
                            "streamplat_kafka_broker_faults_total{broker=\"ID\",client=\"reader\",kind=\"\(kind)\"}"
                        #expect(ofBroker(faults) == 0, "\(kind)")
                    }
                    for series in ["waiting_requests", "unanswered_requests", "disconnects_total"] {
                        #expect(ofBroker("streamplat_kafka_broker_\(series){\(rest)}") != nil, "\(series)")
                    }
                    for series in ["fetched_records", "fetched_bytes", "queued_records", "queued_bytes"] {
                        #expect(value("streamplat_kafka_\(series){client=\"reader\"}", registry) != nil, "\(series)")
                    }
                }
            }
            #expect(!registry.exposition().contains("producer 2"))
        }
    }
}
