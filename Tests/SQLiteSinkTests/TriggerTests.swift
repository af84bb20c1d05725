import Diagnostics
import PluginAPI
import SQLiteClient
import SQLiteSink
import Testing

@Suite("Triggers that somebody added to a table in SQLite")
struct SQLiteTriggerTests {
    private static func raise(_ action: String, _ time: String = "BEFORE") -> String {
        """
        CREATE TRIGGER no_bad \(time) INSERT ON notes WHEN NEW.note LIKE 'bad%'
        BEGIN SELECT RAISE(\(action), 'bad notes are not wanted'); END
        """
    }

    /// Says how often a row was tried, as far as that stays.
    private static let log = """
        CREATE TABLE log (id INTEGER);
        CREATE TRIGGER logging BEFORE INSERT ON notes BEGIN INSERT INTO log VALUES (NEW.id); END
        """

    private static let bad: Set<Int64> = [7, 1500, 1501]
    private static let rows = (Int64(0)..<3000).map { ($0, bad.contains($0) ? "bad" : "good") }

    @Test(
        "rows that one refuses are given back once, and the others are inserted once, with what triggers make of them",
        arguments: ["ABORT", "FAIL"], ["BEFORE", "AFTER"])
    func refused(action: String, time: String) throws {
        let scratch = Scratch()
        let sink = try scratch.open()
        try sink.apply(Notes.table)
        try scratch.execute(Self.log)
        try scratch.execute(Self.raise(action, time))
        try sink.write(Notes.rows(Self.rows), to: Notes.table)
        try sink.flush()
        #expect(sink.takeRefused().map { $0.refused.rows.map(\.row) } == [[7, 1500, 1501]])
        #expect(
            try scratch.cells("SELECT count(*), sum(note = 'good') FROM notes") == [.integer(2997), .integer(2997)])
        #expect(try scratch.cells("SELECT count(*), count(DISTINCT id) FROM log") == [.integer(2997), .integer(2997)])
        try sink.close()
    }

    @Test("one that ends the transaction ends the run and is named; nothing of the flush is there, and nothing is lost")
    func rolledBack() throws {
        let scratch = Scratch()
        let sink = try scratch.open()
        let first = Notes.definition("first")
        try sink.apply(first)
        try sink.apply(Notes.table)
        _ = try sink.claim(Notes.claim("a"))
        try scratch.execute(Self.log)
        try scratch.execute(Self.raise("ROLLBACK"))
        try sink.write(Notes.rows([(1, "good")]), to: first)
        try sink.write(Notes.rows(Self.rows), to: Notes.table)
        for _ in 0..<2 {
            let error = #expect(throws: PipelineError.self) {
                _ = try sink.commit(
                    CheckpointMark(number: CheckpointNumber(epoch: 1, sequence: 1), positions: "{}"))
            }
            #expect(error?.code == .sinkFailed && error?.retry == .never && error?.exitCode == 1)
            #expect(error?.hint?.contains("RAISE(ABORT, …) refuses only the row; then run again") == true)
            for words in ["table 'notes'", "rolled back", "bad notes are not wanted"] {
                #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
            }
        }
        #expect(sink.takeRefused().isEmpty)
        let counts = """
            SELECT (SELECT count(*) FROM first), (SELECT count(*) FROM notes), (SELECT count(*) FROM log),
              (SELECT checkpoint FROM _streamplat_writers)
            """
        #expect(try scratch.cells(counts) == [.integer(0), .integer(0), .integer(0), .integer(0)])
        try sink.abandon()
        // As the next run does.
        try scratch.execute("DROP TRIGGER no_bad")
        let next = try scratch.open()
        #expect(try next.claim(Notes.claim("b")).epoch == 2)
        try next.write(Notes.rows([(1, "good")]), to: first)
        try next.write(Notes.rows(Self.rows), to: Notes.table)
        try next.flush()
        #expect(try scratch.cells(counts) == [.integer(1), .integer(3000), .integer(3000), .integer(0)])
        try next.close()
    }

    @Test("a row that is refused replaces nothing inside its window; the others of the flush do")
    func refusedSession() throws {
        let scratch = Scratch()
        let sink = try scratch.open()
        let table = SQLiteSessionRowTests.table(isNullable: true)
        try sink.apply(table)
        try scratch.execute(
            """
            CREATE TRIGGER no_bad BEFORE INSERT ON visits WHEN NEW.n < 0
            BEGIN SELECT RAISE(FAIL, 'bad visits are not wanted'); END
            """)
        let read =
            "SELECT group_concat(line, ', ') FROM (SELECT ifnull(user, 'none') || ' ' || n AS line FROM visits ORDER BY line)"
        try sink.write(
            SQLiteSessionRowTests.rows([(0, 5, "a", 1), (10, 15, "a", 2), (0, 5, nil, 3), (10, 15, nil, 4)]), to: table)
        try sink.flush()
        try sink.write(SQLiteSessionRowTests.rows([(0, 15, "a", -5), (0, 15, nil, 6)]), to: table)
        try sink.flush()
        #expect(sink.takeRefused().map { $0.refused.rows.map(\.row) } == [[0]])
        #expect(try scratch.cells(read) == [.text("a 1, a 2, none 6")])
        try sink.close()
    }

    @Test("one that keeps the rows inside a longer session ends the run and is named; its flush is not there")
    func keptSession() throws {
        let scratch = Scratch()
        let sink = try scratch.open()
        let table = SQLiteSessionRowTests.table(isNullable: false)
        try sink.apply(table)
        try scratch.execute(
            "CREATE TRIGGER kept BEFORE DELETE ON visits BEGIN SELECT RAISE(ABORT, 'visits are kept'); END")
        try sink.write(SQLiteSessionRowTests.rows([(0, 5, "a", 1)]), to: table)
        try sink.flush()
        try sink.write(SQLiteSessionRowTests.rows([(0, 15, "a", 2)]), to: table)
        let error = #expect(throws: PipelineError.self) { try sink.flush() }
        #expect(error?.code == .sinkFailed && error?.retry == .never)
        #expect(
            error?.hint?.hasPrefix("drop or change the trigger or foreign key that says so; then run again") == true)
        #expect(error?.message.contains("table 'visits'") == true && error?.message.contains("visits are kept") == true)
        #expect(try scratch.cells("SELECT count(*), sum(n) FROM visits") == [.integer(1), .integer(1)])
        try sink.abandon()
    }
}
