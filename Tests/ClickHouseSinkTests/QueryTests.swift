import ClickHouseTesting
import Diagnostics
import PluginAPI
import TestServers
import Testing

extension ClickHouse {
    @Suite("queries")
    struct QueryTests {
        private func open() throws -> (server: ClickHouseServer, database: String, sink: any Sink) {
            let (server, database) = try ClickHouse.database()
            try server.sql("CREATE DATABASE \(database)")
            return (server, database, try SinkConfiguration(server.url, database: database).open(.inspect))
        }

        @Test("every kind of cell comes back exactly")
        func cells() throws {
            let (_, _, sink) = try open()
            let result = try sink.query(
                """
                SELECT toInt64(-9223372036854775808) AS least, toUInt64(18446744073709551615) AS most, 0.1 AS tenth,
                  1 / 0 AS infinite, NULL AS nothing, toNullable(5) AS some, 'a\\tb\\n\\\\N' AS text, '' AS empty,
                  toDecimal64('12345678901234.5000', 4) AS exact, [1, 2] AS list, toDate('2026-11-21') AS day;
                """)
            #expect(
                result?.columns == [
                    "least", "most", "tenth", "infinite", "nothing", "some", "text", "empty", "exact", "list", "day",
                ])
            #expect(
                result?.rows == [
                    [
                        .integer(.min), .text("18446744073709551615"), .double(0.1), .double(.infinity), .null,
                        .integer(5), .text("a\tb\n\\N"), .text(""), .text("12345678901234.5000"), .text("[1,2]"),
                        .text("2026-11-21"),
                    ]
                ])
        }

        @Test("who reads without FINAL is told what to write, once a table, and gets the rows")
        func remindsOfFinal() throws {
            let (server, database) = try ClickHouse.database()
            let notices = Notices()
            let sink = try SinkConfiguration(server.url, database: database).open(notices: notices)
            try sink.apply(.counts)
            try server.sql("CREATE TABLE \(database).foreign (x UInt8) ENGINE = Memory")
            for sql in [
                "SELECT * FROM counts FINAL", "SELECT * FROM foreign", "SELECT name FROM system.tables",
                "SELECT k, argMax(tuple(n), _version).1 FROM counts GROUP BY k",
            ] {
                #expect(try sink.query(sql) != nil)
                #expect(notices.all.isEmpty, "\(sql)")
            }
            try sink.write(TableDefinition.rows(0..<3), to: .counts)
            try sink.flush()
            #expect(try sink.query("SELECT count() FROM counts")?.rows == [[.integer(3)]])
            #expect(notices.all.count == 1)
            #expect(notices.all.first?.contains("FROM counts FINAL") == true)
        }

        @Test("no rows, many rows, and the sink's database by default")
        func shapes() throws {
            let (server, database, sink) = try open()
            try server.sql("CREATE TABLE \(database).mine (x UInt8) ENGINE = Memory")
            let none = try sink.query("SELECT x FROM mine")
            #expect(none?.columns == ["x"] && none?.rows.isEmpty == true)
            let many = try sink.query("SELECT number FROM system.numbers LIMIT 100000")
            #expect(many?.rows.count == 100_000 && many?.rows.last == [.integer(99_999)])
        }

        @Test(
            "nothing can be changed by a query",
            arguments: [
                "CREATE TABLE z (x UInt8) ENGINE = Memory", "DROP TABLE kept", "INSERT INTO kept VALUES (1)",
                "TRUNCATE TABLE kept", "SELECT 1 SETTINGS readonly = 0",
            ])
        func readOnly(sql: String) throws {
            let (server, database, sink) = try open()
            try server.sql(
                "CREATE TABLE \(database).kept (x UInt8) ENGINE = Memory; INSERT INTO \(database).kept VALUES (7)")
            let error = #expect(throws: PipelineError.self) { try sink.query(sql) }
            #expect(error?.code == .queryFailed)
            #expect(try server.sql("SELECT name FROM system.tables WHERE database = '\(database)'") == "kept")
            #expect(try server.sql("SELECT x FROM \(database).kept") == "7")
        }

        @Test(
            "a wrong query says what is wrong",
            arguments: [
                ("SELEC 1", "SYNTAX_ERROR", "Syntax error"), ("SELECT * FROM nowhere", "UNKNOWN_TABLE", "nowhere"),
                ("SELECT nofunction(1)", "UNKNOWN_FUNCTION", "nofunction"),
                ("SELECT throwIf(number = 90000) FROM system.numbers LIMIT 100000", "THROW_IF", ""),
                ("SELECT toUInt8('canary')", "CANNOT_PARSE_TEXT", ""), ("SELECT 1 FORMAT JSON", "format", ""),
            ])
        func mistakes(sql: String, name: String, text: String) throws {
            let (_, _, sink) = try open()
            let error = #expect(throws: PipelineError.self) { try sink.query(sql) }
            #expect(error?.code == .queryFailed)
            #expect(error?.retry == .never)
            #expect(error?.message.contains(name) == true)
            #expect(error?.message.contains(text) == true || text.isEmpty)
            #expect(error?.message.contains("canary") == false)
            #expect((error?.message.count ?? 0) < 420)
        }
    }
}
