import DataPath
import Diagnostics
import Foundation
import PluginAPI
import SQLiteClient
import SQLiteSink
import Testing

@Suite("Upserts into SQLite")
struct SQLiteUpsertTests {
    private final class Scratch {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("sqlite-upserts-\(UUID().uuidString)")
        var path: String { root.appendingPathComponent("results.db").path }

        deinit { try? FileManager.default.removeItem(at: root) }

        func open() throws -> any Sink {
            try SQLiteSinkPlugin().open(
                OptionValues(["path": .string("results.db")]), PluginContext(projectRoot: root.path, notify: { _ in }))
        }
    }

    /// A key of many kinds.
    private static func table(isNullable: Bool, key: [String]) -> TableDefinition {
        TableDefinition(
            name: "all", content: .aggregation,
            columns: [
                ColumnSpec("at", .timestamp), ColumnSpec("day", .date, isNullable: isNullable),
                ColumnSpec("user", .string, isNullable: isNullable), ColumnSpec("yes", .boolean),
                ColumnSpec("price", .decimal(precision: 20, scale: 2)), ColumnSpec("long", .long),
                ColumnSpec("share", .double, isNullable: true), ColumnSpec("raw", .bytes), ColumnSpec("n", .long),
            ], key: key, fingerprint: "1")
    }

    private static let keys = [
        ["at", "day", "user"], ["user", "at", "day"], ["yes", "price", "user", "at"], ["long", "yes", "user", "day"],
        ["user", "long", "price"],
    ]
    private static let users = [
        "", "a", "user_", "user_1", "user_10", "user_2", "useр", String(repeating: "long ", count: 9),
    ]

    /// Random rows, keys that come again among them, with the texts that SQLite shows of them.
    private func rows(
        _ count: Int, _ table: TableDefinition, _ random: inout some RandomNumberGenerator, first: Int
    ) -> (batch: RecordBatch, shown: [[String]]) {
        let batch = RecordBatch(schema: BatchSchema(table.columns))
        let isNullable = table.columns[1].isNullable
        var shown: [[String]] = []
        for index in 0..<count {
            let at = Int64.random(in: -1_700_000_000...1_700_000_000, using: &random) / 50_000_000 * 50_000_000
            let day = isNullable && Bool.random(using: &random) ? nil : Int64.random(in: -2...2, using: &random)
            let user =
                isNullable && Int.random(in: 0..<4, using: &random) == 0
                ? nil : Self.users.randomElement(using: &random)
            let isYes = Bool.random(using: &random)
            let price = Int128.random(in: -3...3, using: &random) * 12_345
            let long = [Int64.min, -1, 0, 1, .max].randomElement(using: &random) ?? 0
            let share = Bool.random(using: &random) ? nil : 0.5
            for case (.int64(let vector), let value) in [
                (batch.columns[0], at), (batch.columns[1], day), (batch.columns[5], long),
                (batch.columns[8], Int64(first + index)),
            ] {
                if let value { vector.append(value) } else { vector.appendNull() }
            }
            for case (.bytes(let vector), let value) in [(batch.columns[2], user), (batch.columns[7], "\(index)")] {
                if let value { vector.append(value) } else { vector.appendNull() }
            }
            if case .boolean(let vector) = batch.columns[3] { vector.append(isYes) }
            if case .int128(let vector) = batch.columns[4] { vector.append(price) }
            if case .double(let vector) = batch.columns[6] {
                if let share { vector.append(share) } else { vector.appendNull() }
            }
            let scratch = ByteBuffer()
            TextFormat.writeDecimal(price, scale: 2, to: scratch)
            let priceText = scratch.string
            scratch.removeAll()
            if let day { TextFormat.writeDate(day, to: scratch) }
            shown.append([
                TextFormat.timestamp(at, style: .sqlite), day == nil ? "null" : scratch.string, user ?? "null",
                isYes ? "1" : "0", priceText, "\(long)", share.map { "\($0)" } ?? "null", "\(index)",
                "\(first + index)",
            ])
        }
        batch.rowCount = count
        return (batch, shown)
    }

    @Test(
        "of rows with one key the last one counts, whatever the key is made of and however many rows wait",
        arguments: keys, [false, true])
    func last(key: [String], isNullable: Bool) throws {
        let scratch = Scratch()
        let table = Self.table(isNullable: isNullable, key: key)
        let sink = try scratch.open()
        try sink.apply(table)
        var random = SystemRandomNumberGenerator()
        let positions = key.compactMap { name in table.columns.firstIndex { $0.name == name } }
        var expected: [[String]: [String]] = [:]
        var written = 0
        for count in [5, 1100, 1, 300] {
            for _ in 0..<2 {
                let (batch, shown) = rows(count, table, &random, first: written)
                written += count
                for row in shown { expected[positions.map { row[$0] }] = row }
                try sink.write(batch, to: table)
            }
            try sink.flush()
            let names = table.columns.map { "ifnull(CAST(\"\($0.name)\" AS TEXT), 'null')" }.joined(separator: ", ")
            let found = try #require(try sink.query("SELECT \(names) FROM \"all\"")).rows.map { row in
                row.map { if case .text(let text) = $0 { text } else { "?" } }
            }
            #expect(Set(found) == Set(expected.values) && found.count == expected.count)
        }
    }

    @Test("rows that a trigger refuses are given back after the flush, named in their batches; the others are written")
    func refused() throws {
        let scratch = Scratch()
        let sink = try scratch.open()
        try sink.apply(Notes.table)
        try SQLiteConnection(path: scratch.path).execute(
            """
            CREATE TRIGGER no_bad BEFORE INSERT ON notes WHEN NEW.note LIKE 'bad%'
            BEGIN SELECT RAISE(ABORT, 'bad rows are not wanted'); END
            """)
        // In the order of the key they are far apart from the order in which they came.
        let bad: Set<Int64> = [7, 4999]
        let first = (Int64(0)..<5000).map { (9999 - $0, bad.contains($0) ? "bad \($0)" : "good") }
        try sink.write(Notes.rows(first), to: Notes.table)
        try sink.write(Notes.rows([(1, "good"), (2, "bad"), (3, "good")]), to: Notes.table)
        #expect(sink.takeRefused().isEmpty)
        try sink.flush()
        let refused = sink.takeRefused()
        #expect(refused.map { $0.rows.rowCount } == [5000, 3])
        #expect(refused.map { $0.refused.rows.map(\.row) } == [[7, 4999], [1]])
        #expect(refused.allSatisfy { $0.table == Notes.table })
        let reasons = Set(refused.flatMap { $0.refused.rows.map(\.reason) })
        #expect(
            reasons == ["table 'notes': a trigger or function of the database refuses the row"], "no values of rows")
        #expect(sink.takeRefused().isEmpty)
        #expect(
            try sink.query("SELECT count(*), sum(note = 'good') FROM notes")?.rows == [
                [.integer(5000), .integer(5000)]
            ])
    }

    @Test("more rows than memory is meant for are written before the flush")
    func early() throws {
        let scratch = Scratch()
        let sink = try scratch.open()
        try sink.apply(Notes.table)
        let reader = try scratch.open()
        let long = String(repeating: "x", count: 1 << 20)
        for id in 0..<40 { try sink.write(Notes.rows([(Int64(id), long)]), to: Notes.table) }
        let early = try #require(try reader.query("SELECT count(*) FROM notes")?.rows.first?.first)
        guard case .integer(let count) = early else { throw Failure() }
        #expect((1..<40).contains(count))
        try sink.flush()
        #expect(try reader.query("SELECT count(*) FROM notes")?.rows == [[.integer(40)]])
    }

    private struct Failure: Error {}

    @Test("a table whose columns changed takes rows of its new form, and what waits of the old one is not lost")
    func changed() throws {
        let scratch = Scratch()
        let sink = try scratch.open()
        try sink.apply(Notes.table)
        try sink.write(Notes.rows([(1, "old")]), to: Notes.table)
        var wider = Notes.table
        wider.columns.append(ColumnSpec("more", .long, isNullable: true))
        try sink.apply(wider)
        let batch = Notes.rows([(2, "new")], of: wider)
        if case .int64(let vector) = batch.columns[2] { vector.append(5) }
        try sink.write(batch, to: wider)
        #expect(
            try sink.query("SELECT id, note, more FROM notes ORDER BY id")?.rows
                == [[.integer(1), .text("old"), .null], [.integer(2), .text("new"), .integer(5)]])
    }
}
