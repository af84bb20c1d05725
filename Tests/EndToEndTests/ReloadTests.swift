import Foundation
import Testing

extension EndToEnd {
    /// A configuration that changes while `run` lives.
    @Suite("Reload")
    struct ReloadTests {
        static let events = 12_000
        static let database = ".streamplat/results.db"
        static let taken = "configuration reloaded"

        static let orders =
            "{ name: orders, from: [order], type: count, window: { type: tumbling, duration: 1 minute }, group_by: [country] }"
        static let buyers =
            "{ name: buyers, from: [order], type: count_distinct, field: user_id, "
            + "window: { type: sliding, duration: 10 minutes, slide: 5 minutes } }"
        static func revenue(above amount: Int) -> String {
            "{ name: revenue, from: [order], type: sum, field: amount, filter: \"amount > \(amount)\", "
                + "window: { type: tumbling, duration: 5 minutes } }"
        }

        func domain(_ aggregations: [String]) -> String {
            """
            domain: shop
            entity: { primary_key: user_id }
            event_types:
              - { name: order, metrics: [{ name: amount, type: money }], dimensions: [country] }
            aggregations:
            \(aggregations.map { "  - \($0)" }.joined(separator: "\n"))
            sample_data: { country: [AT, CH, DE, FR] }

            """
        }

        /// Replaces a file as editors do: by renaming another over it.
        func replace(_ project: TestProject, _ file: String, _ text: String) throws {
            try project.write(text, to: "\(file).new")
            try #require(rename(project.path("\(file).new"), project.path(file)) == 0)
        }

        func project(_ aggregations: [String], environment: String = "") async throws -> TestProject {
            let project = try TestProject()
            try project.write(domain(aggregations), to: "domains/shop.yaml")
            try project.write(environment, to: "environments/local.yaml")
            try await project.streamplat("apply", "shop", "--yes")
            return project
        }

        static let stream = [
            "generate", "shop", "--events", "\(events)", "--seed", "3", "--start", "2024-05-06T08:00:00Z", "--span",
            "2h",
        ]

        func generate(_ project: TestProject, toFile: Bool) async throws {
            let outcome = try await project.start(Self.stream + (toFile ? ["--out", "events.ndjson"] : []))
                .wait(limit: .seconds(120))
            try #require(outcome.code == 0, "\(outcome)")
        }

        func judge(_ project: TestProject) async throws {
            try await project.judge(
                "generated", "--domain", "domains/shop.yaml", "--events", "events.ndjson", "--db", Self.database,
                "--type", "order")
        }

        /// Waits until the run has said `text` so many times.
        func wait(
            _ run: ChildProcess, _ text: String, times: Int = 1, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let deadline = ContinuousClock.now + .seconds(60)
            while true {
                let said = try run.errorsSoFar
                if said.components(separatedBy: text).count > times { return }
                try #require(
                    run.isRunning && ContinuousClock.now < deadline, "'\(text)' \(times) times: \(said)",
                    sourceLocation: sourceLocation)
                try await Task.sleep(for: .milliseconds(5))
            }
        }

        /// Ends a run by a signal and gives its summary.
        func end(
            _ run: ChildProcess, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws -> [String: Any] {
            run.send(SIGTERM)
            let outcome = try await run.wait(limit: .seconds(60))
            try #require(outcome.code == 0 && !outcome.isTimedOut, "\(outcome)", sourceLocation: sourceLocation)
            return try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any] ?? [:]
        }

        /// What an undisturbed run over the same log gives.
        func undisturbed(_ project: TestProject) async throws -> String {
            let other = ["sinks.primary.sqlite.path=.streamplat/other.db"]
            try await project.streamplat("apply", "shop", "--yes", settings: other)
            try await project.streamplat("run", "shop", "--until-idle", "--close-windows", settings: other)
            return try await project.dump(".streamplat/other.db")
        }

        func finish(_ project: TestProject) async throws {
            try await project.streamplat("run", "shop", "--until-idle", "--close-windows")
        }

        @Test("Four reloads while another process generates: each event is read once, and the tables are DuckDB's")
        func underLoad() async throws {
            let project = try await project([Self.orders, Self.buyers, Self.revenue(above: 100)])
            let run = try project.start(["run", "shop", "--output", "json", "--set", "runtime.flush_interval=20 ms"])
            try await wait(run, "run started")
            let generator = try project.start(Self.stream + ["--rate", "2000"])
            var duringEvents = 0
            for (index, setting) in ["workers: 1", "batch_rows: 64", "workers: 3", "idle_timeout: 20 seconds"]
                .enumerated()
            {
                if generator.isRunning { duringEvents += 1 }
                try replace(project, "environments/local.yaml", "runtime: { \(setting) }\n")
                run.send(SIGHUP)
                try await wait(run, Self.taken, times: index + 1)
            }
            #expect(duringEvents >= 3)
            let generated = try await generator.wait(limit: .seconds(120))
            #expect(generated.code == 0, "\(generated)")
            #expect(try run.errorsSoFar.contains("changes=\"settings: runtime.workers, runtime.batch_rows\""))
            let first = try await end(run)["events_read"] as? Int ?? 0
            let rest = try await project.streamplat(
                "run", "shop", "--until-idle", "--close-windows", "--output", "json")
            let summary = try JSONSerialization.jsonObject(with: Data(rest.output.utf8)) as? [String: Any]
            #expect(first + (summary?["events_read"] as? Int ?? 0) == Self.events, "nothing is read twice")
            try await generate(project, toFile: true)
            try await judge(project)
            #expect(try await project.dump() == undisturbed(project))
        }

        @Test("An aggregation that is taken away and put back is counted anew; the others are those of a run in peace")
        func takenAwayAndBack() async throws {
            let all = [Self.orders, Self.buyers, Self.revenue(above: 100)]
            let project = try await project(all)
            let run = try project.start([
                "run", "shop", "--output", "json", "--set", "runtime.flush_interval=20 ms", "--set",
                "monitoring.port=0",
            ])
            let address = try await run.monitoringAddress()
            try await wait(run, "run started")
            let generator = try project.start(Self.stream + ["--rate", "4000"])
            for round in 0..<3 {
                try replace(project, "domains/shop.yaml", domain(round % 2 == 0 ? [Self.orders] : all))
                // Many signals are one reload, or one and a look that finds nothing new.
                for _ in 0..<20 { run.send(SIGHUP) }
                try await wait(run, Self.taken, times: round + 1)
            }
            try replace(project, "domains/shop.yaml", domain(all))
            run.send(SIGHUP)
            try await wait(run, Self.taken, times: 4)
            #expect(try run.errorsSoFar.contains("changes=\"added: buyers, revenue\""))
            #expect(try run.errorsSoFar.contains("changes=\"removed: buyers, revenue\""))
            let metrics = try #require(try await HTTP.get("http://\(address)/metrics")).body
            #expect(metrics.contains("streamplat_reloads_total{result=\"ok\"} 4\n"))
            let generated = try await generator.wait(limit: .seconds(120))
            #expect(generated.code == 0, "\(generated)")
            _ = try await end(run)
            try await finish(project)
            try await generate(project, toFile: true)
            try await judge(project)
            #expect(try await project.dump() == undisturbed(project))
        }

        @Test("--watch tells an invalid file with its place while events go on, and takes over the mended one")
        func invalid() async throws {
            let project = try await project([Self.orders])
            let run = try project.start([
                "run", "shop", "--watch", "--output", "json", "--set", "runtime.flush_interval=20 ms",
            ])
            try await wait(run, "run started")
            let good = domain([Self.orders])
            try project.write(
                good.replacingOccurrences(of: "type: count,", with: "type: cuont,"), to: "domains/shop.yaml")
            try await wait(run, "code=SP6180")
            let said = try #require(
                try await project.streamplat("validate", "shop", "--output", "json", exit: 2).errors.split(
                    separator: "\n"
                )
                .first { $0.contains("\"line\"") })
            try await wait(run, String(said))
            // Touched and replaced by the same: no news.
            try replace(project, "domains/shop.yaml", good)
            try await wait(run, "configuration unchanged")
            try await generate(project, toFile: false)
            try replace(
                project, "domains/shop.yaml",
                good.replacingOccurrences(of: "group_by: [country] }", with: "group_by: [country], emit: final }"))
            try await wait(run, "changes=\"adjusted: orders\"")
            #expect(try run.errorsSoFar.components(separatedBy: "code=SP6180").count == 2, "said once")
            _ = try await end(run)
            try await finish(project)
            try await generate(project, toFile: true)
            try await judge(project)
        }

        @Test(
            "With --apply a changed filter and a new aggregation are applied and taken over; without it they are refused"
        )
        func applying() async throws {
            let project = try await project([Self.orders, Self.revenue(above: 100)])
            try await generate(project, toFile: false)
            try await generate(project, toFile: true)
            let changed = domain([Self.orders, Self.revenue(above: 300), Self.buyers])
            let careful = try project.start(["run", "shop", "--output", "json"])
            try await wait(careful, "run started")
            try replace(project, "domains/shop.yaml", changed)
            careful.send(SIGHUP)
            try await wait(careful, "not applied yet: table revenue, table buyers")
            try await wait(careful, "a run with --apply")
            // What the process is made of.
            try replace(
                project, "environments/local.yaml",
                "monitoring: { port: 0 }\nruntime: { checkpoint: { path: other } }\nbroker: { embedded: { path: elsewhere } }\n"
            )
            careful.send(SIGHUP)
            try await wait(
                careful,
                "broker.embedded.path, monitoring.port, runtime.checkpoint.path cannot change while the run lives")
            // A sink that cannot be opened.
            try project.write("", to: "file")
            try replace(
                project, "environments/local.yaml", "sinks: { primary: { sqlite: { path: file/results.db } } }\n")
            careful.send(SIGHUP)
            try await wait(careful, "code=SP6182")
            _ = try await end(careful)

            try replace(project, "environments/local.yaml", "")
            try project.write(domain([Self.orders, Self.revenue(above: 100)]), to: "domains/shop.yaml")
            let bold = try project.start(["run", "shop", "--apply", "--watch", "--output", "json"])
            try await wait(bold, "run started")
            try replace(project, "domains/shop.yaml", changed)
            try await wait(bold, "changes=\"added: buyers; counted anew: revenue\"")
            _ = try await end(bold)
            try await finish(project)
            try await judge(project)
        }

        @Test("A stop in the middle of a reload is a stop: exit code 0, and a later run completes the tables")
        func stopped() async throws {
            let project = try await project([Self.orders, Self.revenue(above: 100)])
            try await generate(project, toFile: true)
            let generator = try project.start(Self.stream + ["--rate", "4000"])
            for delay in [0, 5, 20, 60, 120] {
                let run = try project.start(["run", "shop", "--output", "json", "--close-windows"])
                try await wait(run, "run started")
                try replace(project, "environments/local.yaml", "runtime: { batch_rows: \(64 + delay) }\n")
                run.send(SIGHUP)
                try await Task.sleep(for: .milliseconds(delay))
                _ = try await end(run)
            }
            let generated = try await generator.wait(limit: .seconds(120))
            #expect(generated.code == 0, "\(generated)")
            try await finish(project)
            try await judge(project)
            #expect(try await project.dump() == undisturbed(project))
            let refused = try await project.streamplat("run", "shop", "--watch", "--until-idle", exit: 2)
            #expect(refused.errors.contains("--watch and --until-idle exclude each other"), "\(refused)")
        }
    }
}
