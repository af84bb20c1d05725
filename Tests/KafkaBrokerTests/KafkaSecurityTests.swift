import DataPath
import Diagnostics
import Foundation
import PluginAPI
import TestServers
import Testing

extension KafkaSuites {
    /// TLS and SASL end in a proxy before noida-db: the client's side of both is the real one.
    @Suite("TLS and SASL")
    struct Security {
        private static let certificates = Result { try TestCertificates() }
        private static let password = "canary-7be0d1"

        /// Writes records and reads them again, by the broker's own addresses.
        private func roundTrip(_ broker: any Broker) throws {
            defer { try? broker.close() }
            let topic = KafkaSuites.topic()
            try broker.createTopic(topic, partitions: 2)
            let records = (0..<200).map { TestRecord("key \($0)", "\($0)") }
            try broker.write(records, to: topic)
            let read = try (0..<2).flatMap { try broker.readToEnd(topic, $0).map(\.record) }
            #expect(Set(read) == Set(records))
            try broker.commit(group: topic, offsets: [TopicPartition(topic: topic, partition: 0): 1])
            #expect(try broker.committed(group: topic) == [TopicPartition(topic: topic, partition: 0): 1])
        }

        /// Opens through a proxy; everything that was said comes with the error.
        private func failure(_ proxy: SecureProxy, _ options: String) -> (error: PipelineError?, said: String) {
            let heard = Heard()
            let error = #expect(throws: PipelineError.self) {
                try KafkaSuites.open(proxy.address, "request_timeout: 2 seconds\n\(options)", heard: heard).close()
            }
            #expect(error?.exitCode == 3)
            let said = "\(String(reflecting: error)) \(heard.all)"
            #expect(!said.contains(Self.password) && !said.contains(TestCertificates.keyPassword), "\(said)")
            return (error, said)
        }

        @Test("with the right authority everything works over TLS")
        func trusted() throws {
            let certificates = try Self.certificates.get()
            let proxy = try SecureProxy(certificates.broker("server"), to: KafkaSuites.server.get())
            defer { proxy.stop() }
            try roundTrip(
                KafkaSuites.open(
                    proxy.address, "security_protocol: ssl\nca_file: \(certificates.file("ca.pem"))"))
        }

        @Test(
            "a certificate that is not right is said to be that, with the setting's place",
            arguments: [
                ("server", "other.pem", DiagnosticCode.kafkaUntrusted, "not trusted", "3:10: ca_file"),
                ("elsewhere", "ca.pem", .kafkaWrongHost, "another IP address", "1:20: bootstrap_servers"),
                ("expired", "ca.pem", .kafkaCertificateDates, "it has expired", "1:20: bootstrap_servers"),
            ])
        func wrong(broker: String, authority: String, code: DiagnosticCode, words: String, place: String) throws {
            let certificates = try Self.certificates.get()
            let proxy = try SecureProxy(certificates.broker(broker), to: KafkaSuites.server.get())
            defer { proxy.stop() }
            let heard = Heard()
            let error = #expect(throws: PipelineError.self) {
                try KafkaSuites.open(
                    proxy.address,
                    """
                    security_protocol: ssl
                    ca_file: \(certificates.file(authority))
                    request_timeout: 2 seconds
                    """, heard: heard
                ).close()
            }
            #expect(error?.code == code)
            #expect(error?.exitCode == 3)
            #expect(error?.message.contains(words) == true, "\(String(describing: error))")
            #expect(error?.hint?.contains("platform.yaml:\(place)") == true, "\(error?.hint ?? "")")
            // The error says it: nothing else does, while the broker is being opened.
            #expect(heard.all.isEmpty, "\(heard.all)")
        }

        @Test("a broker that wants a certificate gets ours, whose key may have a password")
        func mutual() throws {
            let certificates = try Self.certificates.get()
            let proxy = try SecureProxy(
                certificates.broker("server") + ["--client-ca", certificates.file("ca.pem")],
                to: KafkaSuites.server.get())
            defer { proxy.stop() }
            try roundTrip(
                KafkaSuites.open(
                    proxy.address,
                    """
                    security_protocol: ssl
                    ca_file: \(certificates.file("ca.pem"))
                    cert_file: \(certificates.file("client.pem"))
                    key_file: \(certificates.file("encrypted.key"))
                    key_password: \(TestCertificates.keyPassword)
                    """))
        }

        @Test("no certificate, or a stranger's, is said to be that", arguments: [[], ["--tls12"]])
        func mutualRefused(version: [String]) throws {
            let certificates = try Self.certificates.get()
            let proxy = try SecureProxy(
                certificates.broker("server") + ["--client-ca", certificates.file("ca.pem")] + version,
                to: KafkaSuites.server.get())
            defer { proxy.stop() }
            let options = "security_protocol: ssl\nca_file: \(certificates.file("ca.pem"))"
            let missing = failure(proxy, options)
            // TLS 1.2 has no word for it.
            let code: DiagnosticCode = version.isEmpty ? .kafkaClientCertificate : .kafkaTLS
            #expect(missing.error?.code == code, "\(missing.said)")
            #expect(missing.error?.hint?.contains("cert_file") == true)
            #expect(missing.error?.hint?.contains("platform.yaml:3:20: security_protocol") == true, "\(missing.said)")
            let stranger = failure(
                proxy,
                options + """

                    cert_file: \(certificates.file("stranger.pem"))
                    key_file: \(certificates.file("stranger.key"))
                    """)
            #expect(stranger.error?.code == .kafkaClientCertificate, "\(stranger.said)")
            #expect(stranger.error?.hint?.contains("platform.yaml:5:12: cert_file") == true, "\(stranger.said)")
        }

        @Test("a key that cannot be read is said before anything is connected to", arguments: ["wrong-0c1f", nil])
        func key(password: String?) throws {
            let certificates = try Self.certificates.get()
            let heard = Heard()
            let error = #expect(throws: PipelineError.self) {
                try KafkaSuites.open(
                    "127.0.0.1:9",
                    """
                    security_protocol: ssl
                    cert_file: \(certificates.file("client.pem"))
                    key_file: \(certificates.file("encrypted.key"))
                    \(password.map { "key_password: \($0)" } ?? "")
                    """, heard: heard
                ).close()
            }
            #expect(error?.code == .kafkaTLSFiles)
            #expect(error?.exitCode == 3)
            #expect(error?.hint?.contains("key_password") == true, "\(String(describing: error)) \(error?.hint ?? "")")
            #expect(!"\(String(reflecting: error)) \(heard.all)".contains("wrong-0c1f"))
        }

        @Test("a user with a password is let in, with TLS and without", arguments: [true, false])
        func login(tls: Bool) throws {
            let certificates = try Self.certificates.get()
            let proxy = try SecureProxy(
                (tls ? certificates.broker("server") : []) + ["--user", "ann", "--password", Self.password],
                to: KafkaSuites.server.get())
            defer { proxy.stop() }
            let options = """
                security_protocol: \(tls ? "sasl_ssl" : "sasl_plaintext")
                \(tls ? "ca_file: \(certificates.file("ca.pem"))" : "")
                sasl_mechanism: PLAIN
                username: ann
                password:
                """
            try roundTrip(KafkaSuites.open(proxy.address, "\(options) \(Self.password)"))
            let refused = failure(proxy, "\(options) \(Self.password)-but-wrong")
            #expect(refused.error?.code == .kafkaAuthentication, "\(refused.said)")
            #expect(refused.error?.message.contains("Invalid username or password") == true)
            #expect(refused.error?.hint?.contains(": sasl_mechanism)") == true, "\(refused.error?.hint ?? "")")
        }

        @Test("a mechanism that the broker does not have is said to be that")
        func mechanism() throws {
            let proxy = try SecureProxy(
                ["--user", "ann", "--password", Self.password], to: KafkaSuites.server.get())
            defer { proxy.stop() }
            let refused = failure(
                proxy, "security_protocol: sasl_plaintext\nusername: ann\npassword: \(Self.password)")
            #expect(refused.error?.code == .kafkaAuthentication, "\(refused.said)")
            #expect(refused.error?.message.contains("PLAIN") == true, "\(refused.said)")
        }

        @Test("the name of a static member reaches librdkafka")
        func staticMember() throws {
            let heard = Heard()
            try KafkaSuites.withBroker("group_instance_id: worker-1\nclient: { debug: conf }", heard: heard) { _, _ in }
            #expect(heard.all.contains { $0.contains("group.instance.id = worker-1") }, "\(heard.all.prefix(5))")
        }
    }
}
