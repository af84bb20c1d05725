import ConfigTree
import Diagnostics
import PluginAPI

/// Reads the topic of an event type and what topics have in common.
enum TopicReader {
    static let partitionRange = 1...10_000
    static let replicationRange = 1...100

    /// `topic:` of an event type: a name, or {name, partitions, replication, retention, config}; nil = the defaults.
    static func read(
        _ node: ConfigNode?, eventType: String, platform: PlatformSettings, path: String,
        at location: SourceLocation, into diagnostics: inout Diagnostics
    ) -> TopicDefinition {
        let defaults = platform.topicDefaults
        var topic = TopicDefinition(
            name: TopicDefinition.defaultName(prefix: platform.topicPrefix, eventType: eventType),
            partitions: defaults.partitions,
            replication: defaults.replication, retentionMilliseconds: defaults.retentionMilliseconds,
            retentionBytes: defaults.retentionBytes, location: node?.location ?? location)
        topic.settingLocations["replication"] = defaults.replicationLocation
        guard let node else { return topic }
        if node.mapping == nil {
            if let name = readString(node, path: path, into: &diagnostics) {
                topic.name = checked(name, at: node.location, path: path, into: &diagnostics)
            }
            return topic
        }
        guard var reader = MappingReader(node, path: path, into: &diagnostics) else { return topic }
        if let name = reader.string("name", into: &diagnostics) {
            topic.location = reader.mapping["name"]?.location
            topic.name = checked(name, at: topic.location, path: "\(path).name", into: &diagnostics)
        }
        topic.partitions = reader.integer("partitions", in: partitionRange, into: &diagnostics) ?? topic.partitions
        topic.replication = reader.integer("replication", in: replicationRange, into: &diagnostics) ?? topic.replication
        for key in ["partitions", "replication"] {
            if let location = reader.mapping[key]?.location { topic.settingLocations[key] = location }
        }
        if let retention = retention(&reader, into: &diagnostics) {
            topic.retentionMilliseconds = retention.milliseconds
            topic.retentionBytes = retention.bytes
        }
        if let node = reader.node("config") {
            readConfig(node, path: "\(path).config", topic: &topic, into: &diagnostics)
        }
        reader.finish(into: &diagnostics)
        return topic
    }

    /// `retention:` as a duration, `forever`, or {time, size}; nil when it is absent or wrong.
    static func retention(
        _ reader: inout MappingReader, into diagnostics: inout Diagnostics
    ) -> (milliseconds: Int64?, bytes: Int64?)? {
        guard let node = reader.node("retention") else { return nil }
        if node.scalar?.text == "forever" { return (nil, nil) }
        guard node.mapping != nil else {
            return reader.duration("retention", positive: true, into: &diagnostics).map { ($0, nil) }
        }
        guard var inner = MappingReader(node, path: reader.childPath("retention"), into: &diagnostics) else {
            return nil
        }
        var bytes: Int64?
        if let size = inner.node("size") {
            bytes = size.scalar.flatMap { ByteSizeText.bytes($0.text) }
            if bytes ?? 0 == 0 {
                diagnostics.error(
                    .invalidValue, "'size' is not a number of bytes: '\(size.scalar?.text ?? size.kindDescription)'",
                    at: size.location, path: inner.childPath("size"), hint: ByteSizeText.hint)
            }
        }
        let time = inner.duration("time", positive: true, into: &diagnostics)
        inner.finish(into: &diagnostics)
        return (time, bytes)
    }

    private static func readConfig(
        _ node: ConfigNode, path: String, topic: inout TopicDefinition, into diagnostics: inout Diagnostics
    ) {
        guard let reader = MappingReader(node, path: path, into: &diagnostics) else { return }
        let ours = ["retention.ms": "retention", "retention.bytes": "retention"]
        for entry in reader.mapping.entries where !entry.key.hasPrefix("x-") {
            if let key = ours[entry.key] {
                diagnostics.error(
                    .conflictingKeys, "'\(entry.key)' is set by '\(key)'", at: entry.keyLocation,
                    path: "\(path).\(entry.key)",
                    hint: "write retention: 7 days, or retention: {time: 7 days, size: 1 GiB}")
            } else if let scalar = entry.node.scalar, !entry.node.isNull {
                topic.config[entry.key] = scalar.text
                topic.settingLocations[entry.key] = entry.keyLocation
            } else {
                diagnostics.error(
                    .wrongType, "'\(entry.key)' takes a single value, found \(entry.node.kindDescription)",
                    at: entry.node.location, path: "\(path).\(entry.key)")
            }
        }
    }

    private static func checked(
        _ name: String, at location: SourceLocation?, path: String, into diagnostics: inout Diagnostics
    ) -> String {
        if !NameRule.isTopic(name) {
            diagnostics.error(
                .invalidName, "'\(name)' cannot name a topic", at: location, path: path, hint: NameRule.topicHint)
        }
        return name
    }
}

extension TopicRequest {
    /// The topic as its broker is asked about it.
    init(_ topic: TopicDefinition) {
        self.init(
            name: .init(topic.name, at: topic.location),
            partitions: .init(topic.partitions, at: topic.settingLocations["partitions"] ?? topic.location),
            replication: .init(topic.replication, at: topic.settingLocations["replication"] ?? topic.location),
            config: Dictionary(
                uniqueKeysWithValues: topic.config.map { key, value in
                    (key, .init(value, at: topic.settingLocations[key] ?? topic.location))
                }))
    }
}
