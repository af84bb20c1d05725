import Foundation
import Testing

extension EndToEnd {
    /// What happens to windows when events come late, out of order, in two runs or long after they happened. What an idle
    /// partition, a step back in time and a clock that runs ahead do is among the tests of emission.
    @Suite("Event time")
    struct EventTimeTests {
        static func domain(_ aggregation: String, partitions: Int = 1) -> String {
            """
            domain: meters
            entity: { primary_key: meter }
            event_types:
              - name: reading
                topic: { name: events.reading, partitions: \(partitions) }
                fields: [{ name: value, type: long }]
            aggregations:
              - name: sums
                from: [reading]
                watermark_delay: 10 seconds
                measures: [{ name: readings, type: count }, { name: total, type: sum, field: value }]
            \(aggregation.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))

            """
        }

        private func project(_ aggregation: String, partitions: Int = 1, settings: [String] = []) async throws
            -> TestProject
        {
            let project = try TestProject()
            try project.write(Self.domain(aggregation, partitions: partitions), to: "domains/meters.yaml")
            try await project.streamplat("apply", "meters", "--yes", settings: settings)
            return project
        }

        /// Ingests readings `meter time value` of 2024-05-06 in this order.
        private func ingest(_ readings: [String], into project: TestProject, settings: [String] = []) async throws {
            let lines = readings.map { reading in
                let parts = reading.split(separator: " ")
                return #"{"event_id":"\#(UUID().uuidString)","meter":"\#(parts[0])","#
                    + #""timestamp":"2024-05-06T\#(parts[1])Z","value":\#(parts[2])}"#
            }
            try project.write(lines.joined(separator: "\n") + "\n", to: "in.ndjson")
            try await project.streamplat("ingest", "reading", "in.ndjson", "--domain", "meters", settings: settings)
        }

        private func rows(_ project: TestProject, meters: Bool = false) async throws -> [String] {
            let sql =
                "select substr(window_start, 12, 8) || ' ' || substr(window_end, 12, 8) || \(meters ? "' ' || meter ||" : "") ' '"
                + " || readings || ' ' || total as row from sums order by 1"
            let output = try await project.streamplat("query", sql, "--domain", "meters", "--output", "csv").output
            return output.split(separator: "\n").dropFirst().map(String.init)
        }

        private func run(_ project: TestProject, _ more: String..., settings: [String] = []) async throws -> Outcome {
            let child = try project.start(
                ["run", "meters", "--until-idle"] + more + settings.flatMap { ["--set", $0] })
            let outcome = try await child.wait(limit: .seconds(120))
            try #require(outcome.code == 0, "\(outcome)")
            return outcome
        }

        // MARK: Reported failures of others.

        @Test("a backfill of events of long ago gives every window whole and once: the wall clock closes none")
        func backfill() async throws {
            let settings = ["sinks.primary.type=file", "sinks.primary.file.format=csv"]
            let project = try await project(
                "window: { type: tumbling, duration: 1 minute }", partitions: 3, settings: settings)
            // Meters are far apart in time, so partitions are read at different places of event time.
            let readings = (0..<600).flatMap { second in
                ["a", "b", "c", "d"].map {
                    "\($0) 10:" + String(format: "%02d:%02d", second / 60, second % 60) + " 1"
                }
            }
            try await ingest(readings, into: project, settings: settings)
            _ = try await run(
                project, "--close-windows", "--batch-rows", "1", "--workers", "3",
                settings: settings + ["runtime.flush_interval=1 ms", "runtime.idle_timeout=10 minutes"])
            let text = String(decoding: try project.read(".streamplat/results/sums.csv"), as: UTF8.self)
            let lines = text.split(whereSeparator: \.isNewline).dropFirst().map { $0.split(separator: ",") }
            #expect(lines.count == 10)
            #expect(Set(lines.map { $0[0] }).count == 10)
            #expect(lines.allSatisfy { $0[2] == "240" }, "\(text)")
        }

        @Test(
            "a stop and a start between two events of one window give one row, in every emit mode",
            arguments: [
                "emit: updates", "emit: final",
            ])
        func restartInWindow(_ emit: String) async throws {
            for window in [
                "window: { type: tumbling, duration: 1 minute }", "window: { type: session, gap: 1 minute }",
                "window: { type: cumulate, duration: 1 minute, step: 1 minute }",
            ] {
                let project = try await project("\(window)\n\(emit)")
                try await ingest(["m 10:00:00 1"], into: project)
                _ = try await run(project)
                try await ingest(["m 10:00:00 2", "m 10:03:00 4"], into: project)
                _ = try await run(project)
                let found = try await rows(project)
                #expect(found.first == "10:00:00 10:01:00 2 3", "\(window)")
                #expect(found.count == (emit == "emit: final" ? 1 : 2), "\(window): \(found)")
            }
        }

        // MARK: Late events.

        @Test(
            "inside the allowed lateness a closed window is corrected; after it the event is late",
            arguments: [
                "emit: updates", "emit: final",
            ])
        func allowedLateness(_ emit: String) async throws {
            let project = try await project(
                "window: { type: tumbling, duration: 1 minute }\nallowed_lateness: 1 minute\n\(emit)")
            try await ingest(["m 10:00:10 1", "m 10:01:30 2"], into: project)
            _ = try await run(project)
            #expect(try await rows(project).first == "10:00:00 10:01:00 1 1")
            // 10:01:20 has passed the end of 10:00, but not by a minute.
            try await ingest(["m 10:00:20 4", "m 10:02:30 8"], into: project)
            #expect(try await run(project).output.contains(" 0 late"))
            #expect(try await rows(project).first == "10:00:00 10:01:00 2 5")
            // Now it has.
            try await ingest(["m 10:00:30 16"], into: project)
            #expect(try await run(project).output.contains(" 1 late"))
            #expect(try await rows(project).first == "10:00:00 10:01:00 2 5")
        }

        @Test("on an append sink emit: final writes a row once, when the allowed lateness is over")
        func allowedLatenessAppended() async throws {
            let settings = ["sinks.primary.type=file", "sinks.primary.file.format=csv"]
            let project = try await project(
                "window: { type: tumbling, duration: 1 minute }\nallowed_lateness: 1 minute", settings: settings)
            try await ingest(["m 10:00:10 1", "m 10:01:30 2", "m 10:00:20 4"], into: project, settings: settings)
            _ = try await run(project, settings: settings)
            func lines() throws -> [String] {
                guard let data = try? project.read(".streamplat/results/sums.csv") else { return [] }
                return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).dropFirst().map(
                    String.init)
            }
            #expect(try lines() == [])
            try await ingest(["m 10:02:30 8"], into: project, settings: settings)
            _ = try await run(project, settings: settings)
            #expect(try lines() == ["2024-05-06T10:00:00.000Z,2024-05-06T10:01:00.000Z,2,5"])
        }

        @Test(
            "late: side_output keeps late records with their reason, and counts them",
            arguments: [
                "window: { type: tumbling, duration: 1 minute }", "window: { type: session, gap: 1 minute }",
            ])
        func sideOutput(_ window: String) async throws {
            let project = try await project("\(window)\nlate: side_output")
            // A session's record is late for good when the watermark has moved on from where it came.
            try await ingest(
                ["m 10:00:10 1", "m 10:05:00 2", "late 10:00:20 4711", "m 10:05:30 4"], into: project)
            let live = try project.start(["run", "meters", "--set", "monitoring.port=0"])
            let address = try await live.monitoringAddress()
            let counted = "streamplat_late_events_total{aggregation=\"sums\",policy=\"side_output\"} 1\n"
            let deadline = ContinuousClock.now + .seconds(60)
            while live.isRunning, try await HTTP.get("http://\(address)/metrics")?.body.contains(counted) != true {
                try #require(ContinuousClock.now < deadline, "\(counted)")
                try await Task.sleep(for: .milliseconds(20))
            }
            live.send(SIGTERM)
            let outcome = try await live.wait(limit: .seconds(60))
            #expect(outcome.code == 0 && outcome.output.contains("1 late"), "\(outcome)")
            #expect(outcome.output.contains("1 late record kept"), "\(outcome)")
            let segment = try #require(project.files(".streamplat/log/topics/events.late", suffix: ".log").first)
            let bytes = try project.read(".streamplat/log/topics/events.late/\(segment)")
            for text in ["late.aggregation", "sums", "late.reason", "late.offset", "events.reading", "late"] {
                #expect(bytes.range(of: Data(text.utf8)) != nil, "\(text)")
            }
            // Once: the next run goes on behind it.
            #expect(try await run(project).output.contains(" 0 late"))
            #expect(try project.read(".streamplat/log/topics/events.late/\(segment)") == bytes)
        }

        // MARK: Sessions.

        @Test("a late event joins two sessions to one, whose row replaces theirs", arguments: [1, 3])
        func bridge(_ workers: Int) async throws {
            let project = try await project(
                "window: { type: session, gap: 1 minute }\ngroup_by: [meter]\nallowed_lateness: 5 minutes",
                partitions: 3)
            func go() async throws { _ = try await run(project, "--workers", "\(workers)") }
            try await ingest(["m 10:00:00 1", "n 10:00:30 1", "m 10:01:30 2", "n 10:01:30 8"], into: project)
            try await go()
            #expect(
                try await rows(project, meters: true) == [
                    "10:00:00 10:01:00 m 1 1", "10:00:30 10:01:30 n 1 1", "10:01:30 10:02:30 m 1 2",
                    "10:01:30 10:02:30 n 1 8",
                ])
            // Less than a minute from both of m's; exactly a minute is too far for n's.
            try await ingest(["m 10:00:45 4"], into: project)
            try await go()
            #expect(
                try await rows(project, meters: true) == [
                    "10:00:00 10:02:30 m 3 7", "10:00:30 10:01:30 n 1 1", "10:01:30 10:02:30 n 1 8",
                ])
        }

        @Test("an event that is older than a gap counts in a session that goes on, and is late without one")
        func joinsOpenSession() async throws {
            let project = try await project("window: { type: session, gap: 1 minute }\ngroup_by: [meter]")
            try await ingest(
                [
                    "m 10:00:00 1", "m 10:00:50 2", "m 10:01:40 4", "m 10:02:30 8", "m 10:00:10 16", "n 10:00:10 32",
                    "m 10:02:40 64",
                ], into: project)
            let outcome = try await run(project)
            #expect(outcome.output.contains("1 late"), "\(outcome)")
            #expect(try await rows(project, meters: true) == ["10:00:00 10:03:40 m 6 95"])
        }

        @Test("sessions are written once with emit: final, when they are closed")
        func finalSessions() async throws {
            let project = try await project("window: { type: session, gap: 1 minute }\nemit: final")
            try await ingest(["m 10:00:00 1", "m 10:00:59 2", "m 10:03:00 4"], into: project)
            _ = try await run(project)
            #expect(try await rows(project) == ["10:00:00 10:01:59 2 3"])
            _ = try await run(project, "--close-windows")
            #expect(try await rows(project) == ["10:00:00 10:01:59 2 3", "10:03:00 10:04:00 1 4"])
        }

        @Test("a sink that only adds takes sessions as final rows, and updates of sessions are refused")
        func appendSink() async throws {
            let console = ["sinks.primary.type=console"]
            let project = try await project("window: { type: session, gap: 1 minute }", settings: console)
            try await ingest(["m 10:00:00 1", "m 10:00:59 2", "m 10:03:00 4"], into: project, settings: console)
            let outcome = try await run(project, "--quiet", settings: console)
            #expect(
                outcome.output
                    == #"{"table":"sums","window_start":"2024-05-06T10:00:00.000Z","window_end":"2024-05-06T10:01:59.000Z","readings":2,"total":3}"#
                    + "\n")
            try project.write(
                Self.domain("window: { type: session, gap: 1 minute }\nemit: updates"), to: "domains/meters.yaml")
            let refused = try await project.streamplat("validate", "meters", exit: 2, settings: console)
            #expect(refused.errors.contains("SP2180"), "\(refused)")
            try await project.streamplat("validate", "meters")
        }
    }
}
