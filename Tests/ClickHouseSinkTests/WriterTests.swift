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
    }
}
