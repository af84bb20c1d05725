import ClickHouseTesting
import DataPath
import HTTPClient
import PluginAPI
import Testing

@testable import ClickHouseSink

@Suite("Statements and errors of the sink clickhouse")
struct StatementTests {
    static let table = TableDefinition(
        "sales",
        [
            ColumnSpec("window_start", .timestamp), ColumnSpec("country", .string, isNullable: true),
            ColumnSpec("day", .date, isNullable: true), ColumnSpec("paid", .boolean), ColumnSpec("n", .long),
        ], key: ["window_start", "country", "day", "paid"])

    @Test("a server of today gets the types of today")
    func modern() throws {
        let version = try #require(ServerVersion("24.3.1.2672-lts"))
        #expect(
            SQLText(database: "d", version: version).create(Self.table) == """
                CREATE TABLE IF NOT EXISTS `d`.`sales` (
                  `window_start` DateTime64(3, 'UTC'),
                  `country` Nullable(String),
                  `day` Nullable(Date32),
                  `paid` Bool,
                  `n` Int64,
                  `_version` UInt64)
                ENGINE = ReplacingMergeTree(_version)
                ORDER BY (`window_start`, isNull(`country`), ifNull(`country`, ''), isNull(`day`), \
                ifNull(`day`, CAST(0, 'Date32')), `paid`)
                SETTINGS non_replicated_deduplication_window = 1000
                """)
    }

    @Test("a server of 2018 gets numbers with readable forms beside them")
    func old() throws {
        let version = try #require(ServerVersion("18.16.1"))
        #expect(
            SQLText(database: "d", version: version).create(Self.table) == """
                CREATE TABLE IF NOT EXISTS `d`.`sales` (
                  `window_start` Int64,
                  `country` Nullable(String),
                  `day` Nullable(Int32),
                  `paid` UInt8,
                  `n` Int64,
                  `_version` UInt64,
                  `window_start_datetime` DateTime('UTC') ALIAS toDateTime(intDiv(`window_start`, 1000), 'UTC'),
                  `day_date` Nullable(Date) ALIAS toDate(toUInt16(`day`)))
                ENGINE = ReplacingMergeTree(_version)
                ORDER BY (`window_start`, isNull(`country`), ifNull(`country`, ''), isNull(`day`), \
                ifNull(`day`, CAST(0, 'Int32')), `paid`)
                """)
    }

    @Test("a table keeps the types of the server that made it", arguments: ["Int64", "DateTime64(3, 'UTC')"])
    func upgraded(existing: String) {
        let today = ServerVersion(24, 3)
        #expect(ColumnTypes.holds(existing, ColumnSpec("t", .timestamp), today))
        #expect(ColumnTypes.holds("Array(\(existing))", ColumnSpec("t", .json, element: .timestamp), today))
        #expect(ColumnTypes.holds("Nullable(\(existing))", ColumnSpec("t", .timestamp, isNullable: true), today))
        #expect(!ColumnTypes.holds(existing, ColumnSpec("t", .timestamp, isNullable: true), today))
        #expect(!ColumnTypes.holds(existing, ColumnSpec("t", .double), today))
    }

    @Test(
        "what arrays and maps become",
        arguments: [
            (ColumnSpec("c", .json, element: .string), "Array(String)", "Array(String)"),
            (ColumnSpec("c", .json, element: .timestamp), "Array(DateTime64(3, 'UTC'))", "Array(Int64)"),
            (ColumnSpec("c", .json, element: .boolean), "Array(Bool)", "Array(UInt8)"),
            (ColumnSpec("c", .json, mapValue: .double), "Map(String, Float64)", "String"),
            (
                ColumnSpec("c", .json, mapValue: .decimal(precision: 9, scale: 2)), "Map(String, Decimal(9, 2))",
                "String"
            ),
            (ColumnSpec("c", .json, isNullable: true, element: .string), "Nullable(String)", "Nullable(String)"),
            (ColumnSpec("c", .json, isNullable: true, mapValue: .long), "Nullable(String)", "Nullable(String)"),
            (ColumnSpec("c", .json), "String", "String"),
        ])
    func nested(column: ColumnSpec, today: String, old: String) {
        let versions = [(ServerVersion(24, 3), today), (ServerVersion(18, 16), old)]
        for (version, type) in versions {
            #expect(ColumnTypes.declared(column, version) == type)
            #expect(ColumnTypes.holds(type, column, version))
            #expect(ColumnTypes.holds("String", column, version) == (type == "String"))
        }
    }

    @Test("the same rows have the same token, in the same table")
    func tokens() throws {
        func token(_ table: TableDefinition, _ rows: Range<Int>, firstVersion: UInt64) throws -> String {
            let buffer = InsertBuffer(table, SQLText(database: "d", version: ServerVersion(24, 3)))
            try buffer.append(TableDefinition.rows(rows), firstVersion: firstVersion)
            return buffer.deduplicationToken(buffer.bytes)
        }
        var other = TableDefinition.counts
        other.name = "others"
        let first = try token(.counts, 0..<5, firstVersion: 7)
        #expect(first.count == 32)
        #expect(try token(.counts, 0..<5, firstVersion: 7) == first)
        let others = try [
            token(.counts, 0..<6, firstVersion: 7), token(.counts, 1..<6, firstVersion: 7),
            token(.counts, 0..<5, firstVersion: 8), token(other, 0..<5, firstVersion: 7),
        ]
        #expect(Set(others + [first]).count == 5)
    }

    @Test(
        "which tables a query reads without FINAL",
        arguments: [
            ("select 1", []), ("select * from counts", ["counts"]), ("select * from counts final where n > 0", []),
            ("SELECT * FROM d.counts c FINAL", []), ("SELECT * FROM `counts` AS c WHERE 1", ["counts"]),
            ("select * from d.counts as c", ["counts"]), ("select * from other.counts", []),
            ("select * from (select n from counts) where n = 1", ["counts"]),
            ("select * from (select n from counts final) x join t as y using n", ["t"]),
            ("select * from a, b final, c", ["a", "c"]), ("select * from numbers(10), \"a b\"", []),
            ("select 'from counts' -- from counts\n/* from counts */ from one", ["one"]),
            ("select * from a any left join b using k", ["a", "b"]), ("select '\\' from t' from u", ["u"]),
            ("select argMax(n, _version) from counts group by k", ["counts"]),
            ("select * from counts format JSON", ["counts"]), ("from", []),
            ("select * from counts union all select * from counts", ["counts"]),
        ] as [(String, [String])])
    func reads(sql: String, tables: [String]) {
        let reads = TableReads(sql)
        #expect(reads.withoutFinal(in: "d") == tables)
        #expect(reads.choosesVersions == sql.contains("_version"))
    }

    @Test("what is no version is none", arguments: ["", "Ok.", "<html>", "18", "v18.1"])
    func noVersion(text: String) { #expect(ServerVersion(text) == nil) }

    @Test(
        "an exception is read from old and new servers, and values of rows stay behind",
        arguments: [
            (
                "Code: 60, e.displayText() = DB::Exception: Table d.t doesn't exist., e.what() = DB::Exception",
                "error 60 (UNKNOWN_TABLE): Table d.t doesn't exist."
            ),
            (
                "Code: 60. DB::Exception: Table d.t does not exist. (UNKNOWN_TABLE) (version 24.3.1.2672 (official build))\n",
                "error 60 (UNKNOWN_TABLE): Table d.t does not exist. (UNKNOWN_TABLE)"
            ),
            (
                "Code: 27. DB::Exception: Cannot parse input: expected ',' before 'SECRET' (at row 1). (CANNOT_PARSE_INPUT)",
                "error 27 (CANNOT_PARSE_INPUT_ASSERTION_FAILED)"
            ),
            (
                "Code: 7777. DB::Exception: About 'SECRET'. (A_NEW_ERROR) (version 30.1.1.1)",
                "error 7777 (A_NEW_ERROR)"
            ),
            ("Code: 7777, e.displayText() = DB::Exception: About 'SECRET'", "error 7777 (unnamed)"),
        ])
    func exceptions(body: String, summary: String) {
        let exception = ServerException(HTTPResponse(status: 500, body: Array(body.utf8)))
        #expect(exception?.summary == summary)
    }

    @Test(
        "text that only speaks of codes is no exception",
        arguments: ["Code: 60", "Code: x, e.displayText()", "Ok.", ""])
    func noException(body: String) {
        #expect(ServerException(HTTPResponse(status: 500, body: Array(body.utf8))) == nil)
    }

    @Test(
        "which errors pass by themselves",
        arguments: [
            (159, ServerException.Reaction.backoff), (202, .backoff), (209, .backoff), (241, .backoff), (252, .backoff),
            (999, .backoff), (193, .access), (516, .access), (60, .never), (27, .never), (7777, .never),
        ])
    func reactions(code: Int, reaction: ServerException.Reaction) {
        let response = HTTPResponse(status: 500, headers: [("X-ClickHouse-Exception-Code", "\(code)")])
        #expect(ServerException(response)?.reaction == reaction)
    }
}
