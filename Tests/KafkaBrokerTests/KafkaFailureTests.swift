import DataPath
import Diagnostics
import Foundation
import PluginAPI
import TestServers
import Testing

extension KafkaSuites {
    @Suite("When brokers fail")
    struct Failures {
        private static let canary = "canary-3f9a77c1"

        @Test("a broker that is down is said within seconds: which, why, exit code 3")
        func down() throws {
            let port = try LocalServer.freePort()
            let begin = Date()
            let error = #expect(throws: PipelineError.self) { _ = try KafkaSuites.open("127.0.0.1:\(port)") }
            #expect(error?.exitCode == 3)
            #expect(error?.code == .kafkaUnreachable)
            #expect(error?.message.contains("127.0.0.1:\(port)") == true)
            #expect(error?.message.contains("Connection refused") == true)
            #expect(Date().timeIntervalSince(begin) < 5)
        }

        @Test("a name that does not exist is said")
        func unknownHost() throws {
            let error = #expect(throws: PipelineError.self) {
                _ = try KafkaSuites.open("no-such-host.invalid:9092", "request_timeout: 3 seconds")
            }
            #expect(error?.exitCode == 3)
            #expect(error?.code == .kafkaUnreachable)
            #expect(error?.message.contains("no-such-host.invalid") == true)
        }

        @Test("TLS towards a broker that speaks none is said to be that")
        func noTLS() throws {
            let server = try KafkaSuites.server.get()
            let error = #expect(throws: PipelineError.self) {
                _ = try KafkaSuites.open(server.address, "security_protocol: ssl\nrequest_timeout: 3 seconds")
            }
            #expect(error?.exitCode == 3)
            #expect([.kafkaTLS, .kafkaUnreachable].contains(error?.code))
        }

        @Test("a certificate file that is not there is said before anything is connected to")
        func missingCertificate() throws {
            let error = #expect(throws: PipelineError.self) {
                _ = try KafkaSuites.open("127.0.0.1:9", "security_protocol: ssl\nca_file: nowhere/ca.pem")
            }
            #expect(error?.exitCode == 3)
            #expect(error?.code == .kafkaTLSFiles)
            #expect(error?.message.contains("ssl.ca.location") == true)
            #expect(error?.hint?.contains("platform.yaml:3:10: ca_file") == true, "\(error?.hint ?? "")")
        }

        /// The server takes every password; with TLS, which it does not speak, the opening fails.
        @Test("the password is in no error and no notice", arguments: ["sasl_plaintext", "sasl_ssl"])
        func canary(protocol security: String) throws {
            let server = try KafkaSuites.server.get()
            let heard = Heard()
            var failure: (any Error)?
            do {
                try KafkaSuites.open(
                    server.address,
                    """
                    security_protocol: \(security)
                    sasl_mechanism: PLAIN
                    username: someone
                    password: \(Failures.canary)
                    request_timeout: 2 seconds
                    client: { debug: "all", ssl.keystore.password: \(Failures.canary)-2 }
                    """, heard: heard
                ).close()
            } catch {
                failure = error
            }
            #expect((failure == nil) == (security == "sasl_plaintext"))
            let said = "\(String(describing: failure)) \(String(reflecting: failure)) \(heard.all)"
            #expect(!said.contains(Failures.canary))
            #expect(!heard.all.isEmpty)
        }

        @Test("refused credentials are said at once, without the password that the broker repeats")
        func refusedCredentials() throws {
            let folder = try LocalServer.temporaryFolder("refusing")
            defer { try? FileManager.default.removeItem(at: folder) }
            let port = try LocalServer.freePort()
            let broker = try LocalProcess(
                "refusing broker", try #require(KafkaServer.python), [Scripts.refusingBroker.path, "\(port)"],
                logFile: folder.appendingPathComponent("log"))
            defer { broker.stop() }
            try LocalServer.wait(for: broker) { LocalServer.accepts(port: port) }
            let heard = Heard()
            let begin = Date()
            let error = #expect(throws: PipelineError.self) {
                _ = try KafkaSuites.open(
                    "127.0.0.1:\(port)",
                    """
                    security_protocol: sasl_plaintext
                    sasl_mechanism: PLAIN
                    username: someone
                    password: \(Failures.canary)
                    """, heard: heard)
            }
            #expect(error?.exitCode == 3)
            #expect(error?.code == .kafkaAuthentication)
            #expect(error?.message.contains("wrong password: ***") == true)
            #expect(!"\(String(reflecting: error)) \(heard.all)".contains(Failures.canary))
            #expect(Date().timeIntervalSince(begin) < 5)
        }

        @Test("a broker that is restarted is waited for: reader and producer go on, nothing is lost")
        func restart() throws {
            let server = try KafkaServer()
            let heard = Heard()
            let broker = try KafkaSuites.open(server.address, heard: heard)
            defer { try? broker.close() }
            let topic = KafkaSuites.topic()
            let partition = TopicPartition(topic: topic, partition: 0)
            try broker.createTopic(topic, partitions: 1)
            let producer = try broker.makeProducer()
            let reader = try broker.makeReader(partition, at: 0)
            let block = RecordBlockBox()
            func send(_ numbers: Range<Int>) throws {
                block.written.removeAll()
                for number in numbers { block.written.append(TestRecord("k", "\(number)")) }
                try producer.send(block.written, to: topic)
            }
            var values: [String] = []
            func read(until count: Int) throws {
                let end = Date(timeIntervalSinceNow: 20)
                while values.count < count, Date() < end {
                    if try reader.fetch(into: block.read, maxBytes: 1 << 20) == .records {
                        values += block.read.entries.map {
                            String(decoding: block.read.value($0).map { Array($0) } ?? [], as: UTF8.self)
                        }
                    } else {
                        usleep(1000)
                    }
                }
            }
            func waitFor(_ text: String) {
                let end = Date(timeIntervalSinceNow: 10)
                while !heard.all.contains(where: { $0.contains(text) }), Date() < end { usleep(5000) }
            }
            try send(0..<1000)
            try producer.flush()
            try read(until: 1000)
            server.stop()
            waitFor("reader reaches no broker")
            // Accepted while there is no broker; a partition whose leader is away is not said to be at its end.
            try send(1000..<2000)
            #expect(try reader.fetch(into: block.read, maxBytes: 1 << 20) == .nothingYet)
            try server.start()
            try producer.flush()
            try read(until: 2000)
            #expect(values == (0..<2000).map { "\($0)" })
            waitFor("reader is connected again")
            #expect(heard.all.contains { $0.contains("reader reaches no broker") && $0.contains("127.0.0.1") })
            #expect(heard.all.contains { $0.contains("reader is connected again") })
            #expect(heard.all.count < 12)
            try reader.close()
            try producer.close()
        }

        @Test("what cannot be delivered in time ends the producer with a clear error")
        func deliveryTimeout() throws {
            let server = try KafkaServer()
            let broker = try KafkaSuites.open(server.address, "delivery_timeout: 1 second")
            defer { try? broker.close() }
            let topic = KafkaSuites.topic()
            try broker.createTopic(topic, partitions: 1)
            let producer = try broker.makeProducer()
            let block = RecordBlockBox()
            block.written.append(TestRecord("a", "1"))
            try producer.send(block.written, to: topic)
            try producer.flush()
            server.stop()
            try producer.send(block.written, to: topic)
            let error = #expect(throws: PipelineError.self) { try producer.flush() }
            #expect(error?.code == .kafkaNotDelivered)
            #expect(error?.message.contains(topic) == true)
            // The record is missing for good, so every later call says so.
            #expect(throws: PipelineError.self) { try producer.send(block.written, to: topic) }
            #expect(throws: PipelineError.self) { try producer.close() }
        }

        @Test("requests while the broker is away fail with a reason and may be tried again")
        func requestsWhileDown() throws {
            let server = try KafkaServer()
            let broker = try KafkaSuites.open(server.address, "request_timeout: 1 second")
            defer { try? broker.close() }
            server.stop()
            let begin = Date()
            let error = #expect(throws: PipelineError.self) { _ = try broker.topics() }
            #expect(error?.retry == .backoff)
            #expect(Date().timeIntervalSince(begin) < 5)
            #expect(throws: PipelineError.self) {
                try broker.commit(group: "g", offsets: [TopicPartition(topic: "t", partition: 0): 1])
            }
        }
    }
}
