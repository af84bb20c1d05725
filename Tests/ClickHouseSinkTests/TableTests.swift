import ClickHouseTesting
import DataPath
import Diagnostics
import PluginAPI
import TestServers
import Testing

extension ClickHouse {
    @Suite("tables")
    struct TableTests {
        @Test("the last row of a key wins: in a batch, over batches, over inserts, over runs")
        func replacing() throws {
            let (server, database) = try ClickHouse.database()
            let configuration = SinkConfiguration(server.url, database: database)
            func value() throws -> String {
                try server.sql("SELECT n FROM \(database).counts FINAL WHERE k = 'a'")
            }
            let table = TableDefinition.counts
            let first = try configuration.open()
            try first.apply(table)
            try first.write(RecordBatch(table, [["a", 1], ["b", 5], ["a", 2]]), to: table)
            try first.write(RecordBatch(table, [["a", 4], ["a", 3]]), to: table)
            try first.flush()
            #expect(try value() == "3")
            try first.write(RecordBatch(table, [["a", 1]]), to: table)
            try first.close()
            #expect(try value() == "1")
            // A row as a run in the far future would have left it: the clock of the next one seems to be set back.
            try server.sql("INSERT INTO \(database).counts VALUES ('a', 7, \(UInt64.max / 2))")
            let second = try configuration.open()
            try second.write(RecordBatch(table, [["a", 8]]), to: table)
            try second.close()
            #expect(try value() == "8")
            try server.sql("OPTIMIZE TABLE \(database).counts FINAL")
            #expect(try server.sql("SELECT k, n FROM \(database).counts ORDER BY k") == "a\t8\nb\t5")
        }

        @Test("nulls in a key are one group, apart from the empty text and zero")
        func nullKeys() throws {
            let (server, database) = try ClickHouse.database()
            let table = TableDefinition(
                "groups",
                [
                    ColumnSpec("window_start", .timestamp), ColumnSpec("location.country", .string, isNullable: true),
                    ColumnSpec("size", .long, isNullable: true), ColumnSpec("id", .uuid, isNullable: true),
                    ColumnSpec("price", .decimal(precision: 38, scale: 2), isNullable: true),
                    ColumnSpec("day", .date, isNullable: true), ColumnSpec("flag", .boolean, isNullable: true),
                    ColumnSpec("n", .long),
                ], key: ["window_start", "location.country", "size", "id", "price", "day", "flag"])
            let sink = try SinkConfiguration(server.url, database: database).open()
            try sink.apply(table)
            let zero: Value = "00000000-0000-0000-0000-000000000000"
            let keys: [[Value]] = [
                [0, nil, nil, nil, nil, nil, nil], [0, "", nil, nil, nil, nil, nil], [0, nil, 0, nil, nil, nil, nil],
                [0, nil, nil, zero, nil, nil, nil], [0, nil, nil, nil, 0, nil, nil], [0, nil, nil, nil, nil, 0, nil],
                [0, nil, nil, nil, nil, nil, false], [0, "", 0, zero, 0, 0, false],
            ]
            for round in 1...3 {
                try sink.write(
                    RecordBatch(table, keys.enumerated().map { $1 + [.integer(Int128(round * 10 + $0))] }), to: table)
                try sink.flush()
            }
            #expect(try sink.tables()?.map(\.rows) == [8])
            try server.sql("OPTIMIZE TABLE \(database).groups FINAL")
            #expect(
                try server.sql("SELECT groupArray(n) FROM (SELECT n FROM \(database).groups ORDER BY n)")
                    == "[30,31,32,33,34,35,36,37]")
        }

        @Test("a new table is created once, with its database")
        func applyTwice() throws {
            let (server, database) = try ClickHouse.database()
            let sink = try SinkConfiguration(server.url, database: database).open()
            let table = TableDefinition.counts
            #expect(try sink.plan(table) == .create)
            try sink.apply(table)
            #expect(try sink.plan(table) == TableChange.none)
            try sink.write(TableDefinition.rows(0..<3), to: table)
            let before = try server.sql("SELECT name, engine_full FROM system.tables WHERE database = '\(database)'")
            try sink.apply(table)
            #expect(
                try server.sql("SELECT name, engine_full FROM system.tables WHERE database = '\(database)'") == before)
            #expect(try sink.tables()?.map { "\($0.name) \($0.rows)" } == ["counts 3"])
            #expect(
                try server.sql("SELECT name, owner, content, key FROM \(database).streamplat_tables")
                    == "counts\tshop\taggregation\tk")
        }

        @Test("a raw event table is keyed by its event id")
        func rawEvents() throws {
            let (server, database) = try ClickHouse.database()
            var table = TableDefinition(
                name: "purchase", content: .rawEvents,
                columns: [
                    ColumnSpec("event_id", .string), ColumnSpec("timestamp", .timestamp),
                    ColumnSpec("user_id", .string),
                ],
                key: ["event_id"], fingerprint: "1")
            table.owner = "shop"
            let sink = try SinkConfiguration(server.url, database: database).open()
            try sink.apply(table)
            for _ in 1...2 {
                try sink.write(RecordBatch(table, [["e1", 5, "u"], ["e2", 6, "u"]]), to: table)
                try sink.flush()
            }
            #expect(try sink.tables()?.map(\.rows) == [2])
            #expect(
                try server.sql(
                    "SELECT engine_full FROM system.tables WHERE database = '\(database)' AND name = 'purchase'"
                )
                .hasPrefix("ReplacingMergeTree(_version) ORDER BY event_id"))
        }

        @Test("added columns are added without losing rows; a changed meaning empties the table")
        func alterAndRebuild() throws {
            let (server, database) = try ClickHouse.database()
            let sink = try SinkConfiguration(server.url, database: database).open()
            let old = TableDefinition(
                "t", [ColumnSpec("k", .string), ColumnSpec("n", .long), ColumnSpec("gone", .double)])
            try sink.apply(old)
            try sink.write(RecordBatch(old, [["a", 1, 0.5]]), to: old)
            try sink.flush()
            var wider = TableDefinition(
                "t", old.columns + [ColumnSpec("total", .decimal(precision: 38, scale: 2), isNullable: true)])
            #expect(try sink.plan(wider) == .alter(["add column total Nullable(Decimal(38, 2))"]))
            try sink.apply(wider)
            #expect(try sink.plan(wider) == TableChange.none)
            #expect(try server.sql("SELECT * FROM \(database).t").hasPrefix("a\t1\t0.5\t"))
            wider.columns.remove(at: 2)
            wider.columns.append(ColumnSpec("at", .timestamp))
            wider.fingerprint = "2"
            #expect(
                try sink.plan(wider)
                    == .rebuild([
                        "add column at Int64, 0 or empty in the rows that are there until they are counted anew",
                        "keep column gone, null, 0 or empty from now on",
                    ]))
            try sink.apply(wider)
            #expect(try sink.plan(wider) == TableChange.none)
            #expect(try server.sql("SELECT count() FROM \(database).t") == "0")
            try sink.write(RecordBatch(wider, [["b", 2, 350, 1_000]]), to: wider)
            try sink.flush()
            #expect(
                try server.sql("SELECT k, n, total, at, at_datetime, gone FROM \(database).t FINAL")
                    == "b\t2\t3.50\t1000\t1970-01-01 00:00:01\t0")
        }

        @Test("what is not ours, or would lose data, is refused and stays")
        func refusals() throws {
            let (server, database) = try ClickHouse.database()
            let sink = try SinkConfiguration(server.url, database: database).open()
            func reason(_ table: TableDefinition) throws -> String {
                guard case .refuse(let reason, let hint) = try sink.plan(table) else { return "not refused" }
                #expect(!hint.isEmpty)
                let error = #expect(throws: PipelineError.self) { try sink.apply(table) }
                #expect(error?.code == .tableRefused)
                return reason
            }
            let table = TableDefinition.counts
            try sink.apply(table)
            try sink.write(TableDefinition.rows(0..<2), to: table)
            try sink.flush()
            var other = table
            other.owner = "bank"
            other.fingerprint = "2"
            #expect(try reason(other) == "table 'counts' belongs to domain 'shop'")
            var rekeyed = table
            rekeyed.key = ["k", "n"]
            #expect(try reason(rekeyed) == "the key of table 'counts' would change from (k) to (k, n)")
            let retyped = TableDefinition("counts", [ColumnSpec("k", .string), ColumnSpec("n", .string)])
            #expect(try reason(retyped) == "column 'n' of table 'counts' is Int64 and would become String")
            let loosened = TableDefinition(
                "counts", [ColumnSpec("k", .string), ColumnSpec("n", .long, isNullable: true)])
            #expect(try reason(loosened) == "column 'n' of table 'counts' is Int64 and would become Nullable(Int64)")
            try server.sql("CREATE TABLE \(database).foreign (k String, n Int64) ENGINE = Memory")
            let foreign = TableDefinition("foreign", table.columns)
            #expect(try reason(foreign) == "a table 'foreign' that streamplat did not create is there already")
            // Ours by name only: somebody dropped the table and made another.
            try server.sql(
                "DROP TABLE \(database).counts; CREATE TABLE \(database).counts (k String, n Int64) ENGINE = Log")
            #expect(try reason(table) == "a table 'counts' that streamplat did not create is there already")
            #expect(try reason(TableDefinition("streamplat_tables", table.columns)).contains("the sink's own"))
            #expect(try reason(TableDefinition("v", [ColumnSpec("_version", .long)])).contains("the sink's own"))
            #expect(
                try server.sql("SELECT name FROM system.tables WHERE database = '\(database)' ORDER BY name")
                    == "counts\nforeign\nstreamplat_tables\nstreamplat_writers")
        }

        @Test("a table that holds arrays as text, of an older streamplat, is a difference and stays")
        func arraysAsText() throws {
            let (server, database) = try ClickHouse.database()
            let sink = try SinkConfiguration(server.url, database: database).open()
            let old = TableDefinition("scans", [ColumnSpec("k", .string), ColumnSpec("tags", .json)])
            try sink.apply(old)
            try sink.write(RecordBatch(old, [["a", "[\"x\"]"]]), to: old)
            try sink.flush()
            let table = TableDefinition("scans", [old.columns[0], ColumnSpec("tags", .json, element: .string)])
            guard case .refuse(let reason, let hint) = try sink.plan(table) else {
                Issue.record("not refused")
                return
            }
            #expect(reason == "column 'tags' of table 'scans' is String and would become Array(String)")
            #expect(hint.contains("RENAME TABLE"))
            #expect(throws: PipelineError.self) { try sink.apply(table) }
            #expect(try server.sql("SELECT tags FROM \(database).scans") == "[\"x\"]")
            // As the hint says.
            try server.sql("RENAME TABLE \(database).scans TO \(database).scans_old")
            #expect(try sink.plan(table) == .create)
            try sink.apply(table)
            #expect(try sink.plan(table) == TableChange.none)
        }

        @Test("a table that is listed but was never created, as after a crash, is created")
        func crashBetween() throws {
            let (server, database) = try ClickHouse.database()
            let sink = try SinkConfiguration(server.url, database: database).open()
            try sink.apply(.counts)
            try server.sql("DROP TABLE \(database).counts")
            #expect(try sink.tables()?.count == 0)
            #expect(try sink.plan(.counts) == .create)
            try sink.apply(.counts)
            #expect(try sink.plan(.counts) == TableChange.none)
        }

        @Test("names with quotes and backslashes are only names")
        func quoting() throws {
            let (server, database) = try ClickHouse.database()
            let odd = "o`d'd\\ \"name"
            let table = TableDefinition(odd, [ColumnSpec("k`\\'", .string), ColumnSpec("n", .long)])
            let sink = try SinkConfiguration(server.url, database: database).open()
            try sink.apply(table)
            #expect(try sink.plan(table) == TableChange.none)
            try sink.write(RecordBatch(table, [["a", 1]]), to: table)
            #expect(try sink.tables()?.map(\.name) == [odd])
            #expect(try server.sql("SELECT count() FROM system.tables WHERE database = '\(database)'") == "3")
        }

        @Test("to inspect creates nothing, and a missing database holds nothing")
        func inspect() throws {
            let (server, database) = try ClickHouse.database()
            let sink = try SinkConfiguration(server.url, database: database).open(.inspect)
            #expect(try sink.plan(.counts) == .create)
            #expect(try sink.tables()?.count == 0)
            #expect(try sink.health().version.hasPrefix("ClickHouse "))
            let error = #expect(throws: PipelineError.self) { try sink.query("SELECT 1") }
            #expect(error?.code == .queryFailed)
            #expect(error?.hint?.contains("apply") == true)
            try sink.close()
            #expect(try server.sql("SELECT count() FROM system.databases WHERE name = '\(database)'") == "0")
        }

        @Test("without create_database a missing database is an error that says so")
        func noDatabase() throws {
            let (server, database) = try ClickHouse.database()
            let sink = try SinkConfiguration(
                server.url, database: database, others: ["create_database": "false"]
            ).open()
            let error = #expect(throws: PipelineError.self) { try sink.apply(.counts) }
            #expect(error?.code == .clickHouseRefused)
            #expect(error?.message.contains("UNKNOWN_DATABASE") == true)
            #expect(try server.sql("SELECT count() FROM system.databases WHERE name = '\(database)'") == "0")
        }
    }
}
