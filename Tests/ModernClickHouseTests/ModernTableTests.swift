import ClickHouseTesting
import DataPath
import Diagnostics
import PluginAPI
import Testing

extension Modern {
    @Suite("tables")
    struct ModernTableTests {
        /// A result table with a nullable group of every kind.
        static let aggregation = TableDefinition(
            "sales",
            [
                ColumnSpec("window_start", .timestamp), ColumnSpec("window_end", .timestamp),
                ColumnSpec("country", .string, isNullable: true), ColumnSpec("size", .long, isNullable: true),
                ColumnSpec("id", .uuid, isNullable: true), ColumnSpec("day", .date, isNullable: true),
                ColumnSpec("price", .decimal(precision: 38, scale: 2), isNullable: true),
                ColumnSpec("flag", .boolean, isNullable: true), ColumnSpec("at", .timestamp, isNullable: true),
                ColumnSpec("rate", .double, isNullable: true), ColumnSpec("n", .long),
            ],
            key: ["window_start", "window_end", "country", "size", "id", "day", "price", "flag", "at", "rate"])

        static let raw: TableDefinition = {
            var table = TableDefinition(
                name: "scan", content: .rawEvents,
                columns: [
                    ColumnSpec("event_id", .string), ColumnSpec("timestamp", .timestamp),
                    ColumnSpec("place.city", .string, isNullable: true), ColumnSpec("tags", .json, element: .string),
                    ColumnSpec("readings", .json, mapValue: .double), ColumnSpec("legs", .json),
                ],
                key: ["event_id"], fingerprint: "1")
            table.owner = "shop"
            return table
        }()

        private func definitions(_ server: ModernServer, _ database: String) throws -> String {
            try server.sql(
                "SELECT name, create_table_query FROM system.tables WHERE database = '\(database)' ORDER BY name "
                    + "FORMAT TSVRaw")
        }

        @Test("applied twice, the second time does nothing", arguments: [aggregation, raw])
        func applyTwice(table: TableDefinition) throws {
            let (server, database) = try Modern.database()
            let sink = try server.configuration(database).open()
            #expect(try sink.plan(table) == .create)
            try sink.apply(table)
            let before = try definitions(server, database)
            #expect(before.contains("ENGINE = ReplacingMergeTree(_version)"))
            #expect(before.contains("non_replicated_deduplication_window = 1000"))
            #expect(before.contains("DateTime64(3, 'UTC')"))
            // As a new run would see it.
            let again = try server.configuration(database).open()
            #expect(try again.plan(table) == TableChange.none)
            try again.apply(table)
            #expect(try definitions(server, database) == before)
            #expect(try again.tables()?.map(\.name) == [table.name])
        }

        @Test("a constraint of others refuses rows one by one, and all others are written")
        func constraint() throws {
            let (server, database) = try Modern.database()
            let sink = try server.configuration(database).open()
            try sink.apply(.counts)
            try server.sql("ALTER TABLE \(database).counts ADD CONSTRAINT odd CHECK n NOT IN (0, 333, 334, 499)")
            for start in stride(from: 0, to: 500, by: 100) {
                try sink.write(TableDefinition.rows(start..<start + 100), to: .counts)
            }
            try sink.flush()
            let batches = sink.takeRefused()
            #expect(batches.map { $0.refused.rows.map(\.row) } == [[0], [33, 34], [99]])
            for row in batches.flatMap(\.refused.rows) {
                #expect(row.reason.contains("VIOLATED_CONSTRAINT") && !row.reason.contains("Column values"))
            }
            #expect(try server.sql("SELECT count() FROM \(database).counts FINAL") == "496")
            try sink.write(TableDefinition.rows(1..<2), to: .counts)
            try sink.flush()
            #expect(sink.takeRefused().isEmpty)
        }

        @Test("nulls in a key are one group, apart from the empty text and zero, and the last row of a key wins")
        func nullKeys() throws {
            let (server, database) = try Modern.database()
            let table = Self.aggregation
            let sink = try server.configuration(database).open()
            try sink.apply(table)
            let zero: Value = "00000000-0000-0000-0000-000000000000"
            let values: [Value] = ["", 0, zero, 0, 0, false, 0, 0.0]
            var keys: [[Value]] = [[Value]](repeating: Array(repeating: nil, count: values.count), count: 1)
            for (index, value) in values.enumerated() {
                var key = [Value](repeating: nil, count: values.count)
                key[index] = value
                keys.append(key)
            }
            keys.append(values)
            for round in 1...3 {
                try sink.write(
                    RecordBatch(
                        table, keys.enumerated().map { [0, 3_600_000] + $1 + [.integer(Int128(round * 100 + $0))] }),
                    to: table)
                try sink.flush()
            }
            #expect(try sink.tables()?.map(\.rows) == [10])
            #expect(
                try server.sql("SELECT groupArray(n) FROM (SELECT n FROM \(database).sales FINAL ORDER BY n)")
                    == "[300,301,302,303,304,305,306,307,308,309]")
            try server.sql("OPTIMIZE TABLE \(database).sales FINAL")
            #expect(try server.sql("SELECT count(), min(n) FROM \(database).sales") == "10\t300")
        }

        @Test("rows that come again in another run replace those that are there")
        func replacing() throws {
            let (server, database) = try Modern.database()
            for factor in [3, 2, 1] {
                let sink = try server.configuration(database).open()
                try sink.apply(.counts)
                try sink.write(TableDefinition.rows(0..<1000, factor: factor), to: .counts)
                try sink.close()
            }
            #expect(try server.sql("SELECT count(), sum(n) FROM \(database).counts FINAL") == "1000\t499500")
        }

        @Test("added columns are added without losing rows")
        func addedColumns() throws {
            let (server, database) = try Modern.database()
            let sink = try server.configuration(database).open()
            try sink.apply(.counts)
            try sink.write(TableDefinition.rows(0..<2), to: .counts)
            try sink.flush()
            let wider = TableDefinition(
                "counts",
                TableDefinition.counts.columns + [
                    ColumnSpec("total", .decimal(precision: 38, scale: 2), isNullable: true),
                    ColumnSpec("at", .timestamp, isNullable: true), ColumnSpec("tags", .json, element: .string),
                    ColumnSpec("readings", .json, mapValue: .double), ColumnSpec("day", .date, isNullable: true),
                ])
            guard case .alter(let steps) = try sink.plan(wider) else {
                Issue.record("no difference")
                return
            }
            #expect(steps.count == 5)
            #expect(steps.contains("add column at Nullable(DateTime64(3, 'UTC'))"))
            try sink.apply(wider)
            #expect(try sink.plan(wider) == TableChange.none)
            try sink.write(RecordBatch(wider, [["k1", 5, 125, 0, "[\"x\"]", "{\"t\":1}", 0]]), to: wider)
            try sink.close()
            #expect(
                try server.json("SELECT k, n, total, at, tags, readings, day FROM \(database).counts FINAL ORDER BY k")
                    == """
                    ["k0", 0, null, null, [], {}, null]
                    ["k1", 5, 1.25, "1970-01-01 00:00:00.000", ["x"], {"t":1}, "1970-01-01"]
                    """)
        }

        @Test("a table that holds arrays and maps as text is a difference and stays", arguments: ["tags", "readings"])
        func nestedAsText(column: String) throws {
            let (server, database) = try Modern.database()
            let sink = try server.configuration(database).open()
            var old = Self.raw
            let index = try #require(old.columns.firstIndex { $0.name == column })
            old.columns[index] = ColumnSpec(column, .json)
            try sink.apply(old)
            let before = try definitions(server, database)
            guard case .refuse(let reason, let hint) = try sink.plan(Self.raw) else {
                Issue.record("not refused")
                return
            }
            #expect(reason.contains("column '\(column)' of table 'scan' is String"))
            #expect(hint.contains("RENAME TABLE"))
            #expect(throws: PipelineError.self) { try sink.apply(Self.raw) }
            #expect(try definitions(server, database) == before)
        }

        @Test("a query sees the newest rows only, and cannot change anything")
        func query() throws {
            let (server, database) = try Modern.database()
            let notices = Notices()
            let sink = try server.configuration(database).open(notices: notices)
            try sink.apply(.counts)
            try server.sql("SYSTEM STOP MERGES \(database).counts")
            for factor in 1...3 {
                try sink.write(TableDefinition.rows(0..<10, factor: factor), to: .counts)
                try sink.flush()
            }
            #expect(try server.sql("SELECT count() FROM \(database).counts") == "30")
            for sql in [
                "SELECT count(), sum(n) FROM counts", "SELECT count(), sum(n) FROM \(database).counts FINAL",
                "SELECT count(), sum(n) FROM (SELECT n FROM counts)",
                "SELECT count(), sum(a.n) FROM counts AS a JOIN counts AS b ON a.k = b.k",
            ] {
                #expect(try sink.query(sql)?.rows == [[.integer(10), .integer(135)]], "\(sql)")
            }
            #expect(
                try sink.query("SELECT count() FROM counts SETTINGS final = 0")?.rows == [[.integer(30)]],
                "who wants them all says so")
            #expect(notices.all.isEmpty)
            for sql in ["DROP TABLE counts", "INSERT INTO counts VALUES ('x', 1, 1)", "SET readonly = 0"] {
                let error = #expect(throws: PipelineError.self) { try sink.query(sql) }
                #expect(error?.code == .queryFailed, "\(sql)")
            }
            let cells = try sink.query(
                "SELECT k, n, toDateTime64(0, 3, 'UTC') AS t, [1, 2] AS a FROM counts ORDER BY k LIMIT 1")
            #expect(cells?.rows == [[.text("k0"), .integer(0), .text("1970-01-01 00:00:00.000"), .text("[1,2]")]])
        }

        @Test(
            "what the engine says of a mistake is understood",
            arguments: [
                ("SELEC 1", "SYNTAX_ERROR"), ("SELECT * FROM nowhere", "UNKNOWN_TABLE"),
                ("SELECT nofunction(1)", "UNKNOWN_FUNCTION"), ("SELECT x FROM counts", "UNKNOWN_IDENTIFIER"),
                ("SELECT toUInt8('canary')", "CANNOT_PARSE_TEXT"),
            ])
        func mistakes(sql: String, name: String) throws {
            let (server, database) = try Modern.database()
            let sink = try server.configuration(database).open()
            try sink.apply(.counts)
            let error = #expect(throws: PipelineError.self) { try sink.query(sql) }
            #expect(error?.code == .queryFailed)
            #expect(error?.message.contains(name) == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("canary") == false)
        }

        @Test("who may not enter is told so, without the password")
        func access() throws {
            let (server, database) = try Modern.database()
            var configuration = server.configuration(database)
            configuration.password = "wrong-canary"
            let error = #expect(throws: PipelineError.self) { try configuration.open() }
            #expect(error?.code == .clickHouseAccess)
            #expect(error?.exitCode == 3)
            #expect(String(reflecting: error).contains("canary") == false)
        }
    }
}
