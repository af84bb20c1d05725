import DataPath
import Diagnostics
import PluginAPI
import Testing

extension PostgreSQLSinkTests {
    @Suite("Queries and health")
    struct QueryTests {
        @Test("cells have the types of their columns")
        func cells() throws {
            let result = try TestSchema().open().query(
                """
                SELECT 1::smallint AS a, 2::int AS b, 3::bigint AS c, 0.5::real AS d, 0.1::float8 AS e,
                  12.50::numeric AS f, true AS g, 'x' AS h, NULL::int AS i, '\\xff00'::bytea AS j,
                  timestamptz '2026-11-21 14:45:30.123+01' AS k
                """)
            #expect(result?.columns == ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"])
            #expect(
                result?.rows == [
                    [
                        .integer(1), .integer(2), .integer(3), .double(0.5), .double(0.1), .text("12.50"),
                        .text("true"), .text("x"), .null, .text("\\xff00"), .text("2026-11-21 13:45:30.123+00"),
                    ]
                ])
        }

        @Test("a query sees what was written, in the sink's schema")
        func seesRows() throws {
            let schema = try TestSchema()
            let sink = try schema.open()
            try sink.apply(Sample.table())
            try sink.write(Sample.rows([(0, "a", 41)]), to: Sample.table())
            #expect(try sink.query("SELECT total + 1 AS n FROM sums;")?.rows == [[.integer(42)]])
            #expect(try sink.query("SELECT total FROM sums WHERE false")?.columns == ["total"])
        }

        @Test(
            "what is no query is refused and changes nothing",
            arguments: [
                "DELETE FROM sums", "DELETE FROM sums RETURNING *", "COMMIT; DELETE FROM sums", "COMMIT",
                "WITH gone AS (DELETE FROM sums RETURNING 1) SELECT * FROM gone", "COPY sums TO STDOUT",
                "COPY sums FROM STDIN", "CREATE TABLE x (a int)", "", "SELEC 1", "SELECT nothing",
            ])
        func refused(sql: String) throws {
            let schema = try TestSchema()
            let sink = try schema.open()
            try sink.apply(Sample.table())
            try sink.write(Sample.rows([(0, "a", 1)]), to: Sample.table())
            let error = #expect(throws: PipelineError.self) { try sink.query(sql) }
            #expect(error?.code == .queryFailed && error?.hint != nil)
            #expect(try sink.query("SELECT count(*) FROM sums")?.rows == [[.integer(1)]])
        }

        @Test("health tells the server's version and whether TLS is used")
        func health() throws {
            let schema = try TestSchema()
            let health = try schema.open().health()
            #expect(health.version.hasPrefix("PostgreSQL 1"))
            #expect(health.detail == "with TLS")
            #expect(try schema.open(["tls_mode": .string("disable")]).health().detail == "without TLS")
        }
    }
}
