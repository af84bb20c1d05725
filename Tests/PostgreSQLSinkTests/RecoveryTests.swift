import Diagnostics
import Foundation
import PluginAPI
import PostgresClient
import TestServers
import Testing

extension PostgreSQLSinkTests {
    /// Failures between the first row and the commit: nothing is lost, nothing counts twice.
    @Suite("Recovery")
    struct RecoveryTests {
        private let schema: TestSchema
        private let table = Sample.table()

        init() throws { schema = try TestSchema() }

        /// Flushes as the runtime does, again after errors that may pass; gives these errors.
        private func flushPersistently(_ sink: any Sink) throws -> [PipelineError] {
            var errors: [PipelineError] = []
            while true {
                do {
                    try sink.flush()
                    return errors
                } catch let error as PipelineError where error.retry == .backoff && errors.count < 5 {
                    errors.append(error)
                }
            }
        }

        @Test("a server that was restarted between write and flush gets every row")
        func restart() throws {
            let sink = try schema.open()
            try sink.apply(table)
            try sink.write(Sample.rows([(0, "a", 1)]), to: table)
            try sink.flush()
            try sink.write(Sample.rows([(0, "a", 2), (0, "b", 3)]), to: table)
            schema.server.stop()
            for _ in 0..<2 {
                let error = #expect(throws: PipelineError.self) { try sink.flush() }
                #expect(error?.code == .postgresUnavailable && error?.retry == .backoff && error?.exitCode == 1)
            }
            // The runtime may go on writing meanwhile.
            try sink.write(Sample.rows([(0, "b", 4)]), to: table)
            try schema.server.start()
            _ = try flushPersistently(sink)
            #expect(
                try schema.rows("SELECT \"user\", total FROM sums ORDER BY 1") == [["a", "2"], ["b", "4"]])
            try sink.close()
        }

        @Test("plan, query and health survive a restart")
        func restartBeforeReading() throws {
            let sink = try schema.open()
            try sink.apply(table)
            schema.server.stop()
            #expect(throws: PipelineError.self) { try sink.health() }
            try schema.server.start()
            #expect(try sink.plan(table) == .none)
            schema.server.stop()
            try schema.server.start()
            #expect(try sink.query("SELECT 1")?.rows == [[.integer(1)]])
        }

        @Test("a session that is ended in the middle of the transaction leaves no row, and the next flush brings all")
        func terminated() throws {
            let sink = try schema.open(["application_name": .string(schema.name)])
            try sink.apply(table)
            try sink.write(Sample.rows([(0, "a", 1), (0, nil, 2)]), to: table)
            let blocker = try schema.connect()
            try blocker.execute("BEGIN")
            try blocker.execute("LOCK TABLE sums IN EXCLUSIVE MODE")
            let schema = schema
            Thread.detachNewThread {
                // The merge waits for the lock: then its session is ended.
                for _ in 0..<500 {
                    usleep(10_000)
                    let ended = try? schema.rows(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE application_name = $1 AND wait_event_type = 'Lock'
                        """, [schema.name])
                    if ended?.isEmpty == false { return }
                }
            }
            let error = #expect(throws: PipelineError.self) { try sink.flush() }
            #expect(error?.code == .postgresUnavailable && error?.retry == .backoff)
            try blocker.execute("ROLLBACK")
            #expect(try schema.rows("SELECT count(*) FROM sums") == [["0"]])
            #expect(try flushPersistently(sink).isEmpty)
            #expect(try schema.rows("SELECT \"user\", total FROM sums ORDER BY 1") == [["a", "1"], ["∅", "2"]])
        }

        @Test("a commit whose answer is lost is repeated and changes nothing")
        func unknownCommit() throws {
            let proxy = try CuttingProxy(to: schema.server.port)
            let sink = try schema.open(["port": .integer(proxy.port), "tls_mode": .string("disable")])
            try sink.apply(table)
            try sink.write(Sample.rows([(0, "a", 1), (0, nil, 2)]), to: table)
            proxy.cutAfter = Array("COMMIT\0".utf8)
            let error = #expect(throws: PipelineError.self) { try sink.flush() }
            #expect(error?.retry == .backoff && proxy.cuts == 1)
            let rows = "SELECT \"user\", total FROM sums ORDER BY 1"
            // The server did commit.
            for _ in 0..<100 where try schema.rows(rows).isEmpty { usleep(10_000) }
            #expect(try schema.rows(rows) == [["a", "1"], ["∅", "2"]])
            #expect(try flushPersistently(sink).isEmpty)
            #expect(try schema.rows(rows) == [["a", "1"], ["∅", "2"]])
        }

        @Test("a connection that is cut in the middle of the copy leaves no row, and the next flush brings all")
        func cutCopy() throws {
            let proxy = try CuttingProxy(to: schema.server.port)
            let sink = try schema.open(["port": .integer(proxy.port), "tls_mode": .string("disable")])
            try sink.apply(table)
            let rows = (0..<20_000).map { (Int64($0), String?("user-\($0)"), Int64(1)) }
            try sink.write(Sample.rows(rows), to: table)
            proxy.cutAfter = Array("user-9999".utf8)
            let error = #expect(throws: PipelineError.self) { try sink.flush() }
            #expect(error?.retry == .backoff && proxy.cuts == 1)
            #expect(try schema.rows("SELECT count(*) FROM sums") == [["0"]])
            #expect(try flushPersistently(sink).isEmpty)
            #expect(try schema.rows("SELECT count(*) FROM sums") == [["20000"]])
        }

        @Test("a statement that waits too long for a lock is tried again")
        func timeout() throws {
            let sink = try schema.open(["statement_timeout": .durationMilliseconds(200)])
            try sink.apply(table)
            try sink.write(Sample.rows([(0, "a", 1)]), to: table)
            let blocker = try schema.connect()
            try blocker.execute("BEGIN")
            try blocker.execute("LOCK TABLE sums IN EXCLUSIVE MODE")
            let error = #expect(throws: PipelineError.self) { try sink.flush() }
            #expect(error?.code == .postgresFailed && error?.retry == .backoff)
            #expect(error?.hint?.contains("statement_timeout") == true)
            try blocker.execute("ROLLBACK")
            #expect(try flushPersistently(sink).isEmpty)
            #expect(try schema.rows("SELECT count(*) FROM sums") == [["1"]])
        }

        @Test("a server that falls silent is given up", .timeLimit(.minutes(1)))
        func silent() throws {
            let proxy = try CuttingProxy(to: schema.server.port)
            var settings = PostgresSettings(
                host: "127.0.0.1", port: proxy.port, database: "postgres", user: schema.server.user)
            settings.tlsMode = .disable
            settings.statementTimeoutMilliseconds = 200
            settings.silenceMilliseconds = 100
            let connection = try PostgresConnection(settings, password: schema.server.password)
            proxy.stalls = true
            proxy.cutAfter = Array("SELECT 42".utf8)
            let error = #expect(throws: PostgresError.self) { try connection.execute("SELECT 42") }
            #expect(error?.kind == .connection && error?.message == "the server did not answer within 300 ms")
            #expect(connection.isLost)
            #expect(throws: PostgresError.self) { try connection.execute("SELECT 1") }
        }

        @Test("a table that is gone is no reason to try again")
        func tableGone() throws {
            let sink = try schema.open()
            try sink.apply(table)
            try schema.run("DROP TABLE sums")
            try sink.write(Sample.rows([(0, "a", 1)]), to: table)
            let error = #expect(throws: PipelineError.self) { try sink.flush() }
            #expect(error?.code == .postgresFailed && error?.retry == .never)
            #expect(error?.hint?.contains("streamplat apply") == true)
        }

        @Test(
            "no reason for which a row is refused shows a value of it",
            arguments: [
                "ALTER TABLE sums ADD CHECK (\"user\" <> 'canary')",
                """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                  $$ BEGIN RAISE EXCEPTION 'no %', NEW.user; END $$;
                CREATE TRIGGER refuse BEFORE INSERT ON sums FOR EACH ROW EXECUTE FUNCTION refuse()
                """,
                """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                  $$ BEGIN NEW.total := NEW.user::bigint; RETURN NEW; END $$;
                CREATE TRIGGER refuse BEFORE INSERT ON sums FOR EACH ROW EXECUTE FUNCTION refuse()
                """,
            ])
        func noValues(obstacle: String) throws {
            let sink = try schema.open()
            try sink.apply(table)
            for statement in obstacle.components(separatedBy: ";\n") { try schema.run(statement) }
            try sink.write(Sample.rows([(0, "canary", 1)]), to: table)
            try sink.flush()
            let refused = try #require(sink.takeRefused().first?.refused)
            #expect(refused.code == .postgresValue && refused.rows.count == 1)
            #expect(!String(reflecting: refused).contains("canary"))
        }
    }
}
