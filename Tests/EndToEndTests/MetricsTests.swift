import Foundation
import Testing

extension EndToEnd {
    /// The monitoring endpoint, as a real Prometheus and promtool see it.
    @Suite("Metrics")
    struct MetricsTests {
        private static let events = 20_000

        /// Asks again until the answer is the wanted one, or time is over.
        private func wait(
            _ what: String, seconds: Int = 60, until isRight: () async throws -> Bool,
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let deadline = ContinuousClock.now + .seconds(seconds)
            while try await !isRight() {
                try #require(ContinuousClock.now < deadline, "\(what)", sourceLocation: sourceLocation)
                try await Task.sleep(for: .milliseconds(200))
            }
        }

        @Test(
            "what Prometheus scraped of a run equals the run's summary",
            .enabled(if: Prometheus.isThere || Requirements.isCI, Prometheus.reason))
        func run() async throws {
            let project = try TestProject()
            try await project.streamplat("apply", "ecommerce", "--yes")
            try await project.streamplat(
                "generate", "ecommerce", "--events", "\(Self.events)", "--seed", "7", "--start", "2024-05-06T08:00:00Z",
                "--span", "2h", "--out", "events.ndjson", exit: 0)
            try await project.streamplat(
                "generate", "ecommerce", "--events", "\(Self.events)", "--seed", "7", "--start", "2024-05-06T08:00:00Z",
                "--span", "2h")
            // One dead letter, and one event that is late for every aggregation that reads purchases.
            let year = Calendar(identifier: .gregorian).component(.year, from: Date()) + 1
            let purchases = try firstPurchases(project)
            let odd = try purchases.enumerated().map { index, event in
                var event = event
                event["event_id"] = "odd-\(index)"
                event["timestamp"] = index == 0 ? "\(year)-12-31T00:00:00Z" : "2020-01-01T00:00:00Z"
                return String(decoding: try JSONSerialization.data(withJSONObject: event), as: UTF8.self)
            }
            try project.write(odd.joined(separator: "\n") + "\n", to: "odd.ndjson")

            let settings = ["monitoring.port=0", "runtime.flush_interval=200ms", "runtime.idle_timeout=1s"]
            let child = try project.start(
                ["run", "ecommerce", "--output", "json"] + settings.flatMap { ["--set", $0] })
            let address = try await child.monitoringAddress()
            let prometheus = try await Prometheus(
                scraping: address, folder: project.folder.appendingPathComponent("prometheus"))
            try await wait("the run is ready") { try await HTTP.get("http://\(address)/readyz")?.status == 200 }
            #expect(try await HTTP.get("http://\(address)/healthz")?.status == 200)
            try await wait("all events are scraped") {
                try await prometheus.value("sum(streamplat_events_read_total)") == Double(Self.events)
            }
            // Only now, so that the partitions' clocks stand behind the late one.
            try await project.streamplat("ingest", "purchase", "odd.ndjson", "--domain", "ecommerce")
            try await wait("the odd ones and the last rows are scraped") {
                let read = try await prometheus.value("sum(streamplat_events_read_total)")
                let changes = try await prometheus.value("changes(sum(streamplat_sink_rows_total)[4s:1s])")
                let lag = try await prometheus.value("sum(streamplat_consumer_lag)")
                return read == Double(Self.events + 2) && changes == 0 && lag == 0
            }
            try await checkExposition(address, project)

            let questions = [
                "events_read": "sum(streamplat_events_read_total)", "rows_written": "sum(streamplat_sink_rows_total)",
                "dead_letters": "sum(streamplat_dead_letters_total)",
                "late_events": "sum(streamplat_late_events_total)",
            ]
            var scraped: [String: Double] = [:]
            for (name, question) in questions { scraped[name] = try await prometheus.value(question) }
            #expect(
                try await prometheus.value(
                    "sum(streamplat_batch_rows_sum) == sum(streamplat_events_read_total)") != nil)
            #expect(try await prometheus.value("sum(rate(streamplat_events_read_total[1m])) > 0") != nil)
            #expect(
                try await prometheus.value("streamplat_dead_letters_total{stage=\"decode\",code=\"SP6107\"}") == 1)
            #expect(
                try await prometheus.value("sum(streamplat_late_events_total{policy=\"drop\"})")
                    == scraped["late_events"])
            // The generated span ends at 10:00; the watermark stands the delay of ten seconds before the last event.
            let watermark = try #require(
                try await prometheus.value("min(streamplat_watermark_seconds{aggregation=\"events_per_minute\"})"))
            #expect((1_714_989_600 - 600...1_714_989_600).contains(watermark))
            #expect(try await prometheus.value("max(streamplat_watermark_lag_seconds)") ?? 0 > 60_000_000)
            #expect(try await prometheus.value("time() - process_start_time_seconds") ?? 0 > 1)
            #expect(try await prometheus.value("process_resident_memory_bytes") ?? 0 > 5_000_000)

            child.send(SIGTERM)
            let outcome = try await child.wait(limit: .seconds(60))
            #expect(outcome.code == 0, "\(outcome)")
            let summary = try #require(
                try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any], "\(outcome)")
            for name in questions.keys.sorted() {
                #expect(scraped[name] == (summary[name] as? NSNumber)?.doubleValue, "\(name): \(outcome)")
            }
            #expect(scraped["late_events"] ?? 0 > 0 && scraped["dead_letters"] == 1)
        }

        /// Two purchases of the generated file.
        private func firstPurchases(_ project: TestProject) throws -> [[String: Any]] {
            let lines = String(decoding: try project.read("events.ndjson"), as: UTF8.self).split(separator: "\n")
            var found: [[String: Any]] = []
            for line in lines where found.count < 2 {
                guard let event = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                    event["event_type"] as? String == "purchase"
                else { continue }
                found.append(event)
            }
            return try #require(found.count == 2 ? found : nil)
        }

        /// promtool accepts the text without a remark, and docs/metrics.md knows every metric and label in it.
        private func checkExposition(_ address: String, _ project: TestProject) async throws {
            let answer = try #require(try await HTTP.get("http://\(address)/metrics"))
            try project.write(answer.body, to: "metrics.txt")
            let promtool = try #require(Prometheus.program("promtool"))
            let verdict = try await ChildProcess(
                "/bin/sh", ["-c", "\(promtool) check metrics <metrics.txt"], folder: project.folder
            ).wait(limit: .seconds(30))
            #expect(verdict.code == 0 && verdict.output + verdict.errors == "", "\(verdict)")

            let page = try String(
                contentsOf: Requirements.packageRoot.appendingPathComponent("docs/metrics.md"), encoding: .utf8)
            var documented: [String: Set<String>] = [:]
            for row in page.split(separator: "\n").map({ $0.split(separator: "|") }) where row.count == 4 {
                let names = row[2].matches(of: /`(\w+)`/).map { String($0.1) }
                if let name = row[0].firstMatch(of: /^ `(\w+)` $/) { documented[String(name.1)] = Set(names) }
            }
            for line in answer.body.split(separator: "\n") where !line.hasPrefix("#") {
                let sample = try #require(line.wholeMatch(of: /(\w+)(?:\{(.*)\})? \S+/), "\(line)")
                let labels = (sample.2 ?? "").matches(of: /(\w+)="/).map { String($0.1) }.filter { $0 != "le" }
                let name = String(sample.1).replacing(/_(bucket|sum|count)$/, with: "")
                #expect(documented[name] == Set(labels), "\(line)")
            }
        }

        @Test("while a sink is tried again, the run is not ready and says why; then it is, and lost nothing")
        func sinkAway() async throws {
            let project = try TestProject()
            try project.write(EmissionTests.domain(emit: "updates"), to: "domains/meters.yaml")
            try await project.streamplat("apply", "meters", "--yes")
            let child = try project.start([
                "run", "meters", "--output", "json", "--set", "monitoring.port=0", "--set",
                "runtime.flush_interval=100ms",
                "--set", "sinks.primary.sqlite.busy_timeout=100ms",
            ])
            let address = try await child.monitoringAddress()
            func readiness() async throws -> (status: Int, body: String)? {
                try await HTTP.get("http://\(address)/readyz")
            }
            try await wait("ready") { try await readiness()?.status == 200 }
            // Another program locks the database until it is told to end.
            let python = try #require(Requirements.python)
            let locker = try ChildProcess(
                python,
                [
                    "-c",
                    """
                    import sqlite3, time
                    connection = sqlite3.connect(".streamplat/results.db", isolation_level=None, timeout=30)
                    connection.execute("BEGIN EXCLUSIVE")
                    open("locked", "w").close()
                    time.sleep(600)
                    """,
                ], folder: project.folder)
            try await wait("locked") { FileManager.default.fileExists(atPath: project.path("locked")) }
            try project.write(
                #"{"event_id":"1","meter":"m1","timestamp":"2024-05-06T10:00:10Z","value":7}"# + "\n", to: "a.ndjson")
            try await project.streamplat("ingest", "reading", "a.ndjson", "--domain", "meters")
            try await wait("not ready") { try await readiness()?.status == 503 }
            #expect(try await readiness()?.body.contains("sink primary: trying again") == true)
            #expect(try await HTTP.get("http://\(address)/healthz")?.status == 200)
            locker.send(SIGKILL)
            try await wait("ready again") { try await readiness()?.status == 200 }
            let metrics = try await HTTP.get("http://\(address)/metrics")?.body ?? ""
            #expect(metrics.contains(/streamplat_retries_total\{component="sink primary"\} [1-9]/), "\(metrics)")
            child.send(SIGTERM)
            let outcome = try await child.wait(limit: .seconds(60))
            #expect(outcome.code == 0 && outcome.errors.contains("trying again"), "\(outcome)")
            let query = "select readings, total from per_minute"
            let rows = try await project.streamplat("query", query, "--domain", "meters", "--output", "csv").output
            #expect(rows == "readings,total\n1,7\n")
        }

        @Test("generate serves its counters while it sends")
        func generate() async throws {
            let project = try TestProject()
            try await project.streamplat("apply", "ecommerce", "--yes")
            let child = try project.start([
                "generate", "ecommerce", "--events", "2000", "--rate", "400", "--set", "monitoring.port=0",
            ])
            let address = try await child.monitoringAddress()
            try await wait("events are counted") {
                let text = try await HTTP.get("http://\(address)/metrics")?.body ?? ""
                return text.contains(
                    /streamplat_events_produced_total\{event_type="page_view",status="ok"\} [1-9]/)
            }
            #expect(try await HTTP.get("http://\(address)/readyz")?.status == 200)
            child.send(SIGINT)
            let outcome = try await child.wait(limit: .seconds(30))
            #expect(outcome.code == 0, "\(outcome)")
        }

        @Test("a port that is taken ends the command with 3 and says which key to change")
        func portInUse() async throws {
            let project = try TestProject()
            try await project.streamplat("apply", "ecommerce", "--yes")
            let taken = try Prometheus.occupiedPort()
            let outcome = try await project.streamplat(
                "run", "ecommerce", "--until-idle", exit: 3, settings: ["monitoring.port=\(taken.port)"])
            #expect(outcome.errors.contains("SP6130") && outcome.errors.contains("monitoring.port"), "\(outcome)")
            try taken.socket.close()
        }

        @Test("every line of the log is one JSON object, also at debug level, and none holds a secret")
        func jsonLog() async throws {
            let project = try TestProject()
            let canary = "canary-5f1d7a"
            let outcomes = [
                try await project.streamplat("apply", "ecommerce", "--yes", "--log-level", "debug"),
                try await project.streamplat(
                    "run", "ecommerce", "--until-idle", "--log-level", "debug",
                    settings: ["monitoring.log.format=json", "description=$<secret:CANARY>"],
                    environment: ["CANARY": canary]),
            ]
            #expect(outcomes.allSatisfy { !($0.output + $0.errors).contains(canary) })
            let lines = outcomes[1].errors.split(separator: "\n")
            let objects = lines.compactMap {
                try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }
            #expect(objects.count == lines.count && !lines.isEmpty, "\(outcomes[1])")
            #expect(
                objects.contains { $0["module"] as? String == "runtime" && $0["message"] as? String == "run started" })
            #expect(objects.contains { $0["module"] as? String == "config" && $0["level"] as? String == "debug" })
            #expect(
                objects.allSatisfy { Set($0.keys) == ["time", "level", "module", "message", "metadata"] },
                "\(outcomes[1])")
        }
    }
}
