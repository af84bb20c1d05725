import Foundation
import Metrics
import Synchronization
import Testing

@testable import Telemetry

@Suite("Prometheus registry")
struct ExpositionTests {
    private let registry = PrometheusRegistry()

    @Test("counters, gauges and labels print as the text format wants them, sorted")
    func counters() {
        Counter(
            label: "streamplat_events_read_total", dimensions: [("event_type", "purchase")], factory: registry
        ).increment(by: 41)
        // The same name and labels are the same series.
        Counter(
            label: "streamplat_events_read_total", dimensions: [("event_type", "purchase")], factory: registry
        ).increment()
        Counter(label: "streamplat_events_read_total", dimensions: [("event_type", "click")], factory: registry)
            .increment(by: 0)
        Gauge(
            label: "streamplat_consumer_lag", dimensions: [("topic", "events.a\"b\\c\nd"), ("partition", "0")],
            factory: registry
        ).record(7)
        #expect(
            registry.exposition() == """
                # HELP streamplat_consumer_lag Records of a partition that are still to be read.
                # TYPE streamplat_consumer_lag gauge
                streamplat_consumer_lag{partition="0",topic="events.a\\"b\\\\c\\nd"} 7
                # HELP streamplat_events_read_total Events read from topics, bad and late ones too.
                # TYPE streamplat_events_read_total counter
                streamplat_events_read_total{event_type="click"} 0
                streamplat_events_read_total{event_type="purchase"} 42

                """)
    }

    @Test("a histogram's buckets are cumulative, bounds belong to their bucket, the rest goes to +Inf")
    func histogram() {
        let rows = Recorder(label: "streamplat_batch_rows", factory: registry)
        for value in [1, 2, 16, 4096, 100_000] { rows.record(value) }
        let lines = registry.exposition().split(separator: "\n").dropFirst(2)
        #expect(
            lines.map { String($0.dropFirst("streamplat_batch_rows_".count)) } == [
                "bucket{le=\"1\"} 1", "bucket{le=\"16\"} 3", "bucket{le=\"64\"} 3", "bucket{le=\"256\"} 3",
                "bucket{le=\"1024\"} 3", "bucket{le=\"4096\"} 4", "bucket{le=\"16384\"} 4", "bucket{le=\"65536\"} 4",
                "bucket{le=\"+Inf\"} 5", "sum 104115", "count 5",
            ])
    }

    @Test("a timer counts seconds")
    func timer() {
        let timer = Metrics.Timer(
            label: "streamplat_sink_latency_seconds", dimensions: [("sink", "primary"), ("operation", "write")],
            factory: registry)
        timer.recordNanoseconds(2_000_000)
        timer.recordNanoseconds(3_500_000_000)
        let text = registry.exposition()
        #expect(text.contains("_bucket{operation=\"write\",sink=\"primary\",le=\"0.0025\"} 1\n"))
        #expect(text.contains("_bucket{operation=\"write\",sink=\"primary\",le=\"2.5\"} 1\n"))
        #expect(text.contains("_bucket{operation=\"write\",sink=\"primary\",le=\"5\"} 2\n"))
        #expect(text.contains("_sum{operation=\"write\",sink=\"primary\"} 3.502\n"))
    }

    @Test("a gauge that was never set is not shown; special numbers are")
    func gauges() {
        let gauge = Gauge(label: "streamplat_checkpoint_bytes", factory: registry)
        #expect(registry.exposition() == "")
        for (value, text) in [
            (Double.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (1.5, "1.5"), (-0.25, "-0.25"),
            (1e15, "1000000000000000"), (1e300, "1e+300"),
        ] {
            gauge.record(value)
            #expect(registry.exposition().hasSuffix("\nstreamplat_checkpoint_bytes \(text)\n"))
        }
    }

    @Test("names of others' metrics are made valid")
    func foreignNames() {
        Counter(label: "kafka.messages-sent", dimensions: [("le", "x"), ("2nd", "y")], factory: registry).increment()
        Metrics.Timer(label: "9 lives", factory: registry).recordNanoseconds(1)
        FloatingPointCounter(label: "joules.total", factory: registry).increment(by: 0.5)
        let meter = Meter(label: "depth", factory: registry)
        meter.increment(by: 3)
        meter.decrement()
        let text = registry.exposition()
        #expect(text.contains("kafka_messages_sent_total{_2nd=\"y\",label_le=\"x\"} 1\n"))
        #expect(text.contains("# TYPE _9_lives_seconds histogram\n"))
        #expect(text.contains("joules_total 0.5\n"))
        #expect(text.contains("# HELP depth Recorded by a plugin.\n# TYPE depth gauge\ndepth 2\n"))
    }

    @Test("one name of two kinds is told, and the first stays")
    func conflict() {
        let told = Mutex<[String]>([])
        let registry = PrometheusRegistry { text in told.withLock { $0.append(text) } }
        Gauge(label: "depth", factory: registry).record(1)
        Recorder(label: "depth", factory: registry).record(5)
        #expect(registry.exposition().hasSuffix("depth 1\n"))
        #expect(told.withLock { $0 } == ["the metric 'depth' is recorded as a histogram and as something else"])
    }

    @Test("a destroyed series is not shown any more")
    func destroyed() {
        let gauge = Gauge(label: "depth", factory: registry)
        gauge.record(1)
        gauge.destroy()
        #expect(registry.exposition() == "")
    }

    @Test("counts of many threads are all there")
    func concurrency() async {
        await withTaskGroup { [registry] group in
            for _ in 0..<4 {
                group.addTask {
                    let counter = Counter(label: "streamplat_batches_total", factory: registry)
                    let rows = Recorder(label: "streamplat_batch_rows", factory: registry)
                    for _ in 0..<1000 {
                        counter.increment()
                        rows.record(1)
                    }
                }
            }
        }
        let text = registry.exposition()
        #expect(text.contains("streamplat_batches_total 4000\n") && text.contains("streamplat_batch_rows_count 4000\n"))
    }

    @Test("the process's own numbers are plausible")
    func process() throws {
        ProcessMetrics.register(in: registry)
        func value(_ name: String) throws -> Double {
            let line = try #require(registry.exposition().split(separator: "\n").first { $0.hasPrefix("\(name) ") })
            return try #require(Double(line.dropFirst(name.count + 1)))
        }
        #expect(try value("process_resident_memory_bytes") > 1_000_000)
        #expect(try value("process_cpu_seconds_total") > 0)
        let age = Date().timeIntervalSince1970 - (try value("process_start_time_seconds"))
        #expect(age > -2 && age < 3600)
    }
}

@Suite("Monitoring routes")
struct MonitoringRoutesTests {
    private let registry = PrometheusRegistry()

    @Test("ready and not ready are 200 and 503 with the reasons; alive is always 200")
    func readiness() {
        let waiting = MonitoringRoutes(registry: registry) { ["sink primary: no connection"] }
        let ready = MonitoringRoutes(registry: registry) { [] }
        #expect(waiting.answer(method: "GET", path: "/readyz").status == 503)
        #expect(waiting.answer(method: "GET", path: "/readyz").body == "sink primary: no connection\n")
        #expect(waiting.answer(method: "GET", path: "/healthz").status == 200)
        #expect(ready.answer(method: "HEAD", path: "/readyz").status == 200)
    }

    @Test("metrics have the text format's media type; others are refused")
    func others() {
        let routes = MonitoringRoutes(registry: registry) { [] }
        #expect(
            routes.answer(method: "GET", path: "/metrics").contentType == "text/plain; version=0.0.4; charset=utf-8")
        #expect(routes.answer(method: "POST", path: "/metrics").status == 405)
        #expect(routes.answer(method: "GET", path: "/").status == 404)
    }
}
