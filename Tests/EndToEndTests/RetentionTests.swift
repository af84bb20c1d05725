import Foundation
import Testing

extension EndToEnd {
    /// Topics forget: old segments go, a run that comes too late says so and counts what is left.
    @Suite("Retention")
    struct RetentionTests {
        private static let segments = ".streamplat/log/topics/events.reading/0"
        private static let settings = ["broker.embedded.segment_bytes=8 KiB"]

        private func project(retention: String) async throws -> TestProject {
            let project = try TestProject()
            try project.write(
                """
                domain: meters
                entity: { primary_key: meter }
                event_types:
                  - name: reading
                    topic: { name: events.reading, partitions: 1, retention: \(retention) }
                    fields: [{ name: value, type: long }]
                aggregations:
                  - name: per_minute
                    from: [reading]
                    window: { type: tumbling, duration: 1 minute }
                    measures: [{ name: readings, type: count }]

                """, to: "domains/meters.yaml")
            try await project.streamplat("apply", "meters", "--yes", settings: Self.settings)
            return project
        }

        /// 200 readings of one minute, about 14 KiB: more than a segment.
        private func ingest(minute: Int, into project: TestProject) async throws {
            let lines = (0..<200).map { number in
                let second = String(format: "%02d:%02d.%03d", minute, number * 59 / 200, number)
                return
                    #"{"event_id":"event-\#(minute)-\#(number)","meter":"m","timestamp":"2024-05-06T10:\#(second)Z","value":1}"#
            }
            try project.write(lines.joined(separator: "\n") + "\n", to: "minute-\(minute).ndjson")
            try await project.streamplat(
                "ingest", "reading", "minute-\(minute).ndjson", "--domain", "meters", settings: Self.settings)
        }

        private func run(_ project: TestProject, _ more: String...) async throws -> Outcome {
            let child = try project.start(["run", "meters", "--until-idle", "--close-windows"] + more)
            let outcome = try await child.wait(limit: .seconds(60))
            try #require(outcome.code == 0, "\(outcome)")
            return outcome
        }

        private func counted(_ project: TestProject) async throws -> String {
            try await project.streamplat(
                "query", "select substr(window_start, 15, 2) as minute, readings from per_minute order by 1",
                "--domain",
                "meters", "--output", "csv"
            ).output
        }

        @Test("by size: old segments are deleted; a checkpoint that is behind is said, and the rest is counted")
        func size() async throws {
            let project = try await project(retention: "{ size: 32 KiB }")
            try await ingest(minute: 0, into: project)
            _ = try await run(project)
            #expect(try await counted(project) == "minute,readings\n00,200\n")
            for minute in 1...9 { try await ingest(minute: minute, into: project) }
            let files = project.files(Self.segments, suffix: ".log")
            let kept = try files.reduce(0) { $0 + (try project.read("\(Self.segments)/\($1)").count) }
            // Never below the bound, and at most one segment above it.
            #expect(kept >= 32 << 10 && kept < 64 << 10, "\(kept) bytes in \(files)")
            let earliest = try #require(files.first.flatMap { Int($0.dropLast(4)) })
            #expect(earliest > 400 && earliest % 200 == 0)

            let behind = try await run(project)
            #expect(behind.errors.contains("offsets 200 to \(earliest - 1) were deleted by retention"), "\(behind)")
            let minutes = [0] + Array(earliest / 200...9)
            let expected = "minute,readings\n" + minutes.map { "0\($0),200\n" }.joined()
            #expect(try await counted(project) == expected)
            #expect(try await !run(project).errors.contains("retention"), "it is said once")

            let anew = try await run(project, "--from-earliest")
            #expect(anew.errors.contains("retention has deleted offsets 0 to \(earliest - 1)"), "\(anew)")
            #expect(try await counted(project) == expected, "rows of what is gone stay")
        }

        @Test("by time: what is older than it is deleted by the next write")
        func time() async throws {
            let project = try await project(retention: "{ time: 1 second }")
            try await ingest(minute: 0, into: project)
            _ = try await run(project)
            try await ingest(minute: 1, into: project)
            // Segments go by the time of their last write and of their events; the events are of 2024.
            try await Task.sleep(for: .milliseconds(1300))
            try await ingest(minute: 2, into: project)
            #expect(project.files(Self.segments, suffix: ".log") == ["00000000000000000400.log"])
            let behind = try await run(project)
            #expect(behind.errors.contains("offsets 200 to 399 were deleted by retention"), "\(behind)")
            #expect(try await counted(project) == "minute,readings\n00,200\n02,200\n")
        }

        @Test("a changed aggregation is not counted anew when events that it needs are gone")
        func refusedRebuild() async throws {
            let project = try await project(retention: "{ size: 16 KiB }")
            for minute in 0...4 { try await ingest(minute: minute, into: project) }
            _ = try await run(project)
            let before = try await counted(project)
            try project.edit("domains/meters.yaml", "type: count }]", "type: count, filter: \"value > 0\" }]")
            let outcome = try await project.streamplat("apply", "meters", "--yes", exit: 1, settings: Self.settings)
            #expect(outcome.errors.contains("SP5003") && outcome.errors.contains("events.reading"), "\(outcome)")
            #expect(try await counted(project) == before)
        }
    }
}
