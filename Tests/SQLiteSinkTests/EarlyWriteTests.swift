import Diagnostics
import Foundation
import PluginAPI
import SQLiteClient
import SQLiteSink
import Testing

/// Rows that are written before the flush, because more than 32 MiB wait.
@Suite("Early writes into SQLite")
struct SQLiteEarlyWriteTests {
    private static let count = 40
    private static let counts = "SELECT count(*), (SELECT count(*) FROM log) FROM notes"

    /// With a log of what is inserted.
    private static func open(_ scratch: Scratch) throws -> any Sink {
        let sink = try scratch.open(busyTimeoutMilliseconds: 10)
        try sink.apply(Notes.table)
        try scratch.execute(
            """
            CREATE TABLE log (id INTEGER);
            CREATE TRIGGER logging AFTER INSERT ON notes BEGIN INSERT INTO log VALUES (NEW.id); END
            """)
        return sink
    }

    private static func write(_ id: Int, _ text: String = "", to sink: any Sink) throws {
        try sink.write(
            Notes.rows([(Int64(id), text + String(repeating: "x", count: 1 << 20))]), to: Notes.table)
    }

    /// Writes rows of a mebibyte until one of them is not taken, and gives its number.
    private static func fill(_ sink: any Sink) throws -> (refused: Int, error: PipelineError) {
        for id in 0..<count {
            do { try write(id, to: sink) } catch let error as PipelineError { return (id, error) }
        }
        throw Failure()
    }

    private struct Failure: Error {}

    @Test("a run that was replaced learns of it there, and writes nothing")
    func fenced() throws {
        let scratch = Scratch()
        let old = try Self.open(scratch)
        _ = try old.claim(Notes.claim("old"))
        _ = try scratch.open().claim(Notes.claim("new"))
        let (refused, error) = try Self.fill(old)
        #expect(error.code == .writerReplaced && error.retry == .never)
        #expect((1..<Self.count).contains(refused))
        #expect(try scratch.cells(Self.counts) == [.integer(0), .integer(0)])
        try old.abandon()
    }

    @Test(
        "while the database is busy no more rows are taken; those that wait, and the one tried again, are written once")
    func busy() throws {
        let scratch = Scratch()
        let sink = try Self.open(scratch)
        _ = try sink.claim(Notes.claim("a"))
        let other = try SQLiteConnection(path: scratch.path)
        let refused = try other.transaction {
            let (refused, error) = try Self.fill(sink)
            #expect(error.retry == .backoff)
            let again = #expect(throws: PipelineError.self) { try Self.write(refused, to: sink) }
            #expect(again?.retry == .backoff)
            return refused
        }
        try Self.write(refused, to: sink)
        #expect(try scratch.cells(Self.counts) == [.integer(Int64(refused)), .integer(Int64(refused))])
        try sink.flush()
        #expect(try scratch.cells(Self.counts) == [.integer(Int64(refused) + 1), .integer(Int64(refused) + 1)])
        try sink.close()
    }

    @Test("what a kill behind one leaves are its rows, all of them and no others; the next run writes the rest")
    func killed() throws {
        let scratch = Scratch()
        let sink = try Self.open(scratch)
        _ = try sink.claim(Notes.claim("a"))
        for id in 0..<Self.count { try Self.write(id, to: sink) }
        // The files as they lie there.
        let left = Scratch()
        try FileManager.default.createDirectory(at: left.root, withIntermediateDirectories: true)
        for ending in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: scratch.path + ending, toPath: left.path + ending)
        }
        let next = try left.open()
        guard case .integer(let early)? = try left.cells("SELECT count(*) FROM notes").first else { throw Failure() }
        #expect((1..<Int64(Self.count)).contains(early))
        #expect(try left.cells("SELECT max(id) FROM notes") == [.integer(early - 1)])
        #expect(try next.claim(Notes.claim("b")).committed == CheckpointNumber.none)
        for id in 0..<Self.count { try Self.write(id, to: next) }
        try next.flush()
        #expect(try left.cells("SELECT count(*) FROM notes") == [.integer(Int64(Self.count))])
        try next.close()
    }

    @Test("one whose transaction is rolled back leaves nothing behind")
    func rolledBack() throws {
        let scratch = Scratch()
        let sink = try Self.open(scratch)
        _ = try sink.claim(Notes.claim("a"))
        try scratch.execute(
            "CREATE TRIGGER no_bad BEFORE INSERT ON notes WHEN NEW.id = 30 BEGIN SELECT RAISE(ROLLBACK, 'no'); END")
        let (refused, error) = try Self.fill(sink)
        #expect(error.code == .sinkFailed && refused > 30)
        #expect(try scratch.cells(Self.counts) == [.integer(0), .integer(0)])
        try sink.abandon()
    }

    @Test("rows that the database refuses there can be asked for before the flush")
    func refused() throws {
        let scratch = Scratch()
        let sink = try Self.open(scratch)
        try scratch.execute(
            "CREATE TRIGGER no_bad BEFORE INSERT ON notes WHEN NEW.note LIKE 'bad%' BEGIN SELECT RAISE(FAIL, 'no'); END"
        )
        for id in 0..<Self.count { try Self.write(id, id == 3 ? "bad" : "", to: sink) }
        #expect(sink.takeRefused().map { $0.refused.rows.map(\.row) } == [[0]])
        try sink.flush()
        #expect(sink.takeRefused().isEmpty)
        #expect(try scratch.cells(Self.counts) == [.integer(39), .integer(39)])
        try sink.close()
    }
}
