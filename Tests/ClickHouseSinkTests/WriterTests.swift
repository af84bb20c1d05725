import DataPath
import ClickHouseTesting
import Diagnostics
import PluginAPI
import TestServers
import Testing

extension ClickHouse {
    /// Rows of a newer run win over those of an older one, whoever comes last.
    @Suite("writers")
    struct WriterTests {
        private func claim(_ writer: String, epoch: UInt64 = 1) -> WriterClaim {
            WriterClaim(domain: "shop", environment: "local", writer: writer, epoch: epoch, tables: [.counts])
        }

        private func mark(_ epoch: UInt64, _ sequence: UInt64) -> CheckpointMark {
            CheckpointMark(number: CheckpointNumber(epoch: epoch, sequence: sequence), positions: "{}")
        }

        private func state(_ server: ClickHouseServer, _ database: String) throws -> String {
            try server.sql("SELECT count(), sum(n) FROM \(database).counts FINAL")
        }

        @Test("each run takes a higher epoch, above that of every row; the same run keeps its own")
        func epochs() throws {
            let (server, database) = try ClickHouse.database()
            let sink = try SinkConfiguration(server.url, database: database).open()
            try sink.apply(.counts)
            #expect(try sink.claim(claim("a")).epoch == 1)
            #expect(try sink.claim(claim("a")).epoch == 1)
            #expect(try sink.claim(claim("b")).epoch == 2)
            #expect(try sink.claim(claim("b", epoch: 9)).epoch == 9)
            // Rows of a version before versions had epochs: milliseconds times 2^20.
            let old: UInt64 = 1_795_000_000_000 << 20
            try server.sql("INSERT INTO \(database).counts (k, n, _version) VALUES ('k1', 1, \(old))")
            #expect(try sink.claim(claim("c")).epoch == (old >> 40) + 1)
        }

        @Test("rows that a replaced run sends after its successor's lose, and it learns of it at its next flush")
        func replaced() throws {
            let (server, database) = try ClickHouse.database()
            let front = try Front(beforePort: server.port)
            let old = try SinkConfiguration(front.url, database: database).open()
            try old.apply(.counts)
            _ = try old.claim(claim("old"))
            try old.write(TableDefinition.rows(0..<10), to: .counts)
            try old.flush()
            let new = try SinkConfiguration(server.url, database: database).open()
            #expect(try new.claim(claim("new")).epoch == 2)
            try new.write(TableDefinition.rows(0..<10, factor: 2), to: .counts)
            try new.flush()
            #expect(try state(server, database) == "10\t90")
            // As if it had been paused between its look at the writers and its insert.
            try server.sql(
                "INSERT INTO \(database).counts (k, n, _version) VALUES ('k3', 1000, \((1 << 40) + 999_999))")
            #expect(try state(server, database) == "10\t90")
            try old.write(TableDefinition.rows(0..<10, factor: 7), to: .counts)
            let error = #expect(throws: PipelineError.self) { try old.flush() }
            #expect(error?.code == .writerReplaced && error?.retry == .never)
            #expect(try state(server, database) == "10\t90")
        }

        @Test("a checkpoint's mark comes after its rows, also without rows, and the newest one is what a claim gives")
        func marks() throws {
            let (server, database) = try ClickHouse.database()
            let sink = try SinkConfiguration(server.url, database: database).open()
            try sink.apply(.counts)
            #expect(try sink.claim(claim("a")).committed == CheckpointNumber.none)
            for number in 1...3 {
                try sink.write(TableDefinition.rows(0..<10, factor: number), to: .counts)
                _ = try sink.commit(mark(1, UInt64(number)))
            }
            #expect(try state(server, database) == "10\t135")
            _ = try sink.commit(mark(1, 4))
            let writers = "\(database).streamplat_writers"
            try server.sql("OPTIMIZE TABLE \(writers) FINAL")
            // One row a run stays, whatever it has committed.
            #expect(try server.sql("SELECT epoch, checkpoint_epoch, checkpoint FROM \(writers)") == "1\t1\t4")
            // A run that dies before its first checkpoint changes nothing of it.
            for (writer, epoch) in [("b", UInt64(2)), ("c", 3)] {
                let standing = try SinkConfiguration(server.url, database: database).open().claim(claim(writer))
                #expect(standing.epoch == epoch)
                #expect(standing.committed == CheckpointNumber(epoch: 1, sequence: 4))
            }
            let replaced = #expect(throws: PipelineError.self) { try sink.commit(mark(1, 5)) }
            #expect(replaced?.code == .writerReplaced)
        }

        @Test("a commit whose insert fails leaves the mark of the one before")
        func markAfterRows() throws {
            let (server, database) = try ClickHouse.database()
            let front = try Front(beforePort: server.port)
            let sink = try SinkConfiguration(front.url, database: database).open()
            try sink.apply(.counts)
            _ = try sink.claim(claim("a"))
            _ = try sink.commit(mark(1, 1))
            try sink.write(TableDefinition.rows(0..<10), to: .counts)
            try front.disturb("unavailable", requests: 2)
            #expect(throws: PipelineError.self) { try sink.commit(mark(1, 2)) }
            let newest = "SELECT max(checkpoint) FROM \(database).streamplat_writers"
            #expect(try server.sql(newest) == "1")
            try front.disturb("pass")
            _ = try sink.commit(mark(1, 2))
            #expect(try server.sql(newest) == "2")
            #expect(try state(server, database) == "10\t45")
        }

        @Test("an apply that empties a table takes the mark away: nobody goes on from a checkpoint of before")
        func rebuilt() throws {
            let (server, database) = try ClickHouse.database()
            let sink = try SinkConfiguration(server.url, database: database).open()
            try sink.apply(.counts)
            _ = try sink.claim(claim("a"))
            _ = try sink.commit(mark(1, 3))
            var other = TableDefinition.counts
            other.fingerprint = "2"
            try SinkConfiguration(server.url, database: database).open().apply(other)
            let standing = try SinkConfiguration(server.url, database: database).open().claim(claim("b"))
            #expect(standing.epoch == 3 && standing.committed == CheckpointNumber.none)
        }

        @Test("a table of writers of an earlier build, which kept no checkpoints, gets them with the first commit")
        func earlierBuild() throws {
            let (server, database) = try ClickHouse.database()
            let sink = try SinkConfiguration(server.url, database: database).open()
            try sink.apply(.counts)
            let writers = "\(database).streamplat_writers"
            try server.sql(
                """
                DROP TABLE \(writers);
                CREATE TABLE \(writers) (domain String, epoch UInt64, writer String, environment String, claimed_at DateTime)
                ENGINE = ReplacingMergeTree() ORDER BY (domain, epoch, writer);
                INSERT INTO \(writers) VALUES ('shop', 1, 'old', 'local', now())
                """)
            // Nobody knows what the earlier run committed, also when the next one ends before its first checkpoint.
            #expect(try sink.claim(claim("a")).committed == nil)
            let next = try sink.claim(claim("b"))
            #expect(next.epoch == 3 && next.committed == nil)
            _ = try sink.commit(mark(3, 8))
            #expect(try sink.claim(claim("c")).committed == CheckpointNumber(epoch: 3, sequence: 8))
        }
    }
}
