import KafkaClient
import Testing

@Suite("librdkafka properties")
struct KafkaPropertiesTests {
    @Test(
        "known properties with good values pass",
        arguments: [
            ("socket.keepalive.enable", "true"), ("message.max.bytes", "2000000"), ("ssl.cipher.suites", "x"),
            ("request.timeout.ms", "5000"), ("debug", "broker,topic"),
        ])
    func good(name: String, value: String) { #expect(KafkaProperties.fault(name: name, value: value) == nil) }

    @Test("an unknown name is found, with the nearest one, also while its value is not known")
    func unknown() {
        #expect(
            KafkaProperties.fault(name: "socket.keepalive.enabled", value: "true")
                == .unknown(near: "socket.keepalive.enable"))
        #expect(KafkaProperties.fault(name: "nonsense.property", value: nil) == .unknown(near: nil))
        #expect(KafkaProperties.fault(name: "ssl.key.pem", value: nil) == nil)
    }

    @Test("a value that is not accepted is not repeated")
    func invalid() throws {
        guard case .invalidValue(let words)? = KafkaProperties.fault(name: "message.max.bytes", value: "-77") else {
            Issue.record("it was accepted")
            return
        }
        #expect(!words.contains("-77"))
        #expect(words.contains("message.max.bytes"))
    }

    @Test(
        "what streamplat sets itself is refused",
        arguments: [
            "enable.auto.commit", "enable.idempotence", "partitioner", "group.id", "bootstrap.servers", "sasl.password",
            "dr_msg_cb", "transactional.id", "group.instance.id", "sasl.oauthbearer.method", "sasl.kerberos.keytab",
            "isolation.level", "plugin.library.paths",
        ])
    func owned(name: String) {
        guard case .owned? = KafkaProperties.fault(name: name, value: "x") else {
            Issue.record("it was not refused")
            return
        }
    }
}
