import Foundation
import Testing

extension EndToEnd.ReloadTests {
    /// A store, with what a run, and an undisturbed one over the same log, is told of it and of the broker.
    private struct Store {
        let kind: TortureStore
        let servers: RealServers?
        let settings: [String]
        let environment: [String: String]
        var kafka: RealServers?
        var broker: [String] = []

        init(_ kind: TortureStore) async throws {
            self.kind = kind
            servers = try await kind.startServer()
            settings = try kind.settings(servers)
            environment = try kind.environment(servers)
        }
    }

    @Test(
        "Reloads under load with other stores: the tables and files are those of an undisturbed run",
        arguments: [TortureStore.postgresql, .clickhouse, .file])
    func otherStores(_ kind: TortureStore) async throws { try await reloads(try await Store(kind)) }

    @Test("Reloads under load on Kafka: the tables are those of an undisturbed run")
    func kafka() async throws {
        var store = try await Store(.sqlite)
        let servers = try await RealServers(.kafka)
        store.kafka = servers
        store.broker = [
            "broker.type=kafka", "broker.kafka.bootstrap_servers=127.0.0.1:\(try servers.setting("KAFKA_PORT"))",
        ]
        try await reloads(store)
    }

    private func reloads(_ store: Store) async throws {
        let before = domain([Self.orders, Self.revenue(above: 100)])
        let after = domain([Self.orders, Self.revenue(above: 300), Self.buyers])
        let project = try TestProject()
        try project.write(before, to: "domains/shop.yaml")
        try project.write("", to: "environments/local.yaml")
        func command(_ arguments: [String]) throws -> ChildProcess {
            try project.start(
                arguments + (store.broker + store.settings).flatMap { ["--set", $0] }, environment: store.environment)
        }
        let applied = try await command(["apply", "shop", "--yes"]).wait(limit: .seconds(60))
        try #require(applied.code == 0, "\(applied)")
        let run = try command(["run", "shop", "--apply", "--output", "json", "--set", "runtime.flush_interval=20 ms"])
        try await wait(run, "run started")
        let generator = try command(Self.stream + ["--rate", "3000"])
        let changes = [
            ("environments/local.yaml", "runtime: { workers: 1 }\n", "settings: runtime.workers"),
            ("domains/shop.yaml", after, "added: buyers; counted anew: revenue"),
            ("environments/local.yaml", "runtime: { workers: 3, batch_rows: 64 }\n", "settings:"),
        ]
        for (index, (file, text, change)) in changes.enumerated() {
            try replace(project, file, text)
            run.send(SIGHUP)
            try await wait(run, Self.taken, times: index + 1)
            #expect(try run.errorsSoFar.contains("changes=\"\(change)"))
        }
        let generated = try await generator.wait(limit: .seconds(120))
        #expect(generated.code == 0, "\(generated)")
        _ = try await end(run)
        let rest = try await command(["run", "shop", "--until-idle", "--close-windows"]).wait(limit: .seconds(60))
        try #require(rest.code == 0, "\(rest)")
        try await compare(project, store)
    }

    /// The store with what an undisturbed run writes from the beginning.
    private func compare(_ project: TestProject, _ store: Store) async throws {
        let other =
            store.broker + [
                "sinks.primary.type=\(store.kind == .file ? "file" : "sqlite")",
                "sinks.primary.sqlite.path=.streamplat/other.db", "sinks.primary.file.path=.streamplat/other",
            ]
        try await project.streamplat("apply", "shop", "--yes", settings: other)
        try await project.streamplat("run", "shop", "--until-idle", "--close-windows", settings: other)
        if let tables = try await store.kind.tables(project, store.servers) {
            let verdict = try await project.python(
                "server_tables.py", ["same", tables, project.path(".streamplat/other.db")])
            #expect(verdict.code == 0, "\(verdict)")
        } else {
            for table in ["orders", "revenue", "buyers"] {
                let files = try ["results", "other"].map { folder in
                    String(decoding: try project.read(".streamplat/\(folder)/\(table).ndjson"), as: UTF8.self)
                        .split(separator: "\n").sorted()
                }
                #expect(!files[0].isEmpty && files[0] == files[1], "\(table)")
            }
        }
    }

    @Test("A run that is killed while one pipeline makes room for the next: a fresh run gives the right tables")
    func killedInBetween() async throws {
        let before = domain([Self.orders, Self.revenue(above: 100)])
        let after = domain([Self.orders, Self.revenue(above: 300), Self.buyers])
        let project = try await project([Self.orders, Self.revenue(above: 100)])
        try await generate(project, toFile: true)
        let generator = try project.start(Self.stream + ["--rate", "4000"])
        // Of a reload: when the old pipeline has ended, when what is outstanding was applied, when the new one's threads
        // run. Each with new settings alone, with changed tables, and with these changed back.
        let changes = [
            ("environments/local.yaml", "runtime: { workers: 1 }\n"), ("domains/shop.yaml", after),
            ("domains/shop.yaml", before),
        ]
        for step in 1...3 {
            for (file, text) in changes {
                let run = try project.start(
                    ["run", "shop", "--apply", "--output", "json", "--set", "runtime.flush_interval=20 ms"],
                    environment: ["STREAMPLAT_TEST_KILL": "between-pipelines:\(step)"])
                try await wait(run, "run started")
                try replace(project, file, text + "# \(step)\n")
                run.send(SIGHUP)
                let outcome = try await run.wait(limit: .seconds(60))
                #expect(outcome.code == 128 + SIGKILL && !outcome.isTimedOut, "\(outcome)")
                #expect(!outcome.errors.contains(Self.taken), "\(outcome)")
                try project.write("runtime: { workers: 2 }\n", to: "environments/local.yaml")
            }
        }
        try project.write(after, to: "domains/shop.yaml")
        let generated = try await generator.wait(limit: .seconds(120))
        #expect(generated.code == 0, "\(generated)")
        try await project.streamplat("run", "shop", "--apply", "--until-idle", "--close-windows")
        try await judge(project)
        #expect(try await project.dump() == undisturbed(project))
    }
}
