import ConfigTree
import Diagnostics
import Foundation
import KafkaBroker
import PluginAPI
import Testing
import YAMLTree

@Suite("Options of the Kafka broker")
struct KafkaOptionTests {
    private func findings(_ yaml: String) -> [Diagnostic] {
        var diagnostics = Diagnostics()
        _ = KafkaSuites.parse(yaml, into: &diagnostics)
        return diagnostics.sorted
    }

    @Test("complete options are right")
    func right() {
        #expect(
            findings(
                """
                bootstrap_servers: [kafka-1:9092, "kafka-2:9092"]
                security_protocol: sasl_ssl
                sasl_mechanism: SCRAM-SHA-256
                username: u
                password: p
                ca_file: ca.pem
                acks: all
                compression: zstd
                linger: 10 ms
                batch_bytes: 64 KiB
                client:
                  socket.keepalive.enable: true
                  message.max.bytes: 2000000
                """
            ).isEmpty)
    }

    @Test(
        "each wrong option is found at its place",
        arguments: [
            ("acks: all", DiagnosticCode.missingKey, 1),
            ("bootstrap_servers: 'http://x:9092'", .invalidValue, 1),
            ("bootstrap_servers: ['a:9092', 'b:99999']", .invalidValue, 1),
            ("bootstrap_servers: a:9092\nclient:\n  socket.keepalive.enabled: true", .kafkaProperty, 3),
            ("bootstrap_servers: a:9092\nclient:\n  message.max.bytes: many", .kafkaProperty, 3),
            ("bootstrap_servers: a:9092\nclient:\n  acks: 1", .kafkaOwnedProperty, 3),
            ("bootstrap_servers: a:9092\nclient:\n  message.max.bytes: [1]", .wrongType, 3),
            ("bootstrap_servers: a:9092\nusername: u", .kafkaSecurity, 2),
            ("bootstrap_servers: a:9092\nca_file: ca.pem", .kafkaSecurity, 2),
            ("bootstrap_servers: a:9092\nsecurity_protocol: sasl_ssl", .kafkaSecurity, 2),
            ("bootstrap_servers: a:9092\nsecurity_protocol: ssl\ncert_file: c.pem", .kafkaSecurity, 3),
            ("bootstrap_servers: a:9092\nlinger: 1 hour", .invalidValue, 2),
            ("bootstrap_servers: a:9092\nlinger: 2 minutes\ndelivery_timeout: 1 minute", .invalidValue, 2),
            ("bootstrap_servers: a:9092\ngroup_instance_id: 'no spaces'", .invalidValue, 2),
            ("bootstrap_servers: a:9092\nclient: { group.instance.id: x }", .kafkaOwnedProperty, 2),
            ("bootstrap_servers: a:9092\nclient: { sasl.oauthbearer.config: x }", .kafkaOwnedProperty, 2),
            ("bootstrap_servers: a:9092\nclient: { sasl.kerberos.keytab: x }", .kafkaOwnedProperty, 2),
            ("bootstrap_servers: a:9092\nsecurity_protocol: sasl_ssl\nsasl_mechanism: OAUTHBEARER", .invalidValue, 3),
            ("bootstrap_servers: a:9092\nacks: most", .invalidValue, 2),
        ])
    func wrong(yaml: String, code: DiagnosticCode, line: Int) {
        let found = findings(yaml)
        #expect(found.contains { $0.code == code && $0.location?.line == line }, "\(found)")
    }

    @Test("a value that is a secret is checked by name only, and never repeated")
    func variables() {
        #expect(
            findings(
                """
                bootstrap_servers: $<env:SERVERS>
                client: { ssl.keystore.password: "$<secret:x>", message.max.bytes: "$<env:LIMIT>" }
                """
            ).isEmpty)
        let found = findings("bootstrap_servers: a:9092\nclient: { security.protocoll: canary-1 }")
        #expect(found.count == 1)
        #expect(!"\(found)".contains("canary-1"))
    }

    private func judge(_ config: [String: String], replication: Int = 1) -> [Diagnostic] {
        var diagnostics = Diagnostics()
        KafkaBroker().validateTopic(
            TopicRequest(
                name: .init("t", at: nil), partitions: .init(1, at: nil), replication: .init(replication, at: nil),
                config: config.mapValues { .init($0, at: nil) }), into: &diagnostics)
        return diagnostics.items
    }

    @Test("a topic's configuration is judged without a broker")
    func topics() {
        #expect(
            judge(
                [
                    "retention.ms": "-1", "cleanup.policy": "compact, delete", "min.insync.replicas": "2",
                    "min.cleanable.dirty.ratio": "0.5",
                ], replication: 3
            ).isEmpty)
        #expect(judge(["retention.mss": "1"]).map(\.severity) == [.error])
        #expect(judge(["retention.ms": "1 day"]).map(\.severity) == [.error])
        #expect(judge(["cleanup.policy": "remove"]).map(\.severity) == [.error])
        #expect(judge(["min.insync.replicas": "2"], replication: 1).map(\.severity) == [.error])
        #expect(judge(["confluent.value.schema.validation": "true"]).map(\.severity) == [.warning])
    }

    @Test("the example beside the plugin is right, and so is the one of the readme")
    func examples() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("plugins/kafka")
        let readme = try String(contentsOf: folder.appendingPathComponent("README.md"), encoding: .utf8)
        let block = readme.split(separator: "```yaml\n").dropFirst().first?.split(separator: "```").first
        let texts = [
            try String(contentsOf: folder.appendingPathComponent("example.yaml"), encoding: .utf8),
            String(try #require(block)),
        ]
        for text in texts {
            var diagnostics = Diagnostics()
            let tree = try #require(
                YAMLTree.parse(
                    bytes: Array(text.utf8), file: "example.yaml", layer: ConfigLayer("x"), into: &diagnostics))
            #expect(tree.node(at: "broker.type")?.scalar?.text == "kafka")
            let node = try #require(tree.node(at: "broker.kafka"))
            let options = KafkaBroker.spec.parse(node, path: "broker.kafka", at: node.location, into: &diagnostics)
            KafkaBroker().validate(options, into: &diagnostics)
            #expect(diagnostics.items.isEmpty)
        }
    }
}
