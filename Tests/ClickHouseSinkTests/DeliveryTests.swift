import ClickHouseTesting
import DataPath
import Diagnostics
import Foundation
import PluginAPI
import TestServers
import Testing

extension ClickHouse {
    @Suite("delivery")
    struct DeliveryTests {
        /// Sums of what the table holds, to see that nothing is lost or double.
        private func state(_ server: ClickHouseServer, _ database: String) throws -> String {
            try server.sql("SELECT count(), sum(n) FROM \(database).counts FINAL")
        }

        @Test(
            "whatever happens to a request, the rows stay and the next flush brings them",
            arguments: [
                ("cut_request", DiagnosticCode.clickHouseUnreachable, "gzip"),
                ("cut_request", .clickHouseUnreachable, "none"), ("cut_answer", .clickHouseUnreachable, "gzip"),
                ("garbage", .clickHouseAnswer, "none"), ("swallow", .clickHouseAnswer, "gzip"),
                ("unavailable", .clickHouseUnreachable, "none"), ("busy", .clickHouseBusy, "gzip"),
                ("modern", .clickHouseBusy, "none"), ("delay", .clickHouseUnreachable, "gzip"),
            ])
        func disturbed(mode: String, code: DiagnosticCode, compression: String) throws {
            let (server, database) = try ClickHouse.database()
            let front = try Front(beforePort: server.port)
            let sink = try SinkConfiguration(
                front.url, database: database, others: ["timeout": "1 second", "compression": compression]
            ).open()
            try sink.apply(.counts)
            try sink.write(TableDefinition.rows(0..<500, factor: 100), to: .counts)
            try sink.flush()
            try sink.write(TableDefinition.rows(0..<1000), to: .counts)
            // A connection that breaks is tried once more at once.
            try front.disturb(mode, requests: 2)
            let error = #expect(throws: PipelineError.self) { try sink.flush() }
            #expect(error?.code == code)
            #expect(error?.retry == .backoff)
            try sink.write(TableDefinition.rows(1000..<1001), to: .counts)
            try front.disturb("pass")
            try sink.flush()
            #expect(try state(server, database) == "1001\t500500")
            try sink.flush()
            try sink.close()
            #expect(try state(server, database) == "1001\t500500")
        }

        @Test("a connection that broke once is not worth an error", arguments: ["cut_request", "cut_answer"])
        func brokenOnce(mode: String) throws {
            let (server, database) = try ClickHouse.database()
            let front = try Front(beforePort: server.port)
            let sink = try SinkConfiguration(front.url, database: database).open()
            try sink.apply(.counts)
            try sink.write(TableDefinition.rows(0..<1000), to: .counts)
            try front.disturb(mode)
            try sink.flush()
            #expect(try state(server, database) == "1000\t499500")
        }

        @Test("a server that is restarted between write and flush loses nothing")
        func restarted() throws {
            let server = try ClickHouseServer()
            let sink = try SinkConfiguration(server.url, database: "d").open()
            try sink.apply(.counts)
            try sink.write(TableDefinition.rows(0..<100), to: .counts)
            try sink.flush()
            try sink.write(TableDefinition.rows(50..<200, factor: 2), to: .counts)
            server.stop(signal: SIGKILL)
            let error = #expect(throws: PipelineError.self) { try sink.flush() }
            #expect(error?.code == .clickHouseUnreachable)
            #expect(error?.retry == .backoff)
            try server.start()
            try sink.flush()
            // 0…49 once, 50…199 doubled.
            #expect(try state(server, "d") == "200\t\((0..<50).reduce(0, +) + 2 * (50..<200).reduce(0, +))")
        }

        @Test("a connection that the server closed while nothing was sent is only opened anew")
        func idle() throws {
            let (server, database) = try ClickHouse.database()
            let sink = try SinkConfiguration(server.url, database: database).open()
            try sink.apply(.counts)
            try sink.write(TableDefinition.rows(0..<10), to: .counts)
            // The server of the tests keeps connections for a second.
            usleep(1_300_000)
            try sink.flush()
            #expect(try state(server, database) == "10\t45")
        }

        @Test("an error while writing means that the rows were not taken")
        func errorInWrite() throws {
            let (server, database) = try ClickHouse.database()
            let front = try Front(beforePort: server.port)
            let sink = try SinkConfiguration(front.url, database: database, others: ["max_batch_rows": "10"]).open()
            try sink.apply(.counts)
            try sink.write(TableDefinition.rows(0..<8), to: .counts)
            try front.disturb("unavailable")
            let next = TableDefinition.rows(8..<16)
            #expect(throws: PipelineError.self) { try sink.write(next, to: .counts) }
            try sink.write(next, to: .counts)
            try sink.flush()
            #expect(try state(server, database) == "16\t120")
        }

        @Test("many small writes become few parts, and nothing is held longer than a batch")
        func parts() throws {
            let (server, database) = try ClickHouse.database()
            let sink = try SinkConfiguration(server.url, database: database, others: ["max_batch_rows": "100000"])
                .open()
            try sink.apply(.counts)
            for start in stride(from: 0, to: 200_000, by: 500) {
                try sink.write(TableDefinition.rows(start..<start + 500), to: .counts)
            }
            #expect(try server.sql("SELECT count() FROM \(database).counts") == "100000")
            try sink.flush()
            #expect(try state(server, database) == "200000\t19999900000")
            // Merged parts stay in the list for a while; each insert made one of level 0.
            #expect(
                try server.sql(
                    "SELECT count() FROM system.parts WHERE database = '\(database)' AND table = 'counts' AND level = 0"
                )
                    == "2")
        }

        @Test("flushes come no faster than the configuration allows")
        func paced() throws {
            let (server, database) = try ClickHouse.database()
            let sink = try SinkConfiguration(
                server.url, database: database, others: ["min_insert_interval": "150 ms"]
            ).open()
            try sink.apply(.counts)
            let start = Date()
            for round in 0..<4 {
                try sink.write(TableDefinition.rows(round..<round + 1), to: .counts)
                try sink.flush()
            }
            for _ in 0..<100 { try sink.flush() }
            let seconds = Date().timeIntervalSince(start)
            #expect(seconds > 0.45 && seconds < 5)
        }

        @Test("an empty batch and a flush without rows send nothing")
        func nothing() throws {
            let (server, database) = try ClickHouse.database()
            let front = try Front(beforePort: server.port)
            let sink = try SinkConfiguration(front.url, database: database).open()
            try sink.apply(.counts)
            let before = front.requests
            try sink.write(TableDefinition.rows(0..<0), to: .counts)
            try sink.flush()
            try sink.close()
            #expect(front.requests == before)
        }

        @Test("gzip makes bodies smaller, none sends them as they are")
        func compression() throws {
            let (server, database) = try ClickHouse.database()
            var lengths: [String: Int] = [:]
            for compression in ["gzip", "none"] {
                let front = try Front(beforePort: server.port)
                let sink = try SinkConfiguration(
                    front.url, database: database, others: ["compression": compression]
                ).open()
                try sink.apply(.counts)
                try sink.write(TableDefinition.rows(0..<5000), to: .counts)
                try sink.close()
                #expect(front.requests.contains("Content-Encoding: gzip") == (compression == "gzip"))
                lengths[compression] = front.requests.split(separator: "\n").last.flatMap { Int($0.dropFirst(5)) }
            }
            #expect(lengths["gzip", default: .max] * 2 < lengths["none", default: 0])
        }
    }
}
