import Foundation
import Testing

extension EndToEnd {
    /// Several processes share one domain: whoever joins, leaves, dies or is paused, the tables are those of one run.
    @Suite("Cluster")
    struct ClusterTests {
        static let settings = ["runtime.cluster.session_timeout=1 second"]
        /// Nobody is taken to be dead whom a busy machine has only slowed down.
        private static let patient = ["runtime.cluster.session_timeout=10 seconds"]

        func project(_ settings: [String]) async throws -> Torture {
            let torture = try await Torture(.sqlite)
            try await torture.command(["apply", "pulse", "--yes"], settings: settings)
            return torture
        }

        @Test(
            "Processes that come, go, are killed and are paused: every store ends with the undisturbed run's rows",
            arguments: TortureStore.chosen.filter { $0 != .file && $0 != .kafka })
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
                    // Why one cannot leave, the others may know.
                    let others = try members.map { try $0.errorsSoFar.suffix(3000) }.joined(separator: "\n--\n")
                    // It may be stopped before it listens for signals.
                    let isEarly = outcome.code == 128 + SIGTERM && outcome.errors.isEmpty
                    #expect(
                        outcome.code == 0 || isEarly, "\(torture.history)\n\(outcome)\nthe others:\n\(others)")
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
