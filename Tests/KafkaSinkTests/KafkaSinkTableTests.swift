import DataPath
import Diagnostics
import Foundation
import PluginAPI
import TestServers
import Testing

extension KafkaSinkSuites {
    @Suite("Tables")
    struct TableTests {
        private func config(_ results: Results, _ topic: String) throws -> [String: String] {
            try results.json("config", topic)
        }

        @Test("looking creates nothing, and nothing can be changed while looking")
        func inspect() throws {
            let results = try Results()
            let sink = try results.open("", .inspect)
            #expect(try sink.plan(.daily()) == .create)
            #expect(throws: PipelineError.self) { try sink.apply(.daily()) }
            #expect(throws: PipelineError.self) { try sink.clear(.daily()) }
            #expect(throws: PipelineError.self) { try sink.claim(.of(.daily(), writer: "a")) }
            #expect(throws: PipelineError.self) { try sink.write(batch([(0, 1)]), to: .daily()) }
            #expect(try sink.plan(.daily()) == .create)
            #expect(try sink.query("SELECT 1") == nil && sink.tables() == nil)
            #expect(try sink.health().version.contains("Kafka"))
        }

        @Test("apply makes the topic as the options say; a second time there is nothing to do")
        func create() throws {
            let results = try Results()
            let options = "partitions: 3\nretention: 2 days\ncleanup: compact,delete\nconfig: { segment.ms: 60000 }"
            let sink = try results.open(options)
            #expect(try sink.plan(.daily()) == .create)
            try sink.apply(.daily())
            #expect(try sink.plan(.daily()) == .none)
            try sink.apply(.daily())
            #expect(try results.open(options, .inspect).plan(.daily()) == .none)
            let config = try config(results, results.topic(.daily()))
            #expect(config["cleanup.policy"] == "compact,delete" && config["retention.ms"] == "172800000")
            #expect(config["segment.ms"] == "60000")
            let control = try self.config(results, "\(results.prefix).streamplat.shop")
            #expect(control["cleanup.policy"] == "compact")
        }

        @Test("other options are changes that lose nothing; more partitions than wanted are left")
        func alter() throws {
            let results = try Results()
            let (sink, _, _) = try results.run()
            try sink.write(batch([(0, 1)]), to: .daily())
            try sink.close()
            let other = try results.open("partitions: 2\nretention: forever")
            guard case .alter(let steps) = try other.plan(.daily()) else {
                Issue.record("\(try other.plan(.daily()))")
                return
            }
            #expect(steps.count == 2 && steps[0].hasPrefix("partitions 1 → 2"), "\(steps)")
            #expect(steps.last == "retention.ms 604800000 → -1")
            try other.apply(.daily())
            #expect(try other.plan(.daily()) == .none)
            #expect(try results.values() == [line(0, 1)])
            let fewer = try results.open("retention: forever")
            #expect(try fewer.plan(.daily()) == .none)
            _ = try fewer.plan(.daily())
            #expect(results.heard.filter { $0.contains("2 partitions, more than the 1") }.count == 1)
        }

        @Test(
            "another meaning deletes the records and ends the run that wrote them", arguments: ["delete", "compact"])
        func rebuild(_ cleanup: String) throws {
            let results = try Results()
            let (older, _, _) = try results.run(options: "cleanup: \(cleanup)\npartitions: 2")
            try older.write(batch((0..<20).map { (Int64($0), 1) }), to: .daily())
            _ = try older.commit(.number(3))
            let table = TableDefinition.daily(fingerprint: "f2", [ColumnSpec("total", .long)])
            let sink = try results.open("cleanup: \(cleanup)\npartitions: 2")
            #expect(try sink.plan(table) == .rebuild(["add total long"]))
            try sink.apply(table)
            #expect(try sink.plan(table) == .none)
            #expect(try results.values().isEmpty)
            #expect(try config(results, results.topic(table))["cleanup.policy"] == cleanup)
            try? older.write(batch([(0, 1)]), to: .daily())
            let error = #expect(throws: PipelineError.self) { try older.flush() }
            #expect(error?.code == .writerReplaced)
            // The older run's checkpoint does not fit any more.
            let standing = try sink.claim(.of(table, writer: "newer"))
            #expect(standing.epoch == 3 && standing.committed == CheckpointNumber.none)
            try sink.close()
        }

        @Test("clear deletes the records and keeps the table")
        func clear() throws {
            let results = try Results()
            let (sink, _, _) = try results.run()
            try sink.write(batch([(0, 1)]), to: .daily())
            try sink.flush()
            try sink.clear(.daily())
            #expect(try results.values().isEmpty)
            #expect(try sink.plan(.daily()) == .none)
        }

        @Test("a topic that is not ours, or another domain's, is left alone")
        func foreign() throws {
            let results = try Results()
            try results.python("make", results.topic(.daily()))
            let sink = try results.open()
            guard case .refuse(let reason, let hint) = try sink.plan(.daily()) else {
                Issue.record("a foreign topic was not refused")
                return
            }
            #expect(reason.contains("did not create") && hint.contains("topic_prefix"))
            try sink.apply(.daily())
            #expect(throws: PipelineError.self) { try sink.clear(.daily()) }
            try sink.apply(.raw())
            var other = TableDefinition.raw()
            other.owner = "fleet"
            #expect(
                try results.open().plan(other)
                    == .refuse(
                        reason: "topic \(results.prefix).raw belongs to domain 'shop'",
                        hint: "rename the aggregation, or give this domain a sink with a `topic_prefix` of its own"))
        }

        @Test("a control topic that holds something else is not taken for ours")
        func control() throws {
            let results = try Results()
            let topic = "\(results.prefix).streamplat.shop"
            try results.python("make", topic)
            try results.python("put", topic, "writer", "{\"version\": 99}")
            try results.python("make", results.topic(.daily()))
            let error = #expect(throws: PipelineError.self) { try results.open().plan(.daily()) }
            #expect(error?.code == .kafkaSinkControl && error?.message.contains("'writer'") == true)
        }
    }

    @Suite("Options")
    struct OptionTests {
        private func findings(_ yaml: String) -> [Diagnostic] {
            var diagnostics = Diagnostics()
            _ = KafkaSinkSuites.parse("bootstrap_servers: 'a:9092'\n\(yaml)", into: &diagnostics)
            return diagnostics.sorted
        }

        @Test("complete options are right")
        func right() {
            #expect(
                findings(
                    """
                    topic_prefix: shop.results
                    partitions: 6
                    replication: 3
                    cleanup: compact
                    config: { min.insync.replicas: 2, max.message.bytes: 2000000 }
                    transactions: true
                    transaction_timeout: 2 minutes
                    security_protocol: sasl_ssl
                    username: u
                    password: p
                    compression: zstd
                    client: { message.max.bytes: 2000000 }
                    """
                ).isEmpty)
        }

        @Test(
            "each wrong option is found at its place",
            arguments: [
                ("topic_prefix: 'a b'", "topic_prefix"), ("topic_prefix: __mine", "Kafka's own"),
                ("partitions: 0", "partitions"), ("cleanup: never", "cleanup"), ("retention: soon", "retention"),
                ("transaction_timeout: 10 ms", "transaction_timeout"), ("acks: none", "acks"),
                ("config: { cleanup.policy: compact }", "set by 'cleanup'"),
                ("config: { retention.ms: 5 }", "set by 'retention'"),
                ("config: { retention.byte: 5 }", "retention.byte"),
                ("replication: 1\nconfig: { min.insync.replicas: 2 }", "replicas"),
                ("client: { transactional.id: x }", "transaction_timeout"),
                ("client: { socket.timeout: 5 }", "socket.timeout"), ("isolation: read_committed", "isolation"),
                ("linger: 1 hour", "linger"),
            ])
        func wrong(_ yaml: String, _ word: String) throws {
            let found = findings(yaml)
            let finding = try #require(found.first)
            #expect(found.count <= 2 && finding.location?.line ?? 0 >= 2, "\(found)")
            #expect("\(finding.message) \(finding.hint ?? "")".contains(word), "\(found)")
        }

        @Test(
            "options that contradict each other are told",
            arguments: [
                "cleanup: compact\nretention: 1 day", "transactions: false\ntransaction_timeout: 1 minute",
            ])
        func contradictions(_ yaml: String) {
            #expect(findings(yaml).map(\.code) == [.kafkaSinkOption])
        }
    }
}
