import ConfigTree
import Diagnostics
import KafkaClient
import PluginAPI

/// What the sink's own options say.
struct KafkaSinkOptions {
    static let topics = [
        OptionSpec(
            "topic_prefix", .string, default: "results", isPlace: true,
            doc: "The topic of table revenue is <topic_prefix>.revenue.", example: "results"),
        OptionSpec(
            "partitions", .integer(1...100_000), default: "1", doc: "The partitions of a new topic; never fewer.",
            example: "6"),
        OptionSpec(
            "replication", .integer(1...100),
            doc: "The copies of a new topic's partitions; none = as the broker likes.",
            example: "3"),
        OptionSpec(
            "cleanup", .choice(["delete", "compact", "compact,delete"]), default: "delete",
            doc: "What goes: old records (delete), records of a key but the newest (compact), or both.",
            example: "compact"),
        OptionSpec(
            "retention", .string, default: "7 days",
            doc: "How long records are kept, a duration or forever; not with compact alone.", example: "30 days"),
        OptionSpec(
            "config", .properties, doc: "Any other configuration of the topics, by Kafka's names.",
            example: "{ min.insync.replicas: 2 }"),
    ]

    static let writing = [
        OptionSpec(
            "transactions", .boolean, default: "true",
            doc: "Whether rows appear a transaction at a time, and an older run is kept out by the broker."),
        OptionSpec(
            "transaction_timeout", .duration, default: "1 minute",
            doc: "After this the broker ends the transaction of a run that went silent.", example: "1 minute"),
    ]

    let prefix: String
    let partitions: Int
    /// Nil = the broker's default.
    let replication: Int?
    let isTransactional: Bool
    let transactionTimeoutMilliseconds: Int64
    /// The configuration of a table's topic, by Kafka's names.
    let config: [String: String]

    init(_ options: OptionValues) {
        prefix = options.string("topic_prefix") ?? "results"
        partitions = options.integer("partitions") ?? 1
        replication = options.integer("replication")
        isTransactional = options.boolean("transactions") ?? true
        transactionTimeoutMilliseconds = options.milliseconds("transaction_timeout") ?? 60_000
        let cleanup = options.string("cleanup") ?? "delete"
        var config = options.properties("config") ?? [:]
        config["cleanup.policy"] = cleanup
        if cleanup != "compact", let retention = Self.retention(options) { config["retention.ms"] = "\(retention)" }
        self.config = config
    }

    func topic(of table: String) -> String { "\(prefix).\(table)" }

    func settings(_ options: OptionValues, _ context: PluginContext) -> KafkaSettings {
        var settings = KafkaOptions.settings(options, context)
        settings.reader["isolation.level"] = "read_committed"
        // A batch that the topic refuses for its size is a transaction that has to be sent again.
        if let limit = config["max.message.bytes"].flatMap(Int64.init), limit > 0 {
            let size = settings.producer["batch.size"].flatMap(Int64.init) ?? limit
            settings.producer["batch.size"] = "\(max(1, min(size, limit)))"
        }
        return settings
    }

    /// Milliseconds, -1 = for ever; nil when it is neither.
    private static func retention(_ options: OptionValues) -> Int64? {
        let text = options.string("retention") ?? "7 days"
        return text == "forever" ? -1 : DurationText.milliseconds(text).flatMap { $0 > 0 ? $0 : nil }
    }

    // MARK: Checks

    static func check(_ options: OptionValues, into diagnostics: inout Diagnostics) {
        func isOpen(_ key: String) -> Bool { options.string(key).map(VariableText.containsVariable) ?? false }
        if !isOpen("topic_prefix"), let prefix = options.string("topic_prefix"), let fault = fault(ofPrefix: prefix) {
            diagnostics.error(
                .kafkaSinkOption, "'topic_prefix' \(fault)", at: options.location("topic_prefix"),
                hint: "write letters, digits and '.', '_', '-', such as results")
        }
        if !isOpen("retention"), retention(options) == nil {
            diagnostics.error(
                .invalidValue, "'retention' is neither a duration nor forever: '\(options.string("retention") ?? "")'",
                at: options.location("retention"), hint: DurationText.hint)
        }
        if options.string("cleanup") == "compact", let place = options.location("retention") {
            diagnostics.error(
                .kafkaSinkOption, "'retention' has no effect with cleanup: compact", at: place,
                hint: "write cleanup: compact,delete, or leave retention out")
        }
        let timeout = 1000...Int64(Int32.max)
        if let value = options.milliseconds("transaction_timeout"), !timeout.contains(value) {
            diagnostics.error(
                .invalidValue, "'transaction_timeout' takes 1 second or more, found \(value) ms",
                at: options.location("transaction_timeout"))
        }
        if options.boolean("transactions") == false, let place = options.location("transaction_timeout") {
            diagnostics.error(
                .kafkaSinkOption, "'transaction_timeout' has no effect with transactions: false", at: place)
        }
        checkConfig(options, into: &diagnostics)
    }

    private static func fault(ofPrefix prefix: String) -> String? {
        let isLegal = prefix.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        if prefix.isEmpty || !isLegal || prefix.hasPrefix(".") { return "cannot begin the name of a topic" }
        if prefix.hasPrefix("__") { return "begins with '__', as only Kafka's own topics do" }
        // The longest name that Kafka takes has 249.
        return prefix.utf8.count > 120 ? "is longer than 120 bytes" : nil
    }

    private static func checkConfig(_ options: OptionValues, into diagnostics: inout Diagnostics) {
        var config: [String: TopicRequest.Placed<String>] = [:]
        for (key, value) in options.properties("config") ?? [:] {
            let place = options.location("config.\(key)")
            if let option = ["cleanup.policy": "cleanup", "retention.ms": "retention"][key] {
                diagnostics.error(.conflictingKeys, "'\(key)' is set by '\(option)'", at: place)
            } else if !VariableText.containsVariable(value) {
                config[key] = .init(value, at: place)
            }
        }
        let replication = options.integer("replication") ?? .max
        KafkaTopicRules.check(
            TopicRequest(
                name: .init("", at: nil), partitions: .init(1, at: nil), replication: .init(replication, at: nil),
                config: config), into: &diagnostics)
    }
}
