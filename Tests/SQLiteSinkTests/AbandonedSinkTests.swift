import DataPath
import PluginAPI
import SQLiteClient
import Testing

@Suite("A SQLite sink of a run that failed")
struct AbandonedSinkTests {
    @Test("lets go while another program holds the lock; what it had not flushed is not there")
    func abandons() throws {
        let scratch = Scratch()
        let sink = try scratch.open(busyTimeoutMilliseconds: 2000)
        try sink.apply(Notes.table)
        _ = try sink.claim(Notes.claim("a"))
        try sink.write(Notes.rows([(1, "waits")]), to: Notes.table)
        let other = try SQLiteConnection(path: scratch.path)
        try other.transaction {
            // Whoever waits for the lock comes to the end of its patience: it is free only behind this.
            #expect(throws: Never.self) { try sink.abandon() }
        }
        #expect(try scratch.cells("SELECT count(*) FROM notes") == [.integer(0)])
        // Nothing is left over, and nothing to wait for.
        try other.transaction { try sink.close() }
    }

    @Test("keeps none of the rows that waited")
    func frees() throws {
        let sink = try Scratch().open()
        try sink.apply(Notes.table)
        func write() throws -> () -> RecordBatch? {
            let rows = Notes.rows([(1, "waits")])
            try sink.write(rows, to: Notes.table)
            return { [weak rows] in rows }
        }
        let waiting = try write()
        #expect(waiting() != nil)
        try sink.abandon()
        #expect(waiting() == nil)
    }
}
