import Diagnostics
import Foundation
import PluginAPI
import PostgreSQLSink
import TestServers
import Testing

extension PostgreSQLSinkTests {
    @Suite("Connecting")
    struct ConnectionTests {
        /// The error of an attempt to open the sink, whose text shows no password.
        private func failure(
            _ changes: [String: OptionValues.Value], sourceLocation: Testing.SourceLocation = #_sourceLocation
        ) throws -> PipelineError? {
            let schema = try TestSchema()
            let error = #expect(throws: PipelineError.self, sourceLocation: sourceLocation) {
                try schema.open(changes)
            }
            let everything = error.map { "\($0) \($0.hint ?? "") \(String(reflecting: $0))" } ?? ""
            #expect(!everything.contains("canary"), sourceLocation: sourceLocation)
            #expect(error?.hint != nil, sourceLocation: sourceLocation)
            #expect(error?.exitCode == 3, sourceLocation: sourceLocation)
            return error
        }

        @Test("a wrong password, an unknown user and a missing password are refused for good")
        func login() throws {
            for changes: [String: OptionValues.Value] in [
                ["password": .secret(Secret("canary-wrong"))], ["user": .string("nobody")],
                ["password": .secret(Secret(""))], ["user": .string("nobody"), "tls_mode": .string("disable")],
            ] {
                let error = try failure(changes)
                #expect(error?.code == .postgresLogin)
                #expect(error?.retry == .never)
            }
            let error = try failure(["password": .secret(Secret("canary-wrong"))])
            #expect(error?.message.contains("password authentication failed for user \"tester\"") == true)
            #expect(error?.message.contains("SQLSTATE 28P01") == true)
            #expect(error?.message.contains("LOCATION") == false)
        }

        @Test("a session may sort a flush in 64 MB, or in what the server gives, where that is more")
        func sortMemory() throws {
            let schema = try TestSchema()
            let role = "role \(UUID().uuidString.prefix(8))"
            func memory() throws -> [[QueryResult.Cell]]? {
                try schema.open(["user": .string(role), "password": .secret(Secret("canary-role"))])
                    .query("SELECT current_setting('work_mem')")?.rows
            }
            try schema.run("CREATE ROLE \(SQL.quoted(role)) LOGIN PASSWORD 'canary-role'")
            defer { #expect(throws: Never.self) { try schema.run("DROP ROLE \(SQL.quoted(role))") } }
            try schema.run("ALTER ROLE \(SQL.quoted(role)) SET work_mem = '4MB'")
            #expect(try memory() == [[.text("64MB")]])
            try schema.run("ALTER ROLE \(SQL.quoted(role)) SET work_mem = '96MB'")
            #expect(try memory() == [[.text("96MB")]])
        }

        @Test("a server that is down may come back")
        func down() throws {
            let error = try failure(["port": .integer(LocalServer.freePort())])
            #expect(error?.code == .postgresUnavailable && error?.retry == .backoff)
            #expect(error?.message.contains("Connection refused") == true)
        }

        @Test("a server that says nothing is given up in time")
        func silent() throws {
            let server = try FixedAnswerServer(answer: [])
            let start = Date()
            let error = try failure([
                "port": .integer(server.port), "connect_timeout": .durationMilliseconds(300),
            ])
            #expect(Date().timeIntervalSince(start) < 3)
            #expect(error?.code == .postgresUnavailable && error?.retry == .backoff)
            #expect(error?.message == "no answer within 300 ms")
        }

        @Test("a server that is no PostgreSQL is said to be none")
        func garbage() throws {
            let server = try FixedAnswerServer(answer: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
            let error = try failure(["port": .integer(server.port)])
            #expect(error?.code == .postgresUnavailable)
        }

        @Test("a database that is missing is named")
        func noDatabase() throws {
            let error = try failure(["database": .string("nowhere")])
            #expect(error?.code == .postgresDatabase && error?.retry == .never)
            #expect(error?.hint?.contains("create_database") == true)
        }

        @Test("a database is created when that is wanted and allowed")
        func createDatabase() throws {
            let schema = try TestSchema()
            let name = "made \(UUID().uuidString.prefix(8))"
            let changes: [String: OptionValues.Value] = ["database": .string(name), "create_database": .boolean(true)]
            let isThere = { try schema.rows("SELECT 1 FROM pg_database WHERE datname = $1", [name]).count == 1 }
            let looking = try schema.open(changes, access: .inspect)
            #expect(try looking.plan(Sample.table()) == .create)
            #expect(try looking.tables()?.count == 0)
            #expect(try looking.health().detail?.contains("not there yet") == true)
            #expect(throws: PipelineError.self) { try looking.query("SELECT 1") }
            #expect(try !isThere())
            let sink = try schema.open(changes)
            #expect(try isThere())
            try sink.apply(Sample.table())
            #expect(try schema.open(changes).plan(Sample.table()) == .none)
            #expect(try schema.open(changes, access: .inspect).plan(Sample.table()) == .none)
        }

        @Test("a database that cannot hold every text is refused")
        func encoding() throws {
            let schema = try TestSchema()
            try schema.run("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
            let error = try failure(["database": .string("latin")])
            #expect(error?.code == .postgresDatabase)
            #expect(error?.message.contains("LATIN1") == true)
        }

        @Test("a user without rights is told which it needs")
        func permissions() throws {
            let schema = try TestSchema()
            let role = "role \(UUID().uuidString.prefix(8))"
            try schema.run("CREATE ROLE \(SQL.quoted(role)) LOGIN PASSWORD 'canary-role'")
            let sink = try schema.open(["user": .string(role), "password": .secret(Secret("canary-role"))])
            let error = #expect(throws: PipelineError.self) { try sink.apply(Sample.table()) }
            #expect(error?.code == .postgresPermission && error?.retry == .never && error?.exitCode == 1)
            // With the rights that the hint names it works.
            try schema.run("CREATE SCHEMA \(SQL.quoted(schema.name)) AUTHORIZATION \(SQL.quoted(role))")
            try sink.apply(Sample.table())
            try sink.write(Sample.rows([(0, "a", 1)]), to: Sample.table())
            try sink.flush()
            #expect(try schema.rows("SELECT count(*) FROM sums") == [["1"]])
        }

        @Test("TLS by every mode, with the authority of the server's certificate")
        func tls() throws {
            let schema = try TestSchema()
            let authority = OptionValues.Value.string(schema.server.authorityFile)
            for (mode, host) in [
                ("require", "127.0.0.1"), ("verify_ca", "127.0.0.1"), ("verify_full", "localhost"),
            ] {
                var changes: [String: OptionValues.Value] = ["tls_mode": .string(mode), "host": .string(host)]
                if mode != "require" { changes["ca_file"] = authority }
                #expect(try schema.open(changes).health().detail == "with TLS")
            }
        }

        @Test("a certificate of another authority or for another name, and a server without TLS, are refused for good")
        func tlsRefused() throws {
            let server = try PostgreSQLSinkTests.server.get()
            let plain = try FixedAnswerServer(answer: Array("N".utf8))
            for changes: [String: OptionValues.Value] in [
                [
                    "tls_mode": .string("verify_full"), "host": .string("localhost"),
                    "ca_file": .string(server.otherAuthorityFile),
                ],
                ["tls_mode": .string("verify_ca"), "ca_file": .string(server.otherAuthorityFile)],
                ["tls_mode": .string("verify_full"), "ca_file": .string(server.authorityFile)],
                ["tls_mode": .string("verify_full"), "ca_file": .string("tls/missing.pem")],
                ["tls_mode": .string("require"), "port": .integer(plain.port)],
            ] {
                let error = try failure(changes)
                #expect(error?.code == .postgresTLS, "\(String(describing: error))")
                #expect(error?.retry == .never)
            }
        }

        @Test("options that contradict each other are reported at their places")
        func validation() {
            func codes(_ options: [String: OptionValues.Value]) -> [String] {
                var diagnostics = Diagnostics()
                PostgreSQLSinkPlugin().validate(OptionValues(options), into: &diagnostics)
                #expect(diagnostics.items.allSatisfy { $0.code == .postgresOptions && $0.hint != nil })
                return diagnostics.items.map(\.message)
            }
            #expect(codes(["tls_mode": .string("prefer"), "database": .string("x")]) == [])
            #expect(codes(["tls_mode": .string("verify_full")]) == ["tls_mode verify_full needs a ca_file"])
            #expect(codes(["cert_file": .string("c")]) == ["cert_file and key_file belong together"])
            #expect(codes(["tls_mode": .string("disable"), "ca_file": .string("c")]).count == 1)
            #expect(codes(["database": .string(""), "schema": .string("pg_x")]).count == 2)
            #expect(codes(["user": .string(String(repeating: "u", count: 64))]).count == 1)
        }
    }
}
