import Foundation
import Testing

extension EndToEnd {
    /// The domain files as they are, on Kafka, a schema registry, ClickHouse, PostgreSQL and OpenBao.
    @Suite("Real servers")
    struct RealServersTests {
        static let events = Requirements.events / 10
        static let seeded = [
            "--events", "\(events)", "--seed", "42", "--start", "2024-05-06T00:00:00Z", "--span", "26h",
        ]

        /// Events of these domains do not say their type.
        static let onlyType = ["cdnow": "purchase", "clickstream": "click"]

        enum Sink: String, CaseIterable, Sendable {
            case clickhouse, postgresql

            /// Results of one domain in a database of its own.
            func settings(_ database: String) -> [String] {
                [
                    "sinks.primary.type=\(rawValue)", "sinks.primary.\(rawValue).database=\(database)",
                    "runtime.checkpoint.path=.streamplat/checkpoints-\(rawValue)", "monitoring.port=null",
                ]
            }
        }

        private func run(_ arguments: [String], _ project: TestProject, _ servers: RealServers) async throws {
            let outcome = try await project.start(arguments, environment: servers.environment).wait(
                limit: .seconds(300))
            try #require(outcome.code == 0, "\(outcome)")
        }

        private func settings(_ settings: [String]) -> [String] { settings.flatMap { ["--set", $0] } }

        @Test("Every shipped domain gives the embedded run's and DuckDB's rows, in ClickHouse and in PostgreSQL")
        func domains() async throws {
            let servers = try await RealServers()
            for domain in ["ecommerce", "iot", "fintech", "logistics", "cdnow", "clickstream"] {
                let project = try TestProject()
                try await project.streamplat("apply", domain, "--yes")
                for target in [[], ["--out", "events.ndjson"]] {
                    let made = try await project.start(["generate", domain] + Self.seeded + target)
                        .wait(limit: .seconds(300))
                    try #require(made.code == 0, "\(made)")
                }
                try await project.streamplat("run", domain, "--until-idle", "--close-windows")
                try await run(
                    ["apply", domain, "--yes"] + settings(Sink.clickhouse.settings(domain)), project, servers)
                try await run(
                    ["generate", domain] + Self.seeded + settings(Sink.clickhouse.settings(domain)), project, servers)
                var databases = [".streamplat/results.db"]
                for sink in Sink.allCases {
                    let chosen = settings(sink.settings(domain))
                    try await run(["apply", domain, "--yes"] + chosen, project, servers)
                    let again = try await project.start(
                        ["apply", domain, "--yes"] + chosen, environment: servers.environment
                    ).wait(limit: .seconds(60))
                    #expect(again.code == 0 && again.output.contains("nothing to do"), "\(again)")
                    try await run(["run", domain, "--until-idle", "--close-windows"] + chosen, project, servers)
                    databases.append("\(sink.rawValue).db")
                    try await servers.fetch(sink, domain, into: "\(sink.rawValue).db", project)
                }
                let verdict = try await project.python(
                    "judge.py",
                    ["generated", "--domain", "domains/\(domain).yaml", "--events", "events.ndjson"]
                        + (Self.onlyType[domain].map { ["--type", $0] } ?? [])
                        + databases.flatMap { ["--db", $0] })
                #expect(verdict.code == 0, "\(verdict)")
            }
        }

        @Test(
            "Restarts of the sink's server, the broker and the runner in the middle do not show",
            arguments: Sink.allCases)
        func restarts(_ sink: Sink) async throws {
            let servers = try await RealServers()
            let project = try TestProject()
            let chosen = settings(
                sink.settings("shop") + ["runtime.checkpoint.interval=300 ms", "runtime.flush_interval=100 ms"])
            func half(_ number: Int, _ more: [String]) -> [String] {
                [
                    "generate", "ecommerce", "--events", "\(Self.events / 2)", "--seed", "\(number)", "--span", "2h",
                    "--start", "2024-05-06T0\(number * 2):00:00Z",
                ] + more
            }
            try await run(["apply", "ecommerce", "--yes"] + chosen, project, servers)
            for number in [1, 2] {
                let made = try await project.start(half(number, ["--out", "half-\(number).ndjson"]))
                    .wait(limit: .seconds(300))
                try #require(made.code == 0, "\(made)")
            }
            // The sink's server goes away while rows are due several times a second.
            var runner = try project.start(["run", "ecommerce"] + chosen, environment: servers.environment)
            let generator = try project.start(
                half(1, ["--rate", "\(Self.events / 50)"] + chosen), environment: servers.environment)
            try await Task.sleep(for: .seconds(2))
            let server: RealServers.Name = sink == .clickhouse ? .clickhouse : .postgres
            try await servers.stop(server)
            try await Task.sleep(for: .seconds(2))
            try await servers.start(server)
            let generated = try await generator.wait(limit: .seconds(120))
            try #require(generated.code == 0, "\(generated)")
            // The runner, gracefully.
            runner.send(SIGTERM)
            let stopped = try await runner.wait(limit: .seconds(60))
            try #require(stopped.code == 0, "\(stopped)")
            #expect(stopped.errors.contains("trying again"), "the retries are seen: \(stopped)")
            // The broker, while nobody writes: this one forgets what it acknowledged just before (docs/tested-against.md).
            runner = try project.start(["run", "ecommerce"] + chosen, environment: servers.environment)
            try await Task.sleep(for: .seconds(2))
            try await servers.stop(.kafka)
            try await servers.start(.kafka)
            try await run(half(2, chosen), project, servers)
            try await Task.sleep(for: .seconds(3))
            runner.send(SIGTERM)
            let ended = try await runner.wait(limit: .seconds(60))
            try #require(ended.code == 0, "\(ended)")
            #expect(ended.errors.contains("reaches no broker"), "the broker's absence is seen: \(ended)")
            try await run(["run", "ecommerce", "--until-idle", "--close-windows"] + chosen, project, servers)
            try await servers.fetch(sink, "shop", into: "tables.db", project)
            try await project.judge(
                "generated", "--domain", "domains/ecommerce.yaml", "--events", "half-1.ndjson", "--events",
                "half-2.ndjson", "--db", "tables.db")
        }

        @Test("health shows every part, and which one is down, with exit code 3")
        func health() async throws {
            let servers = try await RealServers()
            let project = try TestProject()
            let well = try await project.streamplat("health", environment: servers.environment)
            for word in ["ClickHouse", "Kafka", "vault", "Registry"] {
                #expect(well.output.contains(word), "\(word) is missing in\n\(well.output)")
            }
            try await servers.stop(.clickhouse)
            let ill = try await project.streamplat("health", exit: 3, environment: servers.environment)
            let line = try #require(ill.output.split(separator: "\n").first { $0.contains("sinks.primary") })
            #expect(line.contains("down"), "\(ill)")
            #expect(ill.output.contains("hint:"), "\(ill)")
        }

        @Test(
            "Each server that is not there is named when a command opens it",
            arguments: [
                ("kafka", "broker"), ("registry", "registry"), ("clickhouse", "clickhouse"), ("vault", "vault"),
            ])
        func missingServer(_ name: String, _ word: String) async throws {
            let servers = try await RealServers()
            let project = try TestProject()
            try await servers.stop(try #require(RealServers.Name(rawValue: name)))
            let outcome = try await project.streamplat(
                "apply", "ecommerce", "--yes", exit: 3, environment: servers.environment, limit: .seconds(60))
            #expect(outcome.errors.lowercased().contains(word), "\(outcome)")
            #expect(outcome.errors.contains("hint"), "\(outcome)")
        }

        @Test("Another language's client reads our topics and writes them")
        func foreignClient() async throws {
            let servers = try await RealServers()
            let project = try TestProject()
            // What the other client writes begins anew in time: nothing of it may be late.
            let chosen = settings(Sink.postgresql.settings("shop") + ["runtime.watermark_delay=30 hours"])
            try await run(["apply", "ecommerce", "--yes"] + chosen, project, servers)
            try await run(
                ["generate", "ecommerce", "--event-type", "purchase"] + Self.seeded + chosen, project, servers)
            let made = try await project.start(
                ["generate", "ecommerce", "--event-type", "purchase", "--out", "events.ndjson"] + Self.seeded
            ).wait(limit: .seconds(300))
            try #require(made.code == 0, "\(made)")
            let broker = try #require(servers.environment["STREAMPLAT_KAFKA"])
            let registry = try #require(servers.environment["STREAMPLAT_REGISTRY"])
            // What it reads is what was generated; then it writes the same events once more, with other ids.
            let outcome = try await project.python(
                "foreign_client.py",
                [
                    "--broker", broker, "--registry", registry, "--topic", "events.purchase", "--events",
                    "events.ndjson",
                    "--write", "more.ndjson",
                ])
            try #require(outcome.code == 0, "\(outcome)")
            try await run(["run", "ecommerce", "--until-idle", "--close-windows"] + chosen, project, servers)
            try await servers.fetch(.postgresql, "shop", into: "tables.db", project)
            let verdict = try await project.python(
                "judge.py",
                [
                    "generated", "--domain", "domains/ecommerce.yaml", "--type", "purchase", "--events",
                    "events.ndjson",
                    "--events", "more.ndjson", "--least-rows", "0", "--db", "tables.db",
                ])
            #expect(verdict.code == 0, "\(verdict)")
        }
    }
}
