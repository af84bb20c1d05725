import Foundation
import Testing

extension EndToEnd {
    /// Stops of every kind, at any moment, must not show in the final tables.
    @Suite("Stop, kill and restart")
    struct RestartTests {
        static let database = ".streamplat/results.db"
        static let final = ["run", "ecommerce", "--until-idle", "--close-windows"]
        /// Frequent checkpoints and writes, so that a kill falls between any two of them.
        static let busy = ["runtime.checkpoint.interval=100 ms", "runtime.flush_interval=50 ms"]
        static let half = Requirements.events / 4

        /// Two hours of events as two halves of one hour; also as files for the judge.
        private func generate(_ project: TestProject, hour: Int, toLog: Bool = true) async throws {
            let stream = [
                "generate", "ecommerce", "--events", "\(Self.half)", "--seed", "\(hour)", "--span", "1h",
                "--start", "2024-05-06T0\(hour):00:00Z",
            ]
            for arguments in (toLog ? [stream] : []) + [stream + ["--out", "hour-\(hour).ndjson"]] {
                let outcome = try await project.start(arguments).wait(limit: .seconds(300))
                try #require(outcome.code == 0, "\(outcome)")
            }
        }

        private func finish(_ project: TestProject) async throws {
            try await project.streamplat("run", "ecommerce", "--until-idle", "--close-windows")
        }

        private func judgeBothHours(_ project: TestProject) async throws {
            try await project.judge(
                "generated", "--domain", "domains/ecommerce.yaml", "--events", "hour-1.ndjson", "--events",
                "hour-2.ndjson",
                "--db", Self.database)
        }

        @Test("Two halves with a stop between them are one run")
        func halves() async throws {
            let project = try TestProject()
            try await project.streamplat("apply", "ecommerce", "--yes")
            try await generate(project, hour: 1)
            try await finish(project)
            try await generate(project, hour: 2)
            try await finish(project)
            try await judgeBothHours(project)
            let stepwise = try await project.dump()
            try await project.streamplat("run", "ecommerce", "--until-idle", "--close-windows", "--from-earliest")
            #expect(try await project.dump() == stepwise, "a run from the beginning")
        }

        @Test("Results that go to another database are counted from the beginning; going back goes on where it was")
        func otherDatabase() async throws {
            let project = try TestProject()
            let other = ["sinks.primary.sqlite.path=.streamplat/other.db"]
            for settings in [[], other] {
                try await project.streamplat("apply", "ecommerce", "--yes", settings: settings)
            }
            try await generate(project, hour: 1)
            try await finish(project)
            try await project.streamplat(
                "run", "ecommerce", "--until-idle", "--close-windows", settings: other)
            #expect(try await project.dump(".streamplat/other.db") == project.dump(), "both hold the first hour")
            try await generate(project, hour: 2)
            try await finish(project)
            try await judgeBothHours(project)
        }

        @Test("A changed measure is applied once, and the next run counts it from the beginning")
        func changedMeasure() async throws {
            let project = try TestProject()
            func write(_ type: String) throws {
                try project.write(
                    """
                    domain: shop
                    entity: { primary_key: customer_id }
                    event_types: [{ name: order, metrics: [{ name: amount, type: money }] }]
                    aggregations:
                      - { name: revenue, from: [order], type: \(type), field: amount, window: { type: tumbling, duration: 1 hour } }
                    """, to: "domains/shop.yaml")
            }
            try write("sum")
            try await project.streamplat("apply", "shop", "--yes")
            try await project.streamplat("generate", "shop", "--events", "2000")
            try await project.streamplat("run", "shop", "--until-idle", "--close-windows")
            for type in ["avg", "sum"] {
                try write(type)
                try await project.streamplat("apply", "shop", "--yes")
                let again = try await project.streamplat("apply", "shop", "--yes")
                #expect(again.output.contains("nothing to do"), "\(again)")
                try await project.streamplat("run", "shop", "--until-idle", "--close-windows")
                let filled = try await project.streamplat(
                    "query",
                    "select count(*) > 0 as filled from revenue where \(type == "sum" ? "total" : "average") > 0",
                    "--domain", "shop", "--output", "csv")
                #expect(filled.output == "filled\n1\n", "\(filled)")
            }
        }

        @Test("A run with nothing new changes nothing")
        func nothingNew() async throws {
            let project = try TestProject()
            try await project.streamplat("apply", "ecommerce", "--yes")
            try await generate(project, hour: 1)
            try await finish(project)
            let once = try await project.dump()
            let again = try await project.streamplat("run", "ecommerce", "--until-idle", "--close-windows")
            #expect(try await project.dump() == once, "\(again)")
        }

        @Test(
            "SIGTERM and SIGINT drain and end with 0, while another process generates; later runs complete the tables",
            arguments: [SIGTERM, SIGINT])
        func drain(_ signal: Int32) async throws {
            let project = try TestProject()
            try await project.streamplat("apply", "ecommerce", "--yes")
            let first = try project.start(["run", "ecommerce"])
            try await generate(project, hour: 1)
            try await generate(project, hour: 2, toLog: false)
            let generator = try project.start([
                "generate", "ecommerce", "--events", "\(Self.half)", "--seed", "2", "--span", "1h", "--start",
                "2024-05-06T02:00:00Z",
            ])
            try await Task.sleep(for: .milliseconds(150))
            #expect(first.isRunning, "without --until-idle it waits for events")
            first.send(signal)
            let stopped = try await first.wait(limit: .seconds(30))
            #expect(stopped.code == 0 && !stopped.isTimedOut, "\(stopped)")
            let generated = try await generator.wait(limit: .seconds(120))
            #expect(generated.code == 0, "\(generated)")
            try await finish(project)
            try await judgeBothHours(project)
        }

        @Test("SIGKILL during runs, again and again: the final tables are DuckDB's")
        func killedRuns() async throws {
            let project = try TestProject()
            try await project.streamplat("apply", "ecommerce", "--yes")
            try await generate(project, hour: 1)
            try await generate(project, hour: 2)
            // Small batches make the whole run last longer than all these moments together.
            for (milliseconds, workers) in zip([60, 130, 240, 350, 170, 90], [2, 1, 4, 2, 1, 2]) {
                let run = try project.start(
                    ["run", "ecommerce", "--batch-rows", "16", "--workers", "\(workers)"]
                        + Self.busy.flatMap { ["--set", $0] })
                try await Task.sleep(for: .milliseconds(milliseconds))
                run.send(SIGKILL)
                let outcome = try await run.wait(limit: .seconds(30))
                #expect(outcome.code == 128 + SIGKILL, "\(outcome)")
            }
            try await finish(project)
            try await judgeBothHours(project)
        }

        @Test("SIGKILL during generate: the log opens, at most its torn end is cut and said, and two runs agree")
        func killedGenerator() async throws {
            let project = try TestProject()
            try await project.streamplat("apply", "ecommerce", "--yes")
            try await generate(project, hour: 1)
            for milliseconds in [150, 300, 450] {
                let generator = try project.start([
                    "generate", "ecommerce", "--events", "3000000", "--seed", "2", "--span", "2h", "--start",
                    "2024-05-06T02:00:00Z",
                ])
                try await Task.sleep(for: .milliseconds(milliseconds))
                #expect(generator.isRunning)
                generator.send(SIGKILL)
                _ = try await generator.wait(limit: .seconds(30))
            }
            let copy = try TestProject(copying: project)
            let one = try await project.streamplat(
                "run", "ecommerce", "--until-idle", "--close-windows", "--workers", "1")
            let other = try await copy.streamplat(
                "run", "ecommerce", "--until-idle", "--close-windows", "--workers", "4", "--batch-rows", "100")
            #expect(try await project.dump() == (try await copy.dump()), "\(one)\n\(other)")
            for line in (one.errors + other.errors).split(separator: "\n") where line.contains("error") {
                Issue.record("an error was reported: \(line)")
            }
            // The log takes new events after the cut, and all whole batches of before are still there.
            try await project.streamplat(
                "generate", "ecommerce", "--events", "1000", "--seed", "3", "--span", "1h", "--start",
                "2024-05-06T05:00:00Z")
            try await finish(project)
            let before = "select * from top_products_viewed where window_start < '2024-05-06 05' order by 1, 2, 3"
            let now = try await project.streamplat("query", before, "--domain", "ecommerce", "--output", "csv")
            let earlier = try await copy.streamplat("query", before, "--domain", "ecommerce", "--output", "csv")
            #expect(now.output == earlier.output && !now.output.isEmpty)
            let after =
                "select sum(count) > 0 as is_there from top_products_viewed where window_start >= '2024-05-06 05'"
            let added = try await project.streamplat("query", after, "--domain", "ecommerce", "--output", "json")
            #expect(added.output.contains("1"), "\(added)")
        }
    }
}
