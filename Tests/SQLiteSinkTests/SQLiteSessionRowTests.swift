import ConfigTree
import DataPath
import Diagnostics
import Foundation
import PluginAPI
import SQLiteClient
import SQLiteSink
import Testing

@Suite("Rows of sessions in SQLite")
struct SQLiteSessionRowTests {
    static func table(isNullable: Bool) -> TableDefinition {
        var table = TableDefinition(
            name: "visits", content: .aggregation,
            columns: [
                ColumnSpec("window_start", .timestamp), ColumnSpec("window_end", .timestamp),
                ColumnSpec("user", .string, isNullable: isNullable), ColumnSpec("n", .long),
            ], key: ["user", "window_start", "window_end"], fingerprint: "1")
        table.replacesInside = true
        return table
    }

    static func rows(_ rows: [(start: Int64, end: Int64, user: String?, n: Int64)]) -> RecordBatch {
        let batch = RecordBatch(schema: BatchSchema(table(isNullable: true).columns))
        for row in rows {
            for (column, value) in [(0, row.start * 60_000), (1, row.end * 60_000), (3, row.n)] {
                if case .int64(let vector) = batch.columns[column] { vector.append(value) }
            }
            if case .bytes(let vector) = batch.columns[2] {
                if let user = row.user { vector.append(user) } else { vector.appendNull() }
            }
        }
        batch.rowCount = rows.count
        return batch
    }

    @Test(
        "a row replaces those of its group inside its window, in one flush or over several, and no others",
        arguments: [false, true])
    func replaces(isNullable: Bool) throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("sessions \(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        var findings = Diagnostics()
        let options = SQLiteSinkPlugin.spec.parse(
            nil, path: "sinks.primary.sqlite", at: SourceLocation(file: "platform.yaml", line: 1, column: 1),
            into: &findings)
        let sink = try SQLiteSinkPlugin().open(
            options, PluginContext(projectRoot: root.path, access: .change, notify: { _ in }))
        let table = Self.table(isNullable: isNullable)
        try sink.apply(table)
        let other: String? = isNullable ? nil : "none"
        func read() throws -> [String] {
            let result = try sink.query(
                """
                SELECT (unixepoch(window_start) / 60) || '-' || (unixepoch(window_end) / 60) || ' ' || ifnull(user, 'none')
                  || ' ' || n FROM visits ORDER BY ifnull(user, 'none'), window_start
                """)
            return (result?.rows ?? []).map { if case .text(let text) = $0[0] { text } else { "" } }
        }
        try sink.write(Self.rows([(0, 5, "a", 1), (10, 15, "a", 2), (2, 9, other, 3), (20, 25, "a", 4)]), to: table)
        try sink.write(Self.rows([(0, 6, "a", 5)]), to: table)
        #expect(try read() == ["0-6 a 5", "10-15 a 2", "20-25 a 4", "2-9 none 3"])
        try sink.write(Self.rows([(0, 15, "a", 7), (2, 12, other, 8)]), to: table)
        #expect(try read() == ["0-15 a 7", "20-25 a 4", "2-12 none 8"])
        // In one flush, whichever way round the key has them: a session that began later joins, and begins it anew.
        try sink.write(Self.rows([(34, 40, "a", 1), (33, 38, other, 1)]), to: table)
        try sink.write(Self.rows([(30, 40, "a", 2), (33, 39, other, 2), (30, 39, other, 3)]), to: table)
        #expect(try read() == ["0-15 a 7", "20-25 a 4", "30-40 a 2", "2-12 none 8", "30-39 none 3"])
        try sink.write(Self.rows([(20, 40, "a", 4), (30, 41, other, 3)]), to: table)
        #expect(try read() == ["0-15 a 7", "20-40 a 4", "2-12 none 8", "30-41 none 3"])
        // As after a crash: an older row comes once more, then the session again.
        try sink.write(Self.rows([(10, 15, "a", 2), (0, 15, "a", 7)]), to: table)
        #expect(try read() == ["0-15 a 7", "20-40 a 4", "2-12 none 8", "30-41 none 3"])
        try sink.close()
    }

    /// With groups of several types.
    private static let grouped: TableDefinition = {
        var table = TableDefinition(
            name: "visits", content: .aggregation,
            columns: [
                ColumnSpec("window_start", .timestamp), ColumnSpec("window_end", .timestamp),
                ColumnSpec("user", .string, isNullable: true), ColumnSpec("shop", .int, isNullable: true),
                ColumnSpec("member", .boolean), ColumnSpec("discount", .double), ColumnSpec("n", .long),
            ], key: ["user", "shop", "member", "discount", "window_start", "window_end"], fingerprint: "1")
        table.replacesInside = true
        return table
    }()

    private struct Session: Hashable {
        var user: String?
        var shop: Int64?
        var member: Bool
        var discount: Double
        var start: Int64
        var end: Int64

        func isOfGroup(of other: Session) -> Bool {
            user == other.user && shop == other.shop && member == other.member && discount == other.discount
        }

        func isInside(_ other: Session) -> Bool {
            self != other && isOfGroup(of: other) && start >= other.start && start < other.end && end <= other.end
        }

        var line: String {
            "\(user ?? "none") \(shop.map(String.init) ?? "none") \(member ? 1 : 0) \(discount) \(start)-\(end)"
        }
    }

    /// - Parameter hasDictionary: Whether users come as numbers of a dictionary.
    private static func batch(_ rows: [(Session, n: Int64)], hasDictionary: Bool) -> RecordBatch {
        let columns = grouped.columns
        var vectors = columns.map { ColumnVector.make(for: $0, capacity: rows.count) }
        if hasDictionary { vectors[2] = .dictionary(FixedVector(capacity: rows.count), StringDictionary()) }
        for (session, n) in rows {
            for (column, value) in [(0, session.start * 60_000), (1, session.end * 60_000), (6, n)] {
                if case .int64(let vector) = vectors[column] { vector.append(value) }
            }
            switch vectors[2] {
            case .bytes(let vector):
                if let user = session.user { vector.append(user) } else { vector.appendNull() }
            case .dictionary(let codes, let dictionary):
                if let user = session.user {
                    codes.append(Array(user.utf8).withUnsafeBytes { dictionary.code(for: $0) })
                } else {
                    codes.appendNull()
                }
            default: break
            }
            if case .int64(let vector) = vectors[3] {
                if let shop = session.shop { vector.append(shop) } else { vector.appendNull() }
            }
            if case .boolean(let vector) = vectors[4] { vector.append(session.member) }
            if case .double(let vector) = vectors[5] { vector.append(session.discount) }
        }
        return RecordBatch(schema: BatchSchema(columns), columns: vectors, rowCount: rows.count)
    }

    @Test(
        "whatever was written before, by this connection or another, no row stays inside a later one",
        arguments: 1...16)
    func anyOrder(seed: UInt64) throws {
        var random = Numbers(state: seed)
        let scratch = Scratch()
        let sink = try scratch.open(busyTimeoutMilliseconds: 10)
        let table = Self.grouped
        try sink.apply(table)
        var model: [Session: Int64] = [:]
        func write(_ rows: [Session: Int64]) throws {
            let rows = rows.sorted { $0.key.line < $1.key.line }.map { ($0.key, n: $0.value) }
            let cut = Int.random(in: 0...rows.count, using: &random)
            try sink.write(Self.batch(Array(rows[..<cut]), hasDictionary: false), to: table)
            try sink.write(Self.batch(Array(rows[cut...]), hasDictionary: true), to: table)
            for (session, n) in rows { model[session] = n }
            for (given, _) in rows { model = model.filter { !$0.key.isInside(given) } }
        }
        func read() throws -> [String] {
            let result = try sink.query(
                "SELECT ifnull(user, 'none') || ' ' || ifnull(shop, 'none') || ' ' || member || ' ' || discount || ' ' "
                    + "|| (unixepoch(window_start) / 60) || '-' || (unixepoch(window_end) / 60) || ' ' || n FROM visits"
            )
            return (result?.rows ?? []).map { if case .text(let text) = $0[0] { text } else { "" } }.sorted()
        }
        for flush in 0..<30 {
            // Time goes on; now and then something earlier comes once more.
            let earliest = Int64.random(in: 0..<4, using: &random) == 0 ? 0 : Int64(flush) * 8
            var new: [Session: Int64] = [:]
            for _ in 0..<Int.random(in: 1..<12, using: &random) {
                let start = earliest + Int64.random(in: 0..<30, using: &random)
                let session = Session(
                    user: [nil, "", "a", "b"].randomElement(using: &random) ?? nil,
                    shop: [nil, 0, 1].randomElement(using: &random) ?? nil,
                    member: seed > 8 && Bool.random(using: &random),
                    discount: seed > 12 && Bool.random(using: &random) ? 0.5 : 0.25, start: start,
                    end: start + Int64.random(in: 1..<12, using: &random))
                new[session] = Int64.random(in: 0..<100, using: &random)
            }
            switch (seed % 4, flush) {
            case (1, 20):
                // Another program writes a row, which one of the next flush has inside.
                var foreign = Session(
                    user: "a", shop: 1, member: false, discount: 0.25, start: Int64(flush) * 8 + 40,
                    end: Int64(flush) * 8 + 42)
                let times = "'\(Self.time(foreign.start))', '\(Self.time(foreign.end))'"
                try scratch.execute("INSERT INTO visits VALUES (\(times), 'a', 1, 0, 0.25, 1)")
                model[foreign] = 1
                (foreign.start, foreign.end) = (foreign.start - 1, foreign.end + 1)
                new[foreign] = 2
            case (2, 15):
                try scratch.execute("DELETE FROM visits")
                model = [:]
            case (3, 10):
                // Rows that could not be written are written with those that come later.
                let other = try SQLiteConnection(path: scratch.path)
                try other.execute("BEGIN IMMEDIATE")
                try write(new)
                #expect(throws: (any Error).self) { try sink.flush() }
                try other.execute("ROLLBACK")
                new = [:]
            case (0, 25): try sink.apply(table)
            default: break
            }
            try write(new)
            try sink.flush()
            #expect(try read() == model.map { "\($0.key.line) \($0.value)" }.sorted(), "flush \(flush)")
        }
        try sink.close()
    }

    /// The same in each run of the tests (splitmix64).
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
            return word ^ word >> 31
        }
    }

    /// So many minutes after the beginning of time, as the sink writes it.
    private static func time(_ minutes: Int64) -> String {
        let day = minutes / 1440 + 1
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "1970-01-\(two(day)) \(two(minutes % 1440 / 60)):\(two(minutes % 60)):00.000"
    }

    @Test("a trigger that makes rows is counted with: they are replaced, too")
    func trigger() throws {
        let scratch = Scratch()
        let sink = try scratch.open()
        let table = Self.table(isNullable: false)
        try sink.apply(table)
        try scratch.execute(
            """
            CREATE TRIGGER shadow AFTER INSERT ON visits WHEN NEW.n = 7 BEGIN
              INSERT INTO visits VALUES ('\(Self.time(52))', '\(Self.time(53))', NEW.user, 0); END
            """)
        try sink.write(Self.rows([(1, 2, "a", 7)]), to: table)
        try sink.flush()
        try sink.write(Self.rows([(50, 55, "a", 1)]), to: table)
        try sink.flush()
        #expect(try scratch.cells("SELECT count(*) FROM visits WHERE n = 0") == [.integer(0)])
        try sink.close()
    }
}
