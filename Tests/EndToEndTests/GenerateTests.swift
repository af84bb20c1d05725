import Foundation
import Testing

extension EndToEnd {
    /// `generate` as people use it: again and again, cut short, with times that make no sense.
    @Suite("Generate")
    struct GenerateTests {
        private func project() throws -> TestProject {
            let project = try TestProject()
            try project.write(
                """
                domain: meters
                entity: { primary_key: meter }
                event_types:
                  - name: reading
                    topic: { name: events.reading, partitions: 3 }
                    fields: [{ name: value, type: long }]
                aggregations:
                  - { name: per_minute, type: count, window: { type: tumbling, duration: 1 minute } }

                """, to: "domains/meters.yaml")
            return project
        }

        @Test("a second generation without --start goes on where the first ended: nothing of it is late")
        func again() async throws {
            let project = try project()
            try await project.streamplat("apply", "meters", "--yes")
            for _ in 0..<2 {
                try await project.streamplat("generate", "meters", "--events", "3000")
                let run = try await project.streamplat("run", "meters", "--until-idle")
                #expect(run.output.contains("3,000 events in") && run.output.contains(" 0 late"), "\(run)")
            }
            let early = try await project.streamplat("generate", "meters", "--events", "10", "--span", "2h")
            #expect(early.errors.contains("already held events up to"), "\(early)")
        }

        @Test("cut short, a file keeps the name of an unfinished one and the exit code says so")
        func interrupted() async throws {
            let project = try project()
            let child = try project.start([
                "generate", "meters", "--events", "100000", "--rate", "2000", "--out", "events.ndjson",
            ])
            while project.files(".", suffix: ".part").isEmpty, child.isRunning {
                try await Task.sleep(for: .milliseconds(20))
            }
            try await Task.sleep(for: .milliseconds(300))
            child.send(SIGINT)
            let outcome = try await child.wait(limit: .seconds(60))
            #expect(outcome.code == 1 && outcome.errors.contains("of 100,000 events"), "\(outcome)")
            #expect(outcome.errors.contains("events.ndjson.part"), "\(outcome)")
            #expect(project.files(".", suffix: ".ndjson").filter { !$0.contains("/") }.isEmpty)
            let lines = String(decoding: try project.read("events.ndjson.part"), as: UTF8.self)
            #expect(lines.hasSuffix("}\n"))
        }

        @Test("a duration keeps the domain's rate, and is refused beside a number of events")
        func duration() async throws {
            let project = try project()
            let begin = Date()
            let outcome = try await project.streamplat(
                "generate", "meters", "--duration", "2s", "--dry-run", "--output", "json")
            #expect(
                outcome.output.contains("\"events\": 200") || outcome.output.contains("\"events\":200"), "\(outcome)")
            #expect(Date().timeIntervalSince(begin) > 1.5)
            let refused = try await project.streamplat(
                "generate", "meters", "--duration", "2s", "--events", "5", "--rate", "1", exit: 2)
            #expect(refused.errors.contains("--events and --duration exclude each other"), "\(refused)")
        }

        @Test("event times that a run would refuse are said at once")
        func future() async throws {
            let project = try project()
            try await project.streamplat("apply", "meters", "--yes")
            let outcome = try await project.streamplat(
                "generate", "meters", "--events", "10", "--start", "2126-01-01", "--span", "1m")
            #expect(outcome.errors.contains("max_future_skew"), "\(outcome)")
            let run = try await project.streamplat("run", "meters", "--until-idle")
            #expect(run.output.contains("10 dead letters"), "\(run)")
        }

        @Test("an environment's block of domains cannot be set from elsewhere")
        func misplacedBlock() async throws {
            let outcome = try await project().streamplat(
                "validate", "meters", exit: 2, settings: ["domains.meters.description=x"])
            #expect(outcome.errors.contains("'domains' is for an environment's file"), "\(outcome)")
        }
    }
}
