import DataPath
import Diagnostics
import Foundation
import PluginAPI
import Testing

extension PostgreSQLSinkTests {
    /// One run at a time writes a domain's tables.
    @Suite("Writers")
    struct WriterTests {
        private let schema: TestSchema
        private let table = Sample.table()

        init() throws { schema = try TestSchema() }

        private func claim(_ writer: String, epoch: UInt64 = 1) -> WriterClaim {
            WriterClaim(domain: "shop", environment: "local", writer: writer, epoch: epoch, tables: [table])
        }

        private func mark(_ epoch: UInt64, _ sequence: UInt64) -> CheckpointMark {
            CheckpointMark(
                number: CheckpointNumber(epoch: epoch, sequence: sequence), positions: "{\"sums\":{\"t\":{\"0\":7}}}")
        }

        @Test("each run takes a higher epoch; the same run keeps its own, or the higher one that it asks for")
        func epochs() throws {
            let sink = try schema.open()
            try sink.apply(table)
            #expect(try sink.claim(claim("a")).epoch == 1)
            #expect(try sink.claim(claim("a")).epoch == 1)
            #expect(try sink.claim(claim("b")).epoch == 2)
            #expect(try sink.claim(claim("b", epoch: 9)).epoch == 9)
            #expect(try sink.claim(claim("c", epoch: 4)).epoch == 10)
        }

        @Test("rows and the checkpoint's mark come in one transaction, also without rows")
        func marks() throws {
            let sink = try schema.open()
            try sink.apply(table)
            _ = try sink.claim(claim("a"))
            try sink.write(Sample.rows([(0, "a", 1)]), to: table)
            _ = try sink.commit(mark(1, 3))
            let written = """
                SELECT (SELECT count(*) FROM sums), checkpoint_epoch, checkpoint, positions #>> '{sums,t,0}'
                FROM streamplat_writers
                """
            #expect(try schema.rows(written) == [["1", "1", "3", "7"]])
            _ = try sink.commit(mark(1, 4))
            #expect(try schema.rows(written) == [["1", "1", "4", "7"]])
            let standing = try schema.open().claim(claim("b"))
            #expect(standing.epoch == 2 && standing.committed == CheckpointNumber(epoch: 1, sequence: 4))
        }

        @Test("a run that was replaced cannot flush or commit; the rows that it held stay out")
        func fenced() throws {
            let old = try schema.open()
            try old.apply(table)
            _ = try old.claim(claim("old"))
            try old.write(Sample.rows([(0, "a", 1)]), to: table)
            _ = try schema.open().claim(claim("new"))
            for attempt in [{ try old.flush() }, { _ = try old.commit(mark(1, 1)) }] {
                let error = #expect(throws: PipelineError.self) { try attempt() }
                #expect(error?.code == .writerReplaced && error?.retry == .never)
            }
            #expect(try schema.rows("SELECT * FROM sums") == [])
        }

        @Test("a session that is silent within its transaction is ended, and a successor need not wait for ever")
        func silent() throws {
            let sink = try schema.open()
            try sink.apply(table)
            #expect(
                try schema.rows("SELECT count(*) FROM pg_tables WHERE tablename = 'streamplat_writers'") != [["0"]])
            #expect(try sink.query("SHOW idle_in_transaction_session_timeout")?.rows == [[.text("20s")]])
        }

        @Test(
            "an apply that empties a table ends the runs of the domain, also those that go on from another checkpoint")
        func rebuilt() throws {
            let run = try schema.open()
            try run.apply(table)
            _ = try run.claim(claim("a"))
            _ = try run.commit(mark(1, 3))
            try schema.open().apply(Sample.table(fingerprint: "2"))
            try run.write(Sample.rows([(0, "a", 1)]), to: table)
            #expect(throws: PipelineError.self) { try run.flush() }
            let standing = try schema.open().claim(claim("b"))
            #expect(standing.epoch == 3 && standing.committed == CheckpointNumber.none)
        }
    }
}
