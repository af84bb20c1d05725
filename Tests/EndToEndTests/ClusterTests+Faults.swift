import Foundation
import TestServers
import Testing

/// A broker or a store that is away for some of the processes, and processes that die between two steps of a round.
extension EndToEnd.ClusterTests {
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
        try servers.signal(.kafka, SIGSTOP)
        // Longer than a member may be silent and a record is tried.
        try await Task.sleep(for: .seconds(4))
        let leaving = members.removeLast()
        leaving.send(SIGTERM)
        let left = try await leaving.wait(limit: .seconds(60))
        #expect(!left.isTimedOut && (left.code == 0 || left.errors.contains("SP6111")), "\(left)")
        try servers.signal(.kafka, SIGCONT)
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

    /// In `make torture` only: it waits for the time that an opening may take.
    @Test(
        "A process that cannot open its store holds up nobody: the others go on without it, until it can",
        .enabled(if: Torture.kills > 10, "only in make torture"))
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

    /// In `make torture` only: it takes its time.
    @Test(
        "A disk whose every sync takes half a second: processes are there for each other, and end in time",
        .enabled(if: Torture.kills > 10, "only in make torture"))
    func slowDisk() async throws {
        let settings = [
            "runtime.cluster.session_timeout=5 seconds", "runtime.checkpoint.interval=1 second",
            "runtime.stop_timeout=15 seconds",
        ]
        let torture = try await project(settings)
        let folder = torture.project.folder
        try Self.slowSyncs.write(to: folder.appendingPathComponent("slow.c"), atomically: true, encoding: .utf8)
        let compiled = try await ChildProcess(
            "/usr/bin/env", ["cc", "-shared", "-fPIC", "-o", "slow.so", "slow.c", "-ldl"], folder: folder
        ).wait(limit: .seconds(60))
        try #require(compiled.code == 0, "\(compiled)")
        var members: [ChildProcess] = []
        for count in 1...3 {
            members.append(
                try torture.start(
                    ["run", "pulse", "--workers", "4"], settings: settings,
                    environment: ["LD_PRELOAD": folder.appendingPathComponent("slow.so").path]))
            try await members.last?.waitForErrors("members=\(count)")
        }
        try torture.keepGenerating()
        _ = try await torture.finishGenerating()
        for member in members { member.send(SIGTERM) }
        for member in members {
            let outcome = try await member.wait(limit: .seconds(60))
            #expect(outcome.code == 0, "\(outcome)")
        }
        try await torture.judge()
    }

    private static let slowSyncs = """
        #include <unistd.h>
        #include <sys/syscall.h>
        int fsync(int file) { usleep(500000); return syscall(SYS_fsync, file); }
        int fdatasync(int file) { usleep(500000); return syscall(SYS_fdatasync, file); }

        """

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
}
