import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// Several processes share one domain: whoever joins, leaves, dies or is paused, the tables are those of one run.
    @Suite("Cluster")
    struct ClusterTests {
        private static let settings = ["runtime.cluster.session_timeout=1 second"]
        /// Nobody is taken to be dead whom a busy machine has only slowed down.
        private static let patient = ["runtime.cluster.session_timeout=10 seconds"]

        private func project(_ settings: [String]) async throws -> Torture {
            let torture = try await Torture(.sqlite)
            try await torture.command(["apply", "pulse", "--yes"], settings: settings)
            return torture
        }

        @Test(
            "Processes that come, go, are killed and are paused: every store ends with the undisturbed run's rows",
            arguments: TortureStore.chosen.filter { $0 != .file })
        func sweep(_ store: TortureStore) async throws {
            let torture = try await Torture(store)
            try await torture.command(["apply", "pulse", "--yes"], settings: Self.settings)
            var members: [ChildProcess] = []
            for step in 0..<max(10, Torture.kills) {
                try torture.keepGenerating()
                let action = step < 2 ? 0 : torture.number(0...6)
                switch action {
                case 0...2 where members.count < 3:
                    members.append(try torture.startRun(settings: Self.settings))
                    if action < 2 { try await members.last?.waitForErrors("run started") }
                case 3 where members.count > 1:
                    torture.note("stopped")
                    let outcome = try await end(&members, torture, SIGTERM)
                    #expect(outcome.code == 0, "\(torture.history)\n\(outcome)")
                case 4 where !members.isEmpty:
                    let paused = try torture.pick(members)
                    torture.note("paused for longer than a member may be silent")
                    paused.send(SIGSTOP)
                    try await Task.sleep(for: .milliseconds(torture.number(1200...2000)))
                    try torture.keepGenerating()
                    paused.send(SIGCONT)
                case 5 where torture.servers != nil:
                    torture.note("server killed")
                    if let name = store.server { try await torture.servers?.crash(name) }
                case 5...6 where !members.isEmpty:
                    torture.note("killed")
                    _ = try await end(&members, torture, SIGKILL)
                default: torture.note("nothing")
                }
                try await Task.sleep(for: .milliseconds(torture.number(50...900)))
                try await buryEnded(&members, torture)
            }
            for member in members { member.send(SIGTERM) }
            for member in members {
                let outcome = try await member.wait(limit: .seconds(60))
                #expect(outcome.code == 0, "\(torture.history)\n\(outcome)")
            }
            // One process alone goes on from what the cluster has left.
            try await torture.judge()
        }

        /// No member ends by itself, unless the server is not there when it starts.
        private func buryEnded(_ members: inout [ChildProcess], _ torture: Torture) async throws {
            for member in members where !member.isRunning {
                let outcome = try await member.wait(limit: .seconds(1))
                #expect(
                    outcome.code == 3 && torture.servers != nil && !outcome.errors.contains("round begun"),
                    "\(torture.history)\n\(outcome)")
                torture.note("did not start")
            }
            members.removeAll { !$0.isRunning }
        }

        private func end(_ members: inout [ChildProcess], _ torture: Torture, _ signal: Int32) async throws -> Outcome {
            let member = members.remove(at: torture.number(0...members.count - 1))
            member.send(signal)
            return try await member.wait(limit: .seconds(60))
        }

        @Test("Two processes read different partitions, each record once; with --until-idle they end together")
        func sharing() async throws {
            let torture = try await project(Self.patient)
            var members: [ChildProcess] = []
            for _ in 0..<2 {
                members.append(try torture.start(["run", "pulse", "--workers", "2"], settings: Self.patient))
                try await members.last?.waitForErrors("run started")
            }
            // The first has taken the second in before there is anything to read.
            try await members[0].waitForErrors("members=2")
            try torture.keepGenerating()
            let events = try await torture.finishGenerating()
            try await Task.sleep(for: .seconds(1))
            var read = 0
            for member in members {
                member.send(SIGTERM)
                let outcome = try await member.wait(limit: .seconds(60))
                let own = Int(outcome.output.prefix { $0 != " " }.filter(\.isNumber)) ?? 0
                #expect(outcome.code == 0 && own > 0, "\(outcome)")
                read += own
            }
            #expect(read == events)
            let both = try (0..<2).map { _ in
                try torture.start(["run", "pulse", "--until-idle", "--close-windows"], settings: Self.patient)
            }
            for one in both {
                let outcome = try await one.wait(limit: .seconds(60))
                #expect(outcome.code == 0 && outcome.output.contains("0 events"), "\(outcome)")
            }
            try await torture.judge()
        }

        @Test("On Kafka and PostgreSQL: one of two processes is killed, another joins, and the rows are DuckDB's")
        func kafka() async throws {
            let servers = try await RealServers()
            let project = try TestProject()
            let chosen =
                (RealServersTests.Sink.postgresql.settings("cluster") + ["runtime.cluster.session_timeout=3 seconds"]
                + [
                    "runtime.checkpoint.interval=300 ms", "runtime.flush_interval=100 ms",
                ]).flatMap { ["--set", $0] }
            func command(_ arguments: [String]) async throws {
                let outcome = try await project.start(arguments + chosen, environment: servers.environment).wait(
                    limit: .seconds(120))
                try #require(outcome.code == 0, "\(outcome)")
            }
            let stream = [
                "generate", "ecommerce", "--events", "8000", "--seed", "5", "--span", "2h", "--start",
                "2024-05-06T00:00:00Z",
            ]
            _ = try await project.start(stream + ["--out", "events.ndjson"]).wait(limit: .seconds(60))
            try await command(["apply", "ecommerce", "--yes"])
            func member() throws -> ChildProcess {
                try project.start(["run", "ecommerce"] + chosen, environment: servers.environment)
            }
            let first = try member()
            try await first.waitForErrors("round begun")
            let generator = try project.start(
                stream + ["--rate", "1000"] + chosen, environment: servers.environment)
            var others = [try member()]
            try await others[0].waitForErrors("members=2")
            try await Task.sleep(for: .seconds(1))
            first.send(SIGKILL)
            _ = try await first.wait(limit: .seconds(30))
            others.append(try member())
            try await others[1].waitForErrors("members=2")
            let generated = try await generator.wait(limit: .seconds(120))
            try #require(generated.code == 0, "\(generated)")
            for member in others { member.send(SIGTERM) }
            for member in others {
                let outcome = try await member.wait(limit: .seconds(60))
                #expect(outcome.code == 0, "\(outcome)")
            }
            try await command(["run", "ecommerce", "--until-idle", "--close-windows"])
            try await servers.fetch(.postgresql, "cluster", into: "tables.db", project)
            try await project.judge(
                "generated", "--domain", "domains/ecommerce.yaml", "--events", "events.ndjson", "--db", "tables.db")
        }

        @Test(
            "A Kafka broker that answers nothing for longer than records are tried again: the processes go on after it")
        func brokerAway() async throws {
            let servers = try await RealServers(.kafka)
            let project = try TestProject()
            let kafka = [
                "broker.type=kafka", "broker.kafka.bootstrap_servers=127.0.0.1:\(try servers.setting("KAFKA_PORT"))",
            ]
            let settings =
                kafka + [
                    "broker.kafka.delivery_timeout=2 seconds", "runtime.cluster.session_timeout=1 second",
                    "runtime.checkpoint.interval=300 ms",
                    "runtime.flush_interval=100 ms",
                ]
            func start(_ arguments: [String], _ settings: [String]) throws -> ChildProcess {
                try project.start(arguments + settings.flatMap { ["--set", $0] })
            }
            func command(_ arguments: [String], _ settings: [String]) async throws {
                let outcome = try await start(arguments, settings).wait(limit: .seconds(120))
                try #require(outcome.code == 0, "\(outcome)")
            }
            let stream = [
                "generate", "ecommerce", "--events", "8000", "--seed", "5", "--span", "2h", "--start",
                "2024-05-06T00:00:00Z",
            ]
            try await command(["apply", "ecommerce", "--yes"], settings)
            try await command(stream + ["--out", "events.ndjson"], [])
            var members: [ChildProcess] = []
            for count in 1...3 {
                let own = count == 3 ? "runtime.stop_timeout=4 seconds" : "monitoring.port=0"
                members.append(try start(["run", "ecommerce", "--workers", "1"], settings + [own]))
                try await members.last?.waitForErrors("members=\(count)")
            }
            // Its records are tried again for five minutes.
            let generator = try start(stream + ["--rate", "1000"], kafka)
            try await waitUntilReading(members[0])
            try servers.send(SIGSTOP, to: .kafka)
            // Longer than a member may be silent and a record is tried.
            try await Task.sleep(for: .seconds(4))
            let leaving = members.removeLast()
            leaving.send(SIGTERM)
            let left = try await leaving.wait(limit: .seconds(60))
            #expect(!left.isTimedOut && (left.code == 0 || left.errors.contains("SP6111")), "\(left)")
            try servers.send(SIGCONT, to: .kafka)
            let generated = try await generator.wait(limit: .seconds(120))
            try #require(generated.code == 0, "\(generated)")
            for member in members {
                let errors = try member.errorsSoFar
                try #require(member.isRunning, "\(errors)")
            }
            // They have found each other again when a newcomer is in one round with both.
            members.append(try start(["run", "ecommerce", "--workers", "1"], settings))
            try await members.last?.waitForErrors("members=3")
            for member in members { member.send(SIGTERM) }
            for member in members {
                let outcome = try await member.wait(limit: .seconds(60))
                #expect(outcome.code == 0, "\(outcome)")
            }
            try await command(["run", "ecommerce", "--until-idle", "--close-windows"], settings)
            try await project.judge(
                "generated", "--domain", "domains/ecommerce.yaml", "--events", "events.ndjson", "--db",
                ".streamplat/results.db")
        }

        @Test("A process that cannot open its store holds up nobody: the others go on without it, until it can")
        func heldUp() async throws {
            let settings = ["runtime.cluster.session_timeout=3 seconds"]
            let torture = try await Torture(.postgresql)
            try await torture.command(["apply", "pulse", "--yes"], settings: settings)
            let servers = try #require(torture.servers)
            let proxy = try CuttingProxy(to: try #require(Int(try servers.setting("POSTGRES_PORT"))))
            func member(_ more: [String] = []) throws -> ChildProcess {
                try torture.startRun(settings: settings + more)
            }
            try torture.keepGenerating()
            var members = [try member()]
            try await members[0].waitForErrors("round begun")
            members.append(try member(["sinks.primary.postgresql.port=\(proxy.port)"]))
            try await members[1].waitForErrors("members=2")
            // It stays connected until the newcomer brings another round.
            proxy.refuses = true
            members.append(try member())
            try await members[1].waitForErrors("the stores do not open")
            try await members[2].waitForErrors("members=2")
            #expect(try !members[1].errorsSoFar.contains("members=3"))
            proxy.refuses = false
            try await members[1].waitForErrors("members=3")
            for member in members { member.send(SIGTERM) }
            for member in members {
                let outcome = try await member.wait(limit: .seconds(60))
                #expect(outcome.code == 0, "\(torture.history)\n\(outcome)")
            }
            try await torture.judge()
        }

        @Test("Processes that are killed at each step of a round leave the tables of the undisturbed run")
        func steps() async throws {
            let torture = try await project(Self.settings)
            // How often the first process and the second come there: the first leads a round of its own before, and whoever of
            // them leads both, one of them comes to the step.
            let steps = [
                ("after-claim", 2, 1), ("after-begin", 2, 1), ("after-go", 20, 2), ("after-arrived", 2, 2),
                ("after-reported", 2, 2),
            ]
            for (step, first, second) in Array(repeating: steps, count: Torture.kills > 10 ? 6 : 1).joined() {
                try torture.keepGenerating()
                var pair = [try torture.startRun(settings: Self.settings, kill: "\(step):\(first)")]
                try await pair[0].waitForErrors("round begun")
                pair.append(try torture.startRun(settings: Self.settings, kill: "\(step):\(second)"))
                let deadline = ContinuousClock.now + .seconds(60)
                while pair.allSatisfy(\.isRunning), ContinuousClock.now < deadline {
                    try await Task.sleep(for: .milliseconds(10))
                }
                let outcomes = try await finish(pair)
                #expect(outcomes.contains { $0.code == 128 + SIGKILL }, "\(step): \(outcomes)")
            }
            try await torture.judge()
        }

        private func waitUntilReading(_ member: ChildProcess) async throws {
            let address = try await member.monitoringAddress()
            let deadline = ContinuousClock.now + .seconds(60)
            while ContinuousClock.now < deadline {
                let text = try await HTTP.get("http://\(address)/metrics")?.body ?? ""
                if text.contains(/streamplat_events_read_total\S* [1-9]/) { return }
                try await Task.sleep(for: .milliseconds(50))
            }
            Issue.record("nothing was read")
        }

        /// Lets whoever lives end in an orderly way, unless it comes to the step as well.
        private func finish(_ pair: [ChildProcess]) async throws -> [Outcome] {
            for one in pair { one.send(SIGTERM) }
            var outcomes: [Outcome] = []
            for one in pair {
                outcomes.append(try await one.wait(limit: .seconds(60)))
                #expect([0, 128 + SIGKILL].contains(outcomes.last?.code), "\(outcomes)")
            }
            return outcomes
        }

        @Test("A run that is alone and processes of a cluster exclude each other")
        func alone() async throws {
            let torture = try await project(Self.settings)
            let member = try torture.startRun(settings: Self.settings)
            try await member.waitForErrors("run started")
            let alone = try await torture.startRun().wait(limit: .seconds(60))
            #expect(alone.code == 1 && alone.errors.contains("SP6101"), "\(alone)")
            member.send(SIGTERM)
            #expect(try await member.wait(limit: .seconds(60)).code == 0)
        }

        @Test("What a cluster cannot do is said before it begins")
        func refused() async throws {
            let project = try TestProject()
            let file = Self.settings + ["sinks.primary.type=file"]
            let sink = try await project.streamplat("validate", "ecommerce", exit: 2, settings: file)
            #expect(sink.errors.contains("SP2181") && sink.errors.contains("runtime.cluster"), "\(sink)")
            let short = try await project.streamplat(
                "validate", "ecommerce", exit: 2, settings: ["runtime.cluster.session_timeout=10 ms"])
            #expect(short.errors.contains("session_timeout"), "\(short)")
            try await project.streamplat("apply", "ecommerce", "--yes")
            let missing = try await project.streamplat(
                "run", "ecommerce", "--until-idle", exit: 3, settings: Self.settings)
            #expect(missing.errors.contains("events.cluster.ecommerce"), "\(missing)")
        }
    }
}
