internal import CRdKafka
internal import Diagnostics

/// What librdkafka says about one of its properties, before any handle is made.
public enum KafkaPropertyFault: Hashable, Sendable {
    /// There is no such property; `near` is one whose name is near.
    case unknown(near: String?)
    /// It is set by streamplat, for the reason given.
    case owned(reason: String)
    /// librdkafka's words; the value is not among them.
    case invalidValue(String)
}

/// Judges librdkafka properties that a person wrote. Pure: no file, no network.
public enum KafkaProperties {
    /// What is wrong with a property; nil when nothing is. With a nil value only the name is judged.
    public static func fault(name: String, value: String?) -> KafkaPropertyFault? {
        if let reason = ownedReason(name) { return .owned(reason: reason) }
        guard let configuration = rd_kafka_conf_new() else { return nil }
        defer { rd_kafka_conf_destroy(configuration) }
        return withErrorText { text, size in
            // Without a value a known property is set to its default.
            switch rd_kafka_conf_set(configuration, name, value, text, size) {
            case RD_KAFKA_CONF_OK: return nil
            case RD_KAFKA_CONF_UNKNOWN: return .unknown(near: near(name, configuration))
            default:
                let words = String(cString: text)
                guard let value else { return nil }
                return .invalidValue(value.isEmpty ? words : words.replacing(value, with: "…"))
            }
        }
    }

    /// The linked librdkafka's version, such as `2.0.2`.
    public static var libraryVersion: String { String(cString: rd_kafka_version_str()) }

    private static func near(_ name: String, _ configuration: OpaquePointer) -> String? {
        nearestName(to: name, among: names(configuration).filter { ownedReason($0) == nil })
    }

    private static func names(_ configuration: OpaquePointer) -> [String] {
        var result: [String] = []
        func take(_ dump: UnsafeMutablePointer<UnsafePointer<CChar>?>?, _ count: Int) {
            guard let dump else { return }
            for index in stride(from: 0, to: count, by: 2) {
                if let name = dump[index] { result.append(String(cString: name)) }
            }
            rd_kafka_conf_dump_free(dump, count)
        }
        var count = 0
        take(rd_kafka_conf_dump(configuration, &count), count)
        if let topic = rd_kafka_topic_conf_new() {
            take(rd_kafka_topic_conf_dump(topic, &count), count)
            rd_kafka_topic_conf_destroy(topic)
        }
        return result
    }

    private static func ownedReason(_ name: String) -> String? {
        if let option = options[name] { return "write the option '\(option)' instead" }
        if name.hasSuffix("_cb") || name == "opaque" || name == "default_topic_conf" || name == "interceptors" {
            return "it can only be set by a program"
        }
        if let login = unsupportedLogins.first(where: { name.contains($0.part) })?.login {
            return "\(login) logins are not supported: sasl_mechanism takes PLAIN and SCRAM"
        }
        return owned.first { $0.names.contains(name) }?.reason
    }

    /// Properties that have an option of their own.
    private static let options: [String: String] = [
        "bootstrap.servers": "bootstrap_servers", "metadata.broker.list": "bootstrap_servers",
        "security.protocol": "security_protocol", "sasl.mechanism": "sasl_mechanism",
        "sasl.mechanisms": "sasl_mechanism", "sasl.username": "username", "sasl.password": "password",
        "ssl.ca.location": "ca_file", "ssl.certificate.location": "cert_file", "ssl.key.location": "key_file",
        "ssl.key.password": "key_password", "acks": "acks", "request.required.acks": "acks",
        "compression.type": "compression", "compression.codec": "compression", "linger.ms": "linger",
        "queue.buffering.max.ms": "linger", "batch.size": "batch_bytes", "message.timeout.ms": "delivery_timeout",
        "delivery.timeout.ms": "delivery_timeout", "isolation.level": "isolation",
        "group.instance.id": "group_instance_id",
    ]

    private static let unsupportedLogins = [
        (part: "sasl.oauthbearer.", login: "OAuth"), (part: "enable.sasl.oauthbearer.", login: "OAuth"),
        (part: "sasl.kerberos.", login: "Kerberos"),
    ]

    private static let owned: [(names: Set<String>, reason: String)] = [
        (
            [
                "enable.auto.commit", "auto.commit.enable", "auto.commit.interval.ms", "enable.auto.offset.store",
                "offset.store.method", "offset.store.path", "offset.store.sync.interval.ms",
            ], "offsets are committed after the sinks have acknowledged, by streamplat"
        ),
        (["auto.offset.reset"], "an offset that is gone is an error that streamplat reports"),
        (["enable.partition.eof"], "streamplat must know where a partition ends"),
        (
            [
                "group.id", "group.protocol.type", "partition.assignment.strategy",
                "session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms", "coordinator.query.interval.ms",
            ], "streamplat deals partitions to processes itself: consumer groups are not used"
        ),
        (["enable.idempotence", "enable.gapless.guarantee"], "with 'acks: all' the producer is idempotent"),
        (
            ["transactional.id", "transaction.timeout.ms"],
            "only the sink writes in transactions; it sets the id, and has the option 'transaction_timeout'"
        ),
        (
            ["partitioner", "message.partitioner", "queuing.strategy"],
            "equal keys must go where Kafka's own clients send them, in order"
        ),
        (["statistics.interval.ms", "delivery.report.only.error"], "streamplat relies on its value"),
        (["allow.auto.create.topics"], "topics are created by `streamplat apply`"),
        (
            ["log.queue", "log.thread.name", "log_level"],
            "librdkafka's log goes through streamplat's; 'debug' may be set"
        ),
        (["plugin.library.paths"], "foreign code is not loaded"),
    ]
}
