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
        #expect(ColumnTypes.holds(existing, ColumnSpec("t", .timestamp)))
        #expect(ColumnTypes.holds("Nullable(\(existing))", ColumnSpec("t", .timestamp, isNullable: true)))
        #expect(!ColumnTypes.holds(existing, ColumnSpec("t", .timestamp, isNullable: true)))
        #expect(!ColumnTypes.holds(existing, ColumnSpec("t", .double)))
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
