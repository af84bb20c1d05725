import Foundation
import Testing

extension EndToEnd {
    /// Several processes on one log and one database at the same time.
    @Suite("Several processes at once")
    struct ConcurrencyTests {
        private static let generators = 3
        private static let events = Requirements.events / 10

        @Test("three generate, one runs, one queries: nothing is lost, doubled or refused")
        func together() async throws {
            let project = try TestProject()
            try project.write(
                """
                domain: meters
                entity: { primary_key: meter }
                event_types:
                  - name: reading
                    topic: { name: events.reading, partitions: 4 }
                    dimensions: [site]
                    fields: [{ name: value, type: long }]
                aggregations:
                  - name: per_minute
                    from: [reading]
                    window: { type: tumbling, duration: 1 minute }
                    watermark_delay: 1 day        # the generators are not in step with each other
                    group_by: [site]
                    measures:
                      - { name: readings, type: count }
                      - { name: ids, type: count_distinct, field: event_id }
                sample_data: { site: [north, south] }

                """, to: "domains/meters.yaml")
            try await project.streamplat("apply", "meters", "--yes")
            let busy = ["--set", "runtime.flush_interval=50 ms", "--set", "runtime.checkpoint.interval=100 ms"]
            let run = try project.start(["run", "meters"] + busy)
            let generators = try (1...Self.generators).map { seed in
                try project.start([
                    "generate", "meters", "--events", "\(Self.events)", "--seed", "\(seed)", "--span", "1h", "--start",
                    "2024-05-06T10:00:00Z", "--rate", "\(Self.events)",
                ])
            }
            let total = "select coalesce(sum(readings), 0) as n, coalesce(sum(ids), 0) as ids from per_minute"
            var last = 0
            var queries = 0
            while generators.contains(where: \.isRunning) {
                let seen = try await project.streamplat("query", total, "--domain", "meters", "--output", "csv")
                let cells = seen.output.split(separator: "\n").last?.split(separator: ",").compactMap { Int($0) } ?? []
                try #require(cells.count == 2 && cells[0] == cells[1], "one moment of the table: \(seen)")
                #expect(cells[0] >= last && cells[0] <= Self.generators * Self.events, "\(seen)")
                last = cells[0]
                queries += 1
                try await project.streamplat("query", "--domain", "meters")
            }
            #expect(queries > 2)
            for generator in generators {
                let outcome = try await generator.wait(limit: .seconds(60))
                #expect(outcome.code == 0, "\(outcome)")
            }
            #expect(run.isRunning)
            run.send(SIGTERM)
            let stopped = try await run.wait(limit: .seconds(30))
            #expect(stopped.code == 0 && stopped.output.contains(" 0 late, 0 dead letters"), "\(stopped)")
            let rest = try await project.streamplat("run", "meters", "--until-idle", "--close-windows")
            #expect(rest.output.contains(" 0 late, 0 dead letters"), "\(rest)")
            let all = Self.generators * Self.events
            let seen = try await project.streamplat("query", total, "--domain", "meters", "--output", "csv")
            #expect(seen.output == "n,ids\n\(all),\(all)\n", "\(stopped)\n\(rest)")
        }
    }
}
