import Diagnostics
import InMemoryLogging
import Logging
import Metrics
import PluginAPI
import Testing

@testable import StreamRuntime
@testable import Telemetry

@Suite("What a run tells about itself")
struct MonitoringTests {
    @Test("a process is ready when nothing holds it back; the newest reason of a part counts")
    func readiness() {
        let readiness = Readiness()
        #expect(readiness.reasons == ["process: starting"])
        readiness.hold("sink primary", "no connection")
        readiness.hold("sink primary", "connection refused")
        readiness.release(Readiness.process)
        #expect(readiness.reasons == ["sink primary: connection refused"])
        readiness.release("sink primary")
        readiness.release("never held")
        #expect(readiness.reasons.isEmpty)
    }

    @Test("the first dead letter of a code has a line of its own, the others are one line each ten seconds")
    func deadLetters() throws {
        let log = InMemoryLogHandler()
        let registry = PrometheusRegistry()
        withMetricsFactory(registry) {
            let tally = DeadLetterTally(topic: "events.dlq", logger: Logger(label: "runtime") { _ in log })
            func add(_ code: String, _ count: Int) {
                for _ in 0..<count { tally.count(stage: .decode, code: code, place: "here", reason: "bad") }
            }
            add("SP6105", 1)
            tally.tell(at: 0)
            #expect(log.entries.count == 1, "one is told already")
            add("SP6105", 499)
            add("SP6107", 3)
            tally.tell(at: 5)
            add("SP6105", 7)
            tally.tell(at: 9_000)
            #expect(log.entries.count == 3, "the second line has to wait")
            tally.tell(at: 10_005)
            add("SP6107", 1)
            tally.tell(at: 10_006, isLast: true)
            tally.tell(at: 10_007, isLast: true)
        }
        let lines = log.entries.map { "\($0.message) \($0.metadata["codes"].map { "\($0)" } ?? "")" }
        #expect(
            lines == [
                "dead letter [SP6105] here: bad (further ones are counted) ",
                "dead letter [SP6107] here: bad (further ones are counted) ",
                "more dead letters SP6105=499 SP6107=2", "more dead letters SP6105=7", "more dead letters SP6107=1",
            ])
        let text = registry.exposition()
        #expect(text.contains("streamplat_dead_letters_total{code=\"SP6105\",stage=\"decode\"} 507\n"))
        #expect(text.contains("streamplat_dead_letters_total{code=\"SP6107\",stage=\"decode\"} 4\n"))
    }

    @Test("a sink that is tried again holds readiness back until it works, and every attempt is counted")
    func sinkRetries() throws {
        let registry = PrometheusRegistry()
        let readiness = Readiness()
        readiness.release(Readiness.process)
        withMetricsFactory(registry) {
            let monitor = SinkMonitor(sink: "primary", readiness: readiness)
            let error = PipelineError(.sinkFailed, "no connection", retry: .backoff)
            for _ in 0..<2 {
                #expect(throws: (any Error).self) { try monitor.measuring(.write) { throw error } }
                monitor.willRetry(.write, error, pauseMilliseconds: 100)
            }
            #expect(readiness.reasons == ["sink primary: trying again: no connection"])
            monitor.measuring(.write) {}
            monitor.recovered()
            monitor.wrote(rows: 3, table: "t")
            #expect(readiness.reasons.isEmpty)
        }
        let text = registry.exposition()
        for line in [
            "streamplat_sink_writes_total{sink=\"primary\",status=\"retried\"} 2",
            "streamplat_sink_writes_total{sink=\"primary\",status=\"ok\"} 1",
            "streamplat_sink_writes_total{sink=\"primary\",status=\"failed\"} 0",
            "streamplat_retries_total{component=\"sink primary\"} 2",
            "streamplat_sink_latency_seconds_count{operation=\"write\",sink=\"primary\"} 3",
        ] { #expect(text.contains(line + "\n"), "\(text)") }
    }
}
