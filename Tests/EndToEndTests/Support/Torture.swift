import Foundation
import Testing

/// One tortured pipeline: a log that a generator fills while runs are ended in every way, and the judgement over what the
/// store holds at the end. One task owns it.
final class Torture {
    /// `STREAMPLAT_TORTURE_SEED`, else another one each time.
    static let seed =
        ProcessInfo.processInfo.environment["STREAMPLAT_TORTURE_SEED"].flatMap(UInt64.init)
        ?? UInt64.random(in: 0...999_999)
    /// `STREAMPLAT_TORTURE_KILLS`: kills at random moments, of each store.
    static let kills = ProcessInfo.processInfo.environment["STREAMPLAT_TORTURE_KILLS"].flatMap(Int.init) ?? shortKills
    private static let shortKills = 2

    static let steps = [
        "after-decode", "after-state", "before-sink", "after-sink", "during-state", "during-checkpoint",
        "between-renames", "before-offset-commit",
    ]

    let project: TestProject
    let store: TortureStore
    let servers: RealServers?
    private(set) var random: SeededRandom
    /// What was done, in order: what a failure shows.
    private(set) var history: [String] = []
    private var generator: ChildProcess?
    private var segments = 0

    private static let segmentSeconds = 5
    private static let eventsPerSecond = 400

    init(_ store: TortureStore) async throws {
        self.store = store
        random = SeededRandom(seed: Self.seed)
        print("torture of \(store.rawValue): STREAMPLAT_TORTURE_SEED=\(Self.seed)")
        servers = try await store.startServer()
        project = try TestProject()
        try project.write(Self.domain(withStreams: true), to: "domains/pulse.yaml")
        try await command(["apply", "pulse", "--yes"])
    }

    /// - Parameter withStreams: Without derived streams it is what the judge's own reading of domain files covers.
    private static func domain(withStreams: Bool) -> String {
        """
        domain: pulse
        entity: { primary_key: device }
        event_types:
          - name: beat
            topic: { name: events.beat, partitions: 6 }
            raw_events: true
            dimensions: [site]
            fields: [{ name: value, type: double }, { name: steps, type: long }]
        \(withStreams ? streams : "")
        aggregations:
          - name: per_second
            from: [beat]
            window: { type: tumbling, duration: 1 second }
            watermark_delay: 1 minute
            group_by: [site]
            measures:
              - { name: beats, type: count }
              - { name: total, type: sum, field: value }
              - { name: average, type: avg, field: value }
              - { name: devices, type: count_distinct, field: device }
              - { name: strict_devices, type: count_distinct, field: device, strict: true }
          - name: sliding
            from: [beat]
            window: { type: sliding, duration: 4 seconds, slide: 1 second }
            watermark_delay: 2 seconds
            emit: final
            measures:
              - { name: steps, type: sum, field: steps }
              - { name: highest, type: max, field: value }
        \(withStreams ? streamAggregation : "")
        sample_data: { site: [north, south, east] }

        """
    }

    private static let streams = """
        streams:
          - name: strong
            from: beat
            steps:
              - filter: value > 10 and site <> 'south'
              - derive: { doubled: steps * 2, minute: "date_trunc('minute', timestamp)", is_high: value > 80 }
              - project: [event_id, timestamp, device, site, doubled, minute, is_high]
            sink: primary
          - name: strongest
            from: strong
            steps: [{ filter: doubled > 100 or is_high }]
        """

    private static let streamAggregation = """
          - name: strong_per_second
            from: [strongest]
            window: { type: tumbling, duration: 1 second }
            watermark_delay: 1 minute
            group_by: [site, minute]
            measures:
              - { name: beats, type: count }
              - { name: doubled, type: sum, field: doubled }
              - { name: high, type: count, filter: is_high }
        """

    /// A table, and what SQLite makes of the raw events for it.
    private static let derived = [
        (
            "SELECT event_id, timestamp, device, site, doubled, minute, is_high FROM strong",
            "SELECT event_id, timestamp, device, site, steps * 2, substr(timestamp, 1, 17) || '00.000', value > 80 "
                + "FROM beat WHERE value > 10 AND site <> 'south'"
        ),
        (
            "SELECT window_start, site, minute, beats, doubled + 0, high FROM strong_per_second",
            "SELECT substr(timestamp, 1, 20) || '000' AS second, site, substr(timestamp, 1, 17) || '00.000' AS minute, "
                + "count(*), sum(steps * 2), sum(value > 80) FROM beat WHERE value > 10 AND site <> 'south' "
                + "AND (steps > 50 OR value > 80) GROUP BY second, site, minute"
        ),
    ]

    /// Of every run: many checkpoints and flushes, so that kills fall between any two of them.
    private func settings() throws -> [String] {
        try store.settings(servers) + [
            "runtime.flush_interval=30 ms", "runtime.checkpoint.interval=120 ms", "runtime.idle_timeout=1 minute",
        ]
    }

    func note(_ text: String) { history.append(text) }

    func pick<Value>(_ values: [Value]) throws -> Value { try #require(values.randomElement(using: &random)) }
    func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    /// Every step; in the short sweep only SQLite's runs are killed at all of them, others at some.
    func stepsToKillAt() throws -> [String] {
        if store == .sqlite || Self.kills > Self.shortKills { return Self.steps }
        return [try pick(Self.steps), "after-sink", "during-checkpoint"]
    }

    // MARK: Processes

    func start(
        _ arguments: [String], settings more: [String] = [], kill: String? = nil, fileKibibytes: Int? = nil,
        environment own: [String: String] = [:]
    ) throws -> ChildProcess {
        var environment = try store.environment(servers).merging(own) { $1 }
        environment["STREAMPLAT_TEST_KILL"] = kill
        let all = arguments + (try settings() + more).flatMap { ["--set", $0] }
        guard let fileKibibytes else { return try project.start(all, environment: environment) }
        // POSIX counts in halves of a KiB.
        return try ChildProcess(
            "/bin/sh", ["-c", "ulimit -f \(fileKibibytes * 2) && exec \"$0\" \"$@\"", Requirements.binary] + all,
            folder: project.folder, environment: environment)
    }

    func command(_ arguments: [String], settings more: [String] = []) async throws {
        let outcome = try await start(arguments, settings: more).wait(limit: .seconds(120))
        try #require(outcome.code == 0 && !outcome.isTimedOut, "\(history)\n\(outcome)")
    }

    /// A run of random size.
    ///
    /// - Parameter fileKibibytes: No file of the run's machine can grow beyond this, as if the disk were full then.
    func startRun(settings: [String] = [], kill: String? = nil, fileKibibytes: Int? = nil) throws -> ChildProcess {
        let workers = try pick([1, 2, 3, 8])
        let rows = try pick([16, 200, 4096])
        note(
            "run with \(workers) workers, batches of \(rows)\(kill.map { ", killed at \($0)" } ?? "")"
                + (fileKibibytes.map { ", files of at most \($0) KiB" } ?? ""))
        return try start(
            ["run", "pulse", "--workers", "\(workers)", "--batch-rows", "\(rows)"], settings: settings, kill: kill,
            fileKibibytes: fileKibibytes)
    }

    // MARK: Events

    private func segment(_ number: Int) -> [String] {
        // Event time goes on from one segment to the next.
        let start = number * Self.segmentSeconds
        let clock = String(format: "2024-05-06T%02d:%02d:%02dZ", 10 + start / 3600, start / 60 % 60, start % 60)
        return [
            "generate", "pulse", "--events", "\(Self.eventsPerSecond * Self.segmentSeconds)", "--seed", "\(number + 1)",
            "--span", "\(Self.segmentSeconds)s", "--start", clock,
        ]
    }

    /// Sees to it that a generator writes.
    func keepGenerating() throws {
        if let generator, generator.isRunning { return }
        note("generator of segment \(segments)")
        generator = try project.start(segment(segments) + ["--rate", "\(Self.eventsPerSecond)"])
        segments += 1
    }

    func killGenerator() async throws {
        guard let generator, generator.isRunning else { return }
        note("generator killed")
        generator.send(SIGKILL)
        _ = try await generator.wait(limit: .seconds(30))
    }

    /// Waits for the end of the segment; gives its number of events.
    func finishGenerating() async throws -> Int {
        let outcome = try await generator?.wait(limit: .seconds(60))
        #expect(outcome?.code == 0, "\(String(describing: outcome))")
        generator = nil
        return Self.eventsPerSecond * Self.segmentSeconds
    }

    func stopGenerating() async throws {
        guard let generator else { return }
        generator.send(SIGKILL)
        let outcome = try await generator.wait(limit: .seconds(30))
        #expect([0, 128 + SIGKILL].contains(outcome.code), "\(outcome)")
        self.generator = nil
    }

    // MARK: Copies of the store

    /// Keeps the store as it is now. No run is using it.
    func copyStore() async throws { try await withStoreAtRest { try await copy(from: $0, to: $0 + ".copy") } }

    /// Puts back what ``copyStore()`` kept.
    func putBackStore() async throws { try await withStoreAtRest { try await copy(from: $0 + ".copy", to: $0) } }

    /// Gives the path of what the store lies in, while its server is stopped.
    private func withStoreAtRest(_ body: (String) async throws -> Void) async throws {
        guard let servers, let name = store.server else {
            return try await body(project.path(".streamplat/results.db"))
        }
        try await servers.stop(name)
        try await body(servers.folder.appendingPathComponent(name.rawValue).path)
        try await servers.start(name)
    }

    /// With owners and modes. A database that SQLite has closed has nothing beside it.
    private func copy(from old: String, to new: String) async throws {
        let copied = try await ChildProcess(
            "/bin/sh", ["-c", "rm -rf \"$1\" \"$1-wal\" \"$1-shm\" && exec cp -a \"$0\" \"$1\"", old, new],
            folder: project.folder
        ).wait(limit: .seconds(60))
        try #require(copied.code == 0, "\(copied)")
    }

    // MARK: The judgement

    /// Lets a last run complete the store and compares it with an undisturbed run over the same log, to the last bit, and
    /// with DuckDB over the generator's own files.
    func judge(settings: [String] = []) async throws {
        try await stopGenerating()
        let last = try await start(["run", "pulse", "--until-idle", "--close-windows"], settings: settings)
            .wait(limit: .seconds(120))
        try #require(last.code == 0, "\(history)\n\(last)")
        #expect(last.output.contains(" 0 dead letters"), "\(history)\n\(last)")

        let undisturbed = try TestProject(copying: project)
        let fresh = [
            "sinks.primary.type=\(store.isAppended ? "file" : "sqlite")",
            "sinks.primary.sqlite.path=.streamplat/fresh.db",
            "sinks.primary.file.path=.streamplat/fresh", "runtime.checkpoint.path=.streamplat/fresh-checkpoints",
            "runtime.idle_timeout=1 minute",
        ]
        try await undisturbed.streamplat("apply", "pulse", "--yes", settings: fresh)
        let once = try await undisturbed.streamplat(
            "run", "pulse", "--until-idle", "--close-windows", settings: fresh)
        #expect(once.output.contains(" 0 late"), "\(once)")

        if let tables = try await store.tables(project, servers) {
            try await expect("server_tables.py", ["same", tables, undisturbed.path(".streamplat/fresh.db")])
            for (ours, theirs) in Self.derived { try await expect("same_answers.py", [tables, ours, theirs]) }
            try await judgeByDuckDB(tables)
        } else {
            for table in ["per_second", "sliding", "beat", "strong", "strong_per_second"] {
                let lines = try await store.lines(of: table, project, servers).sorted()
                let wanted = try TortureStore.lines(in: "fresh", of: table, undisturbed).sorted()
                #expect(
                    !lines.isEmpty && lines == wanted,
                    "seed \(Self.seed): \(table) has \(lines.count) rows instead of \(wanted.count)\n\(history)")
            }
        }
    }

    private func judgeByDuckDB(_ tables: String) async throws {
        var files: [String] = []
        for number in 0..<segments {
            files.append("segment-\(number).ndjson")
            _ = try await project.start(segment(number) + ["--out", files[number]]).wait(limit: .seconds(60))
        }
        try project.write(Self.domain(withStreams: false), to: "plain.yaml")
        try await expect("stored_events.py", [tables, "beat", "--out", "stored.ndjson"] + files)
        try await expect(
            "judge.py",
            [
                "generated", "--domain", "plain.yaml", "--events", "stored.ndjson", "--type", "beat", "--db", tables,
            ])
    }

    private func expect(_ script: String, _ arguments: [String]) async throws {
        let verdict = try await project.python(script, arguments)
        #expect(verdict.code == 0, "seed \(Self.seed): \(history)\n\(verdict)")
    }
}
