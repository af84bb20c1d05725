import Diagnostics
import PluginAPI

/// What Kafka would refuse of a topic, said before anything is opened.
enum KafkaTopicRules {
    static func check(_ topic: TopicRequest, into diagnostics: inout Diagnostics) {
        if let replicas = topic.config["min.insync.replicas"], let count = Int(replicas.value),
            count > topic.replication.value
        {
            diagnostics.error(
                .brokerRefusesTopic,
                "min.insync.replicas is \(count), but the topic has only \(topic.replication.value) replicas",
                at: replicas.location, hint: "nothing could be written to it: lower one or raise replication")
        }
        for (key, value) in topic.config.sorted(by: { $0.key < $1.key }) {
            guard let rule = rules[key] else {
                reportUnknown(key, value, into: &diagnostics)
                continue
            }
            if let expected = rule.fault(value.value) {
                diagnostics.error(
                    .brokerRefusesTopic, "'\(key)' is '\(value.value)', not \(expected)", at: value.location)
            }
        }
    }

    /// A near name is a slip; another one may belong to a newer broker or another vendor, which will judge it.
    private static func reportUnknown(
        _ key: String, _ value: TopicRequest.Placed<String>, into diagnostics: inout Diagnostics
    ) {
        if let near = nearestName(to: key, among: rules.keys.sorted()) {
            diagnostics.error(
                .brokerRefusesTopic, "Kafka has no topic configuration '\(key)'", at: value.location,
                hint: "did you mean '\(near)'?")
        } else {
            diagnostics.warning(
                .brokerRefusesTopic, "'\(key)' is not a topic configuration of Kafka 4; the broker will judge it",
                at: value.location)
        }
    }

    private enum Rule {
        case integer(least: Int64)
        case boolean
        case ratio
        case oneOf([String])
        case list([String])
        case text

        /// What was expected when the value is wrong.
        func fault(_ value: String) -> String? {
            switch self {
            case .integer(let least):
                Int64(value).map { $0 >= least } == true ? nil : "a whole number from \(least) up"
            case .boolean: ["true", "false"].contains(value) ? nil : "true or false"
            case .ratio: Double(value).map { (0...1).contains($0) } == true ? nil : "a number from 0 to 1"
            case .oneOf(let words): words.contains(value) ? nil : "one of \(words.joined(separator: ", "))"
            case .list(let words):
                value.split(separator: ",").allSatisfy { part in
                    words.contains(String(part.drop(while: \.isWhitespace)))
                } ? nil : "a list of \(words.joined(separator: ", "))"
            case .text: nil
            }
        }
    }

    /// Source: "Topic-Level Configs" of the documentation of Apache Kafka 4.0.
    private static let rules: [String: Rule] = [
        "cleanup.policy": .list(["delete", "compact"]),
        "compression.gzip.level": .integer(least: -1),
        "compression.lz4.level": .integer(least: 1),
        "compression.type": .oneOf(["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]),
        "compression.zstd.level": .integer(least: -131_072),
        "delete.retention.ms": .integer(least: 0),
        "file.delete.delay.ms": .integer(least: 0),
        "flush.messages": .integer(least: 1),
        "flush.ms": .integer(least: 0),
        "follower.replication.throttled.replicas": .text,
        "index.interval.bytes": .integer(least: 0),
        "leader.replication.throttled.replicas": .text,
        "local.retention.bytes": .integer(least: -2),
        "local.retention.ms": .integer(least: -2),
        "max.compaction.lag.ms": .integer(least: 1),
        "max.message.bytes": .integer(least: 0),
        "message.downconversion.enable": .boolean,
        "message.format.version": .text,
        "message.timestamp.after.max.ms": .integer(least: 0),
        "message.timestamp.before.max.ms": .integer(least: 0),
        "message.timestamp.difference.max.ms": .integer(least: 0),
        "message.timestamp.type": .oneOf(["CreateTime", "LogAppendTime"]),
        "min.cleanable.dirty.ratio": .ratio,
        "min.compaction.lag.ms": .integer(least: 0),
        "min.insync.replicas": .integer(least: 1),
        "preallocate": .boolean,
        "remote.log.copy.disable": .boolean,
        "remote.log.delete.on.disable": .boolean,
        "remote.storage.enable": .boolean,
        "retention.bytes": .integer(least: -1),
        "retention.ms": .integer(least: -1),
        "segment.bytes": .integer(least: 14),
        "segment.index.bytes": .integer(least: 4),
        "segment.jitter.ms": .integer(least: 0),
        "segment.ms": .integer(least: 1),
        "unclean.leader.election.enable": .boolean,
    ]
}
