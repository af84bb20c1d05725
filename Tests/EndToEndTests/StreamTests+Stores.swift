import Foundation
import Testing

extension EndToEnd.StreamTests {
    @Test(
        "In PostgreSQL, ClickHouse and Kafka, after kills at several steps, every row is DuckDB's and is there once",
        arguments: [TortureStore.postgresql, .clickhouse])
    func servers(_ store: TortureStore) async throws {
        let servers = try await RealServers(try #require(store.server), .kafka)
        let project = try TestProject()
        try project.write(Self.domain, to: "domains/orders.yaml")
        try await python(project, Self.events)
        let address = "127.0.0.1:\(try servers.setting("KAFKA_PORT"))"
        let settings =
            try store.settings(servers) + [
                "sinks.lines.type=kafka", "sinks.lines.kafka.bootstrap_servers=[\"\(address)\"]",
                "sinks.lines.kafka.partitions=2",
            ]
        func start(_ arguments: [String], kill: String? = nil) throws -> ChildProcess {
            var environment = try store.environment(servers)
            environment["STREAMPLAT_TEST_KILL"] = kill
            return try project.start(arguments + settings.flatMap { ["--set", $0] }, environment: environment)
        }
        let applied = try await start(["apply", "orders", "--yes"]).wait(limit: .seconds(60))
        try #require(applied.code == 0, "\(applied)")
        let busy = [
            "--set", "runtime.checkpoint.interval=20 ms", "--set", "runtime.flush_interval=10 ms", "--batch-rows",
            "64", "--workers", "2",
        ]
        var kills = 0
        for point in ["after-decode:60", "after-sink:1", "after-state:40", "before-sink:4", "during-checkpoint:1"] {
            let run = try await start(Self.final + busy, kill: point).wait(limit: .seconds(120))
            if run.code == 128 + SIGKILL { kills += 1 }
        }
        #expect(kills >= 3, "most of them do not come to an end")
        let last = try await start(Self.final).wait(limit: .seconds(120))
        try #require(last.code == 0, "\(last)")
        for table in ["labelled", "every_purchase"] {
            let lines = try await project.python("topic_values.py", [address, "results.\(table)"])
            try #require(lines.code == 0, "\(lines)")
            try project.write(lines.output, to: ".streamplat/lines/\(table).ndjson")
        }
        let tables = try #require(try await store.tables(project, servers))
        try await python(project, Self.judge, [tables])
    }

    @Test(
        "Columns of every type pass a stream as they are: its table is the raw events', and derived ones are right",
        arguments: [TortureStore.sqlite, .postgresql, .clickhouse])
    func types(_ store: TortureStore) async throws {
        let servers = try await store.startServer()
        let project = try TestProject()
        let streams = """
            streams:
              - { name: every_scan, from: scan, sink: primary }
              - name: heavy
                from: every_scan
                steps:
                  - filter: weight > 10 and depot is not null
                  - derive:
                      twice: weight * 2
                      is_north: place.position.latitude > 0
                      day: cast(timestamp as date)
                      label: "lower(stage)"
                  - project: [event_id, tags, twice, is_north, day, label]
                sink: primary

            """
        try project.write(
            String(decoding: try project.read("domains/logistics.yaml"), as: UTF8.self) + streams,
            to: "domains/logistics.yaml")
        for command in [
            ["apply", "logistics", "--yes"],
            [
                "generate", "logistics", "--events", "3000", "--seed", "4", "--span", "2h", "--start",
                "2024-05-06T01:00:00Z",
            ],
            ["run", "logistics", "--until-idle"],
        ] {
            let outcome = try await project.start(
                command + store.settings(servers).flatMap { ["--set", $0] },
                environment: store.environment(servers)
            ).wait(limit: .seconds(120))
            try #require(outcome.code == 0, "\(outcome)")
        }
        let tables = try #require(try await store.tables(project, servers))
        for (ours, theirs) in [
            ("SELECT * FROM every_scan", "SELECT * FROM scan"),
            (
                // An old ClickHouse holds the days since 1970.
                "SELECT event_id, tags, twice + 0.0, is_north, "
                    + "iif(typeof(day) = 'integer', date(day * 86400, 'unixepoch'), day), label FROM heavy",
                "SELECT event_id, tags, weight * 2.0, place_position_latitude > 0, substr(timestamp, 1, 10), lower(stage) "
                    + "FROM every_scan WHERE weight + 0 > 10"
            ),
        ] {
            let verdict = try await project.python("same_answers.py", [tables, ours, theirs])
            #expect(verdict.code == 0, "\(verdict)")
        }
    }
}
