import DataPath
import Diagnostics
import Foundation
import PlatformModel
import PluginAPI
import SQLiteClient
import StreamRuntime
import StreamplatKit
import Testing

@Suite("Too many bad records, and rows that a sink refuses")
struct RefusalTests {
    private static let domain = """
        domain: shop
        entity: { primary_key: user_id }
        event_types:
          - name: purchase
            raw_events: true
            metrics:
              - { name: quantity, type: long }
            dimensions: [currency]
        aggregations:
          - name: by_currency
            from: [purchase]
            type: count
            group_by: [currency]
            window: { type: tumbling, duration: 1 hour }

        """

    private static func event(_ number: Int) -> String {
        "{\"event_id\":\"e\(number)\",\"timestamp\":\(1_600_000_000_000 + number * 1000),\"user_id\":\"u\","
            + "\"quantity\":\(number),\"currency\":\"\(["EUR", "USD"][number % 2])\"}"
    }

    private func harness(_ settings: String = "") throws -> RunHarness {
        let harness = try RunHarness(domain: Self.domain)
        try "kafka: { topics: { partitions: 1 } }\n\(settings)\n".write(
            to: harness.folder.appendingPathComponent("environments/local.yaml"), atomically: true, encoding: .utf8)
        try harness.apply()
        return harness
    }

    @Test("too large a share halts the run with the commonest cause; what was read is counted and not read twice")
    func breaker() throws {
        let harness = try harness("dead_letters: { max_share: 5%, min_records: 50 }")
        try harness.ingest((0..<80).map(Self.event), as: "purchase")
        for _ in 0..<20 { try harness.send([9, 9, 9], to: "events.purchase") }
        let error = #expect(throws: PipelineError.self) { try harness.run() }
        #expect(error?.code == .tooManyDeadLetters)
        #expect(error?.exitCode == 1)
        for words in ["20 of the last 100 records (20.0 %)", "SP6105", "wire format"] {
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
        #expect(error?.hint?.contains("streamplat dlq list") == true)
        #expect(try harness.rows("select sum(count) from by_currency") == ["80"])
        #expect(try harness.letters().count == 20)
        #expect(try harness.run().eventsRead == 0)
    }

    @Test("a smaller share, few records, or no limit let the run go on", arguments: ["20%", "off", "few"])
    func withinLimit(_ share: String) throws {
        let settings =
            switch share {
            case "off": ""
            case "few": "dead_letters: { max_share: 0.01, min_records: 11 }"
            default: "dead_letters: { max_share: \(share), min_records: 10 }"
            }
        let harness = try harness(settings)
        try harness.ingest((0..<8).map(Self.event), as: "purchase")
        for _ in 0..<2 { try harness.send([9], to: "events.purchase") }
        #expect(try harness.run().deadLetters == 2)
    }

    /// Takes every row and finds out only at the commit that its store does not.
    private final class LateRefusal: Sink {
        private var batches: [(TableDefinition, RecordBatch)] = []
        private var refused: [RefusedBatch] = []

        func plan(_ table: TableDefinition) throws -> TableChange { .none }
        func apply(_ table: TableDefinition) throws {}
        func write(_ rows: RecordBatch, to table: TableDefinition) throws { batches.append((table, rows)) }
        func flush() throws {
            refused += batches.filter { $0.0.content == .rawEvents }.map { table, rows in
                let row = RefusedRows.Row(row: 0, column: nil, reason: "the first row never passes")
                return RefusedBatch(
                    table: table, rows: rows, refused: RefusedRows(code: .sinkFailed, rows: [row]))
            }
            batches = []
        }
        func takeRefused() -> [RefusedBatch] {
            defer { refused = [] }
            return refused
        }
        func query(_ sql: String) throws -> QueryResult? { nil }
        func tables() throws -> [(name: String, rows: Int64)]? { nil }
        func health() throws -> ComponentHealth { ComponentHealth(version: "late") }
        func close() throws { try flush() }
    }

    @Test(
        "a row that the store refuses after the sink had taken it is a dead letter, too, and is not counted as written")
    func lateRefusal() throws {
        let harness = try harness()
        try harness.ingest((0..<10).map(Self.event), as: "purchase")
        let system = try harness.open()
        let options = RunOptions(untilIdle: true, workers: 1)
        let summary = try Pipeline(
            Pipeline.Parts(
                domain: system.domain, settings: system.project.platform.runtime,
                deadLetters: system.project.platform.deadLetters,
                topicPrefix: system.project.platform.topicPrefix, broker: system.broker, schemas: system.schemas,
                sinkNatures: ["primary": .table], openSink: { _ in LateRefusal() },
                checkpointFolder: harness.folder.appendingPathComponent("checkpoints").path, notify: { _ in }),
            options: options
        ).run()
        try system.close()
        let letters = try harness.storedLetters()
        #expect(letters.map(\.letter.message) == ["the first row never passes"])
        #expect(letters.first?.letter.key.map { String(decoding: $0, as: UTF8.self) } == "{\"event_id\":\"e0\"}")
        #expect(summary.rowsWritten == 9 + 2)
    }

    @Test(
        "a trigger that rolls the whole transaction back ends the run, which goes on when it is gone, and loses nothing"
    )
    func rolledBack() throws {
        let harness = try harness()
        let database = harness.folder.appendingPathComponent(".streamplat/results.db").path
        try SQLiteConnection(path: database).execute(
            """
            CREATE TRIGGER no_dollars BEFORE INSERT ON by_currency WHEN NEW.currency = 'USD'
              BEGIN SELECT RAISE(ROLLBACK, 'no dollars here'); END
            """)
        try harness.ingest((0..<10).map(Self.event), as: "purchase")
        let error = #expect(throws: PipelineError.self) { try harness.run() }
        #expect(error?.code == .sinkFailed && error?.exitCode == 1)
        #expect(error?.message.contains("table 'by_currency'") == true)
        #expect(error?.message.contains("no dollars here") == true)
        // Others may have been written in a transaction before.
        #expect(try harness.rows("select count(*) from by_currency where currency = 'USD'") == ["0"])
        try SQLiteConnection(path: database).execute("DROP TRIGGER no_dollars")
        try harness.run()
        #expect(try harness.rows("select currency, count from by_currency order by 1") == ["EUR|5", "USD|5"])
        #expect(try harness.rows("select count(*) from purchase") == ["10"])
        #expect(try harness.letters().isEmpty)
    }

    @Test("a row that the sink refuses is one dead letter, the others are written, and a replay counts it anew")
    func rows() throws {
        let harness = try harness()
        let database = harness.folder.appendingPathComponent(".streamplat/results.db").path
        do {
            let connection = try SQLiteConnection(path: database)
            try connection.execute(
                """
                CREATE TRIGGER no_dollars BEFORE INSERT ON by_currency WHEN NEW.currency = 'USD'
                  BEGIN SELECT RAISE(ABORT, 'canary'); END;
                CREATE TRIGGER not_five BEFORE INSERT ON purchase WHEN NEW.quantity = 5
                  BEGIN SELECT RAISE(ABORT, 'canary'); END
                """)
        }
        try harness.ingest((0..<10).map(Self.event), as: "purchase")
        try harness.run()
        try harness.ingest((10..<20).map(Self.event), as: "purchase")
        try harness.run { $0.workers = 1 }
        #expect(try harness.rows("select currency, count from by_currency") == ["EUR|10"])
        #expect(try harness.rows("select count(*) from purchase") == ["19"])

        let letters = try harness.storedLetters("table = 'by_currency'")
        // One a run: the second run cannot know of the first's.
        #expect(letters.count == 2)
        let letter = try #require(letters.first?.letter)
        #expect(letter.stage == .sink && letter.code == "SP6109")
        #expect(letter.aggregation == "by_currency")
        #expect(!letter.message.contains("canary"))
        let row = try JSONSerialization.jsonObject(with: Data(letter.value ?? [])) as? [String: Any]
        #expect(row?["currency"] as? String == "USD" && row?["count"] as? Int == 5)
        let raw = try #require(try harness.storedLetters("table = 'purchase'").first)
        #expect(raw.letter.key.map { String(decoding: $0, as: UTF8.self) } == "{\"event_id\":\"e5\"}")
        #expect(raw.eventType == "purchase")

        do {
            let connection = try SQLiteConnection(path: database)
            try connection.execute("DROP TRIGGER no_dollars; DROP TRIGGER not_five")
        }
        let (plan, _) = try harness.replay()
        #expect(plan.tables.keys.sorted() == ["by_currency", "purchase"])
        try harness.run()
        #expect(
            try harness.rows("select currency, count from by_currency order by 1") == ["EUR|10", "USD|10"])
        #expect(try harness.rows("select count(*) from purchase") == ["20"])
        #expect(try harness.replay().plan.isEmpty, "replayed once")
    }
}
