internal import DataPath
internal import Diagnostics
public import PlatformModel
public import PluginAPI

/// What a domain wants to exist: schemas, topics, tables. Derived without looking at anything live.
public struct DesiredState: Sendable {
    /// A subject with the schema that its messages have; of event types in Avro only.
    public struct Subject: Sendable {
        public var name: String
        public var eventType: EventType
    }

    /// A table in one of the sinks.
    public struct Table: Sendable {
        public var definition: TableDefinition
        public var sink: String
        /// Topics that its rows are computed from.
        public var topics: [String]
    }

    /// What the messages of a topic are.
    public struct Messages: Sendable {
        public var topic: String
        public var eventType: EventType
    }

    public var subjects: [Subject]
    public var messages: [Messages]
    public var topics: [TopicDefinition]
    public var tables: [Table]

    /// - Parameter cluster: Where several processes share the domain's work.
    public init(domain: DomainDefinition, topicPrefix: String, cluster: ClusterSettings? = nil) {
        // JSON messages follow no registered schema.
        subjects = domain.eventTypes.filter { $0.format == .avro }.map { Subject(name: $0.subject, eventType: $0) }
        messages = domain.eventTypes.map { Messages(topic: $0.topic.name, eventType: $0) }
        // Dead letters need no order among each other and are few: one partition.
        let deadLetters = TopicDefinition(name: DeadLetter.topic(prefix: topicPrefix), partitions: 1)
        topics = domain.eventTypes.map(\.topic) + [deadLetters]
        if domain.aggregations.contains(where: { $0.late == .sideOutput }) {
            topics.append(TopicDefinition(name: LateRecord.topic(prefix: topicPrefix), partitions: 1))
        }
        if let cluster {
            // What processes send each other matters until the next checkpoint, and who is in a round is said again and again.
            topics.append(
                TopicDefinition(
                    name: ClusterTopic.name(prefix: topicPrefix, domain: domain.name),
                    partitions: ClusterTopic.partitions(slots: cluster.slots), retentionMilliseconds: 3_600_000,
                    config: ["segment.bytes": "16777216"]))
        }
        tables = domain.aggregations.map { aggregation in
            Table(
                definition: aggregation.table, sink: aggregation.sink,
                topics: aggregation.inputs.compactMap { domain.eventType($0)?.topic.name })
        }
        for eventType in domain.eventTypes where eventType.rawEvents {
            tables.append(Table(definition: eventType.rawTable, sink: "primary", topics: [eventType.topic.name]))
        }
        for stream in domain.streams {
            guard let table = stream.table, let sink = stream.sink else { continue }
            let topics = domain.eventType(stream.eventType).map { [$0.topic.name] } ?? []
            tables.append(Table(definition: table, sink: sink, topics: topics))
        }
        for index in tables.indices { tables[index].definition.owner = domain.name }
    }
}

extension TopicDefinition {
    /// The topic's configuration in Kafka's keys.
    var configuration: [String: String] {
        var result = config
        if let retentionMilliseconds { result["retention.ms"] = String(retentionMilliseconds) }
        if let retentionBytes { result["retention.bytes"] = String(retentionBytes) }
        return result
    }
}
