import ConfigTree
import Diagnostics
import KafkaClient
import PluginAPI

/// The options of the plugin: their declaration, their checks, and the librdkafka properties that they become.
enum KafkaOptions {
    static let connection = [
        OptionSpec(
            "bootstrap_servers", .strings, isRequired: true,
            doc: "Some brokers as host:port; the client finds the others through them.",
            example: "[kafka-1:9092, kafka-2:9092]"),
        OptionSpec(
            "request_timeout", .duration, default: "10 seconds",
            doc: "How long opening, and a request that changes or describes topics, may take.", example: "10 seconds"),
        OptionSpec(
            "client", .properties,
            doc: "Any other property of librdkafka; the names and values are checked by `validate`.",
            example: "{ socket.keepalive.enable: true }"),
    ]

    static let security = [
        OptionSpec(
            "security_protocol", .choice(["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]), default: "plaintext",
            doc: "How to speak to the brokers: with TLS (ssl), with a user (sasl), with both.", example: "sasl_ssl"),
        OptionSpec(
            "sasl_mechanism", .choice(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]), default: "SCRAM-SHA-512",
            doc: "How the user is proved, with security_protocol sasl_….", example: "SCRAM-SHA-512"),
        OptionSpec("username", .string, doc: "The user, with security_protocol sasl_….", example: "streamplat"),
        OptionSpec(
            "password", .string, isSecret: true, doc: "The user's password.", example: "$<secret:kafka_password>"),
        OptionSpec(
            "ca_file", .path, doc: "Certificates (PEM) of who may sign the brokers' ones; none = the system's.",
            example: "config/kafka-ca.pem"),
        OptionSpec("cert_file", .path, doc: "Our own certificate (PEM), for brokers that ask for one."),
        OptionSpec("key_file", .path, doc: "The private key (PEM) of cert_file."),
        OptionSpec("key_password", .string, isSecret: true, doc: "The password of key_file, if it has one."),
    ]

    static let records =
        [
            OptionSpec(
                "acks", .choice(["all", "leader", "none"]), default: "all",
                doc: "Who must have a record before it counts as written; with all it is written once, in order.",
                example: "all")
        ] + sending + [
            OptionSpec(
                "group_instance_id", .string,
                doc: "The name of this process among the members of a consumer group, the same after a restart.",
                example: "streamplat-1"),
            OptionSpec(
                "isolation", .choice(["read_committed", "read_uncommitted"]), default: "read_committed",
                doc: "Whether records of transactions are read before these are committed.",
                example: "read_committed"),
        ]

    /// Of all producers.
    static let sending = [
        OptionSpec(
            "compression", .choice(["none", "gzip", "snappy", "lz4", "zstd"]), default: "lz4",
            doc: "How batches of records are compressed.", example: "lz4"),
        OptionSpec(
            "linger", .duration, default: "5 ms", doc: "How long a record waits for others to share its batch.",
            example: "5 ms"),
        OptionSpec(
            "batch_bytes", .byteSize, default: "1 MB", doc: "How large a batch may get before compression.",
            example: "1 MB"),
        OptionSpec(
            "delivery_timeout", .duration, default: "5 minutes",
            doc:
                "How long a record is tried again before it is given up, which ends the command; a `run` tries it once more.",
            example: "5 minutes"),
    ]

    // MARK: Checks.

    static func check(_ options: OptionValues, into diagnostics: inout Diagnostics) {
        checkServers(options, into: &diagnostics)
        checkSecurity(options, into: &diagnostics)
        func range(_ key: String, _ value: Int64?, _ allowed: ClosedRange<Int64>, _ unit: String) {
            guard let value, !allowed.contains(value) else { return }
            diagnostics.error(
                .invalidValue,
                "'\(key)' takes \(allowed.lowerBound) to \(allowed.upperBound) \(unit), found \(value)",
                at: options.location(key))
        }
        range("request_timeout", options.milliseconds("request_timeout"), 100...300_000, "ms")
        range("linger", options.milliseconds("linger"), 0...900_000, "ms")
        range("delivery_timeout", options.milliseconds("delivery_timeout"), 1000...86_400_000, "ms")
        range("batch_bytes", options.bytes("batch_bytes"), 1024...Int64(Int32.max), "bytes")
        if let linger = options.milliseconds("linger"), let timeout = options.milliseconds("delivery_timeout"),
            linger >= timeout
        {
            diagnostics.error(
                .invalidValue, "'linger' is not shorter than 'delivery_timeout'", at: options.location("linger"))
        }
        checkInstance(options, into: &diagnostics)
        for (name, value) in (options.properties("client") ?? [:]).sorted(by: { $0.key < $1.key }) {
            checkProperty(name, value, at: options.location("client.\(name)"), into: &diagnostics)
        }
    }

    private static func checkServers(_ options: OptionValues, into diagnostics: inout Diagnostics) {
        let place = options.location("bootstrap_servers")
        // Nil while the value holds a variable that is not resolved offline.
        guard options.strings("bootstrap_servers") != nil else { return }
        let servers = servers(options)
        if servers.isEmpty {
            diagnostics.error(.invalidValue, "'bootstrap_servers' is empty", at: place, hint: "write host:port")
        }
        for server in servers where !VariableText.containsVariable(server) {
            let parts = server.split(separator: ":", omittingEmptySubsequences: false)
            let port = parts.count > 1 ? parts.last.flatMap { UInt16($0) } : 9092
            if server.contains("@") {
                diagnostics.error(
                    .invalidValue, "'bootstrap_servers' holds credentials, which would show wherever it does",
                    at: place, hint: "use `username` and `password`")
                continue
            }
            if parts.first?.isEmpty != false || port == nil || port == 0 || server.contains(where: \.isWhitespace)
                || server.contains("/")
            {
                diagnostics.error(
                    .invalidValue, "'bootstrap_servers' has '\(server)', which is not host:port", at: place,
                    hint: "write such as kafka-1:9092, without a scheme; several in a list")
            }
        }
    }

    /// A list, or one text with commas, as it comes from an environment variable.
    private static func servers(_ options: OptionValues) -> [String] {
        (options.strings("bootstrap_servers") ?? []).flatMap { $0.split(separator: ",").map(String.init) }
    }

    private static func checkSecurity(_ options: OptionValues, into diagnostics: inout Diagnostics) {
        guard let security = options.string("security_protocol"), !VariableText.containsVariable(security) else {
            return
        }
        let place = options.location("security_protocol")
        func has(_ key: String) -> Bool { options.location(key) != nil }
        if security.hasPrefix("sasl") {
            for key in ["username", "password"] where !has(key) {
                diagnostics.error(
                    .kafkaSecurity, "security_protocol \(security) needs the option '\(key)'", at: place)
            }
        } else {
            for key in ["sasl_mechanism", "username", "password"] where has(key) {
                diagnostics.error(
                    .kafkaSecurity, "'\(key)' has no effect with security_protocol \(security)",
                    at: options.location(key), hint: "write security_protocol: sasl_ssl, or leave it out")
            }
        }
        if !security.hasSuffix("ssl") {
            for key in ["ca_file", "cert_file", "key_file", "key_password"] where has(key) {
                diagnostics.error(
                    .kafkaSecurity, "'\(key)' has no effect with security_protocol \(security)",
                    at: options.location(key),
                    hint: "write security_protocol: \(security == "plaintext" ? "ssl" : "sasl_ssl"), or leave it out")
            }
        }
        for (one, other) in [("cert_file", "key_file"), ("key_file", "cert_file"), ("key_password", "key_file")]
        where has(one) && !has(other) {
            diagnostics.error(.kafkaSecurity, "'\(one)' needs '\(other)' too", at: options.location(one))
        }
    }

    /// Kafka's own rule for the name of a static member: that of a topic.
    private static func checkInstance(_ options: OptionValues, into diagnostics: inout Diagnostics) {
        guard let name = options.string("group_instance_id"), !VariableText.containsVariable(name) else { return }
        let isLegal = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard !isLegal || !(1...249).contains(name.utf8.count) || name == "." || name == ".." else { return }
        diagnostics.error(
            .invalidValue, "'group_instance_id' takes 1 to 249 letters, digits and '.', '_', '-'",
            at: options.location("group_instance_id"))
    }

    /// Where the setting that an error is about stands, or would have to; nil for errors of no setting.
    static func place(of code: DiagnosticCode, _ options: OptionValues) -> String? {
        let keys: [String]
        switch code {
        case .kafkaUntrusted: keys = ["ca_file", "security_protocol"]
        case .kafkaWrongHost, .kafkaCertificateDates, .kafkaUnreachable: keys = ["bootstrap_servers"]
        case .kafkaTLS: keys = ["security_protocol", "bootstrap_servers"]
        case .kafkaClientCertificate: keys = ["cert_file", "security_protocol"]
        case .kafkaTLSFiles: keys = ["key_password", "key_file", "cert_file", "ca_file"]
        case .kafkaAuthentication: keys = ["sasl_mechanism", "username", "security_protocol"]
        default: return nil
        }
        for key in keys {
            if let location = options.location(key) { return "\(location.text): \(key)" }
        }
        return nil
    }

    private static func checkProperty(
        _ name: String, _ value: String, at place: SourceLocation?, into diagnostics: inout Diagnostics
    ) {
        let isOpen = VariableText.containsVariable(value)
        switch KafkaProperties.fault(name: name, value: isOpen ? nil : value) {
        case nil: break
        case .unknown(let near):
            diagnostics.error(
                .kafkaProperty, "librdkafka \(KafkaProperties.libraryVersion) has no property '\(name)'", at: place,
                hint: near.map { "did you mean '\($0)'?" } ?? "see CONFIGURATION.md of librdkafka")
        case .owned(let reason):
            diagnostics.error(.kafkaOwnedProperty, "'\(name)' cannot be set here", at: place, hint: reason)
        case .invalidValue(let words):
            diagnostics.error(.kafkaProperty, "librdkafka does not accept the value of '\(name)': \(words)", at: place)
        }
    }

    // MARK: librdkafka.

    static func settings(_ options: OptionValues, _ context: PluginContext) -> KafkaSettings {
        var common = options.properties("client") ?? [:]
        // librdkafka's own passwords count as secrets wherever they came from.
        var sensitive = common.filter { name, _ in
            options.isSecret("client.\(name)")
                || ["password", "secret", "pem", "oauthbearer"].contains { name.contains($0) }
        }.map(\.value)
        common["client.id"] = common["client.id"] ?? "streamplat"
        common["bootstrap.servers"] = servers(options).joined(separator: ",")
        let security = options.string("security_protocol") ?? "plaintext"
        common["security.protocol"] = security
        func set(_ property: String, secret key: String) {
            guard let value = options.secret(key) else { return }
            value.withValue {
                common[property] = $0
                sensitive.append($0)
            }
        }
        if security.hasPrefix("sasl") {
            common["sasl.mechanism"] = options.string("sasl_mechanism") ?? "SCRAM-SHA-512"
            common["sasl.username"] = options.string("username") ?? ""
            set("sasl.password", secret: "password")
        }
        if security.hasSuffix("ssl") {
            for (property, key) in [
                ("ssl.ca.location", "ca_file"), ("ssl.certificate.location", "cert_file"),
                ("ssl.key.location", "key_file"),
            ] {
                if let path = options.string(key) { common[property] = context.absolute(path) }
            }
            set("ssl.key.password", secret: "key_password")
        }
        let acks = options.string("acks") ?? "all"
        let producer = [
            "acks": acks == "all" ? "-1" : acks == "leader" ? "1" : "0",
            "enable.idempotence": acks == "all" ? "true" : "false",
            "compression.type": options.string("compression") ?? "lz4",
            "linger.ms": String(options.milliseconds("linger") ?? 5),
            "batch.size": String(options.bytes("batch_bytes") ?? 1_000_000),
            "message.timeout.ms": String(options.milliseconds("delivery_timeout") ?? 300_000),
        ]
        var reader = ["isolation.level": options.string("isolation") ?? "read_committed"]
        // librdkafka uses it as soon as a group is joined; reading by assignment joins none.
        reader["group.instance.id"] = options.string("group_instance_id")
        return KafkaSettings(
            common: common, producer: producer,
            reader: reader,
            requestTimeoutMilliseconds: Int32(clamping: options.milliseconds("request_timeout") ?? 10_000),
            sensitiveValues: sensitive)
    }
}
