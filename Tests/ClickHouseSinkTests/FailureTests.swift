import ClickHouseTesting
import DataPath
import Diagnostics
import Foundation
import PluginAPI
import TestServers
import Testing

extension ClickHouse {
    @Suite("failures")
    struct FailureTests {
        private static let dead = "http://127.0.0.1:1"

        @Test("a server that is down at open: exit code 3, its URL and a hint")
        func down() throws {
            let error = #expect(throws: PipelineError.self) { try SinkConfiguration(Self.dead).open() }
            #expect(error?.code == .clickHouseUnreachable)
            #expect(error?.exitCode == 3)
            #expect(error?.message.contains(Self.dead) == true)
            #expect(error?.hint != nil)
        }

        @Test("over https the server's authority must be the one that is named")
        func secured() throws {
            let server = try ClickHouseServer(isSecured: true)
            let sink = try SinkConfiguration(server.securedURL, others: ["ca_file": server.certificateFile]).open()
            try sink.apply(.counts)
            try sink.write(TableDefinition.rows(0..<10), to: .counts)
            #expect(try sink.tables()?.map(\.rows) == [10])
            try sink.close()
            for others in [[:], ["ca_file": "/nowhere/ca.pem"]] as [[String: String]] {
                let error = #expect(throws: PipelineError.self) {
                    try SinkConfiguration(server.securedURL, others: others).open()
                }
                #expect(error?.code == .clickHouseUnreachable)
                #expect(error?.exitCode == 3)
                #expect(error?.message.contains("securely") == true)
            }
        }

        @Test("of two servers one is dead: the other is used, and a person is told")
        func failOver() throws {
            let (server, database) = try ClickHouse.database()
            let notices = Notices()
            let sink = try SinkConfiguration(Self.dead, server.url, database: database).open(notices: notices)
            try sink.apply(.counts)
            try sink.write(TableDefinition.rows(0..<10), to: .counts)
            try sink.close()
            #expect(try server.sql("SELECT count() FROM \(database).counts") == "10")
            #expect(notices.all.count == 1)
            #expect(notices.all.first?.contains("now using \(server.url)") == true)
        }

        @Test("a server that goes away while rows are held is replaced by the next")
        func failOverLater() throws {
            let (server, database) = try ClickHouse.database()
            let front = try Front(beforePort: server.port)
            let sink = try SinkConfiguration(front.url, server.url, database: database).open()
            try sink.apply(.counts)
            try sink.write(TableDefinition.rows(0..<10), to: .counts)
            try front.disturb("unavailable", requests: 9)
            try sink.flush()
            #expect(try server.sql("SELECT count() FROM \(database).counts FINAL") == "10")
        }

        @Test(
            "what answers but is no ClickHouse server is said to be none",
            arguments: [
                ("garbage", DiagnosticCode.clickHouseAnswer), ("swallow", .clickHouseAnswer),
                ("elsewhere", .clickHouseAnswer), ("forbidden", .clickHouseAccess),
                ("unavailable", .clickHouseUnreachable),
            ])
        func noClickHouse(mode: String, code: DiagnosticCode) throws {
            let (server, _) = try ClickHouse.database()
            let front = try Front(beforePort: server.port)
            try front.disturb(mode, requests: 2)
            let error = #expect(throws: PipelineError.self) { try SinkConfiguration(front.url).open() }
            #expect(error?.code == code)
            #expect(error?.exitCode == 3)
        }

        @Test("a slow server is given up after the timeout")
        func slow() throws {
            let (server, _) = try ClickHouse.database()
            let front = try Front(beforePort: server.port)
            try front.disturb("delay", requests: 2)
            let start = Date()
            let error = #expect(throws: PipelineError.self) {
                try SinkConfiguration(front.url, others: ["timeout": "300 ms"]).open()
            }
            #expect(error?.message.contains("in time") == true)
            #expect(Date().timeIntervalSince(start) < 1.4)
        }

        @Test("an error that quotes rows is passed on without them")
        func quotedRows() throws {
            let (server, database) = try ClickHouse.database()
            let front = try Front(beforePort: server.port)
            let sink = try SinkConfiguration(front.url, database: database).open()
            try sink.apply(.counts)
            try sink.write(TableDefinition.rows(0..<10), to: .counts)
            try front.disturb("quotes")
            let error = #expect(throws: PipelineError.self) { try sink.flush() }
            #expect(error?.retry == .never)
            #expect(error?.message == "an insert failed with error 27 (CANNOT_PARSE_INPUT_ASSERTION_FAILED)")
        }

        @Test(
            "a table that is not there for more than some seconds is an error that will not pass",
            arguments: ["counts", "streamplat_writers"])
        func dropped(table: String) async throws {
            let (server, database) = try ClickHouse.database()
            let sink = try SinkConfiguration(server.url, database: database).open()
            try sink.apply(.counts)
            _ = try sink.claim(
                WriterClaim(domain: "shop", environment: "test", writer: "a", epoch: 1, tables: [.counts]))
            try sink.write(TableDefinition.rows(0..<10), to: .counts)
            try server.sql("DROP TABLE \(database).\(table)")
            // A server that is being stopped says for a moment that tables are not there.
            var error = #expect(throws: PipelineError.self) { try sink.flush() }
            #expect(error?.retry == .backoff)
            while error?.retry == .backoff {
                #expect(error?.message.contains(table) == true)
                try await Task.sleep(for: .milliseconds(200))
                error = #expect(throws: PipelineError.self) { try sink.flush() }
            }
            #expect(error?.code == .clickHouseRefused)
            #expect(error?.message.contains(table) == true)
        }

        @Test("user and password travel in headers, and no text shows the password")
        func secrets() throws {
            let canary = "canary-\(UUID().uuidString)"
            let server = try ClickHouseServer(user: "writer", password: canary)
            let front = try Front(beforePort: server.port)
            var configuration = SinkConfiguration(front.url, database: "d")
            configuration.user = "writer"
            configuration.password = canary
            let notices = Notices()
            let sink = try configuration.open(notices: notices)
            try sink.apply(.counts)
            try sink.write(TableDefinition.rows(0..<10), to: .counts)
            try sink.flush()
            #expect(try sink.query("SELECT count() FROM counts")?.rows == [[.integer(10)]])
            var diagnostics = Diagnostics()
            var texts = ["\(try sink.health())", "\(configuration.options(into: &diagnostics))"]
            for mode in ["garbage", "unavailable", "forbidden", "busy", "cut_answer"] {
                try sink.write(TableDefinition.rows(0..<10), to: .counts)
                try front.disturb(mode, requests: 2)
                let error = #expect(throws: PipelineError.self) { try sink.flush() }
                texts.append("\(String(reflecting: error)) \(error?.hint ?? "")")
                try front.disturb("pass")
                try sink.flush()
            }
            let lines = front.requests.split(separator: "\n").filter { $0.hasPrefix("POST ") }
            #expect(lines.count > 10)
            texts += lines.map(String.init) + notices.all
            #expect(front.requests.contains("X-ClickHouse-Key: \(canary)"))
            #expect(texts.allSatisfy { !$0.contains(canary) })
        }

        @Test(
            "refused credentials: exit code 3 at open, no second attempt, no password", arguments: ["no-canary", nil])
        func wrongPassword(password: String?) throws {
            let server = try ClickHouseServer(user: "writer", password: "right")
            for user in ["writer", "nobody"] {
                var configuration = SinkConfiguration(server.url)
                configuration.user = user
                configuration.password = password
                let error = #expect(throws: PipelineError.self) { try configuration.open() }
                #expect(error?.code == .clickHouseAccess)
                #expect(error?.exitCode == 3)
                #expect(error?.retry == .never)
                #expect(error?.hint?.contains("password") == true)
                #expect(String(reflecting: error).contains("canary") == false)
            }
        }
    }
}
