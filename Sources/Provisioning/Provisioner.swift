internal import AvroSchema
internal import Diagnostics
internal import PlatformModel
public import PluginAPI

/// Compares what a domain wants with the live system, and makes the difference good.
///
/// There is no state file: the live system is the state. Nothing is ever dropped, and what streamplat does not own is
/// never touched. Threads: one.
public struct Provisioner {
    private let desired: DesiredState
    private let broker: any Broker
    private let schemas: any SchemaRegistry
    private let compatibility: CompatibilityLevel
    private let sinks: [String: any Sink]

    /// `compatibility` is the level that every subject of `desired` gets; `sinks` holds every sink that a table of
    /// `desired` names, open.
    public init(
        desired: DesiredState, broker: any Broker, schemas: any SchemaRegistry, compatibility: CompatibilityLevel,
        sinks: [String: any Sink]
    ) {
        self.desired = desired
        self.broker = broker
        self.schemas = schemas
        self.compatibility = compatibility
        self.sinks = sinks
    }

    /// The difference. Changes nothing.
    public func plan() throws -> Plan {
        var plan = Plan()
        let subjects = SubjectPlanner(schemas: schemas, compatibility: compatibility)
        for subject in desired.subjects { plan.items.append(try subjects.item(subject, &plan.diagnostics)) }
        let live = Dictionary(uniqueKeysWithValues: try broker.topics().map { ($0.name, $0) })
        for topic in desired.topics {
            plan.items.append(topicItem(topic, live[topic.name], &plan.diagnostics))
        }
        for messages in desired.messages { try checkFormat(messages, live[messages.topic], &plan.diagnostics) }
        for table in desired.tables { plan.items.append(try tableItem(table, live, &plan.diagnostics)) }
        return plan
    }

    /// Carries a plan out; a plan with errors is thrown back. Doing it twice does nothing the second time.
    public func apply(_ plan: Plan, progress: (Plan.Item) -> Void) throws {
        try plan.diagnostics.throwIfErrors(exitCode: 1)
        for item in plan.changes {
            switch item.kind {
            case .schema:
                if let subject = desired.subjects.first(where: { $0.name == item.name }) {
                    // First, so that the schema is judged at the level that the plan was made with.
                    if try schemas.compatibility(subject: subject.name) != compatibility {
                        try schemas.setCompatibility(compatibility, subject: subject.name)
                    }
                    _ = try schemas.register(
                        subject: subject.name, schema: AvroSchema.record(subject.eventType.schema).json(pretty: false))
                }
            case .topic:
                if let topic = desired.topics.first(where: { $0.name == item.name }) { try make(topic, item.action) }
            case .table:
                if let table = desired.tables.first(where: { $0.definition.name == item.name }) {
                    try sinks[table.sink]?.apply(table.definition)
                }
            }
            progress(item)
        }
        for sink in sinks.values { try sink.flush() }
    }

    // MARK: Topics.

    private func topicItem(
        _ topic: TopicDefinition, _ live: TopicDescription?, _ diagnostics: inout Diagnostics
    ) -> Plan.Item {
        guard let live else {
            return Plan.Item(
                .topic, topic.name, .create, ["\(topic.partitions) partition\(topic.partitions == 1 ? "" : "s")"])
        }
        if let copies = live.replication, copies != topic.replication {
            diagnostics.warning(
                .topicReplication,
                "topic '\(topic.name)' has \(copies) cop\(copies == 1 ? "y" : "ies") of each partition, the domain wants "
                    + "\(topic.replication)",
                at: topic.settingLocations["replication"] ?? topic.location,
                hint: "streamplat moves no replicas: write replication: \(copies), or use kafka-reassign-partitions")
        }
        if topic.partitions < live.partitions {
            diagnostics.error(
                .topicRefused,
                "topic '\(topic.name)' has \(live.partitions) partitions; it cannot shrink to \(topic.partitions)",
                at: topic.location, hint: "write partitions: \(live.partitions), or use a new topic")
            return Plan.Item(.topic, topic.name, .refuse, ["partitions \(live.partitions) → \(topic.partitions)"])
        }
        var details: [String] = []
        if topic.partitions > live.partitions {
            details.append("partitions \(live.partitions) → \(topic.partitions): keys move to other partitions")
        }
        for (key, value) in topic.configuration.sorted(by: { $0.key < $1.key }) where live.config[key] != value {
            details.append("\(key) \(live.config[key] ?? "unset") → \(value)")
        }
        var item = Plan.Item(.topic, topic.name, details.isEmpty ? .none : .alter, details)
        item.addsPartitions = topic.partitions > live.partitions
        return item
    }

    /// Warns when a topic's records cannot be what the domain takes them for. A subject is registered before the first
    /// message in Avro is sent, so whether there is one tells what a topic holds.
    private func checkFormat(
        _ messages: DesiredState.Messages, _ live: TopicDescription?, _ diagnostics: inout Diagnostics
    ) throws {
        guard let live else { return }
        let eventType = messages.eventType
        let isRegistered = try schemas.latest(subject: eventType.subject) != nil
        guard isRegistered != (eventType.format == .avro), try holdsRecords(live) else { return }
        if eventType.format == .avro {
            diagnostics.warning(
                .topicFormat,
                "topic '\(live.name)' holds messages, but no schema was registered under '\(eventType.subject)': they are "
                    + "not in Avro as event type '\(eventType.name)' wants it, and become dead letters",
                at: eventType.location, hint: "keep `format: json` if they are JSON, or use a new topic")
        } else {
            diagnostics.warning(
                .topicFormat,
                "topic '\(live.name)' holds messages, and a schema is registered under '\(eventType.subject)': those in "
                    + "Avro become dead letters of event type '\(eventType.name)', which reads JSON",
                at: eventType.location, hint: "leave out `format: json` if they are in Avro, or use a new topic")
        }
    }

    private func holdsRecords(_ topic: TopicDescription) throws -> Bool {
        try (0..<topic.partitions).contains { number in
            let (earliest, next) = try broker.offsets(TopicPartition(topic: topic.name, partition: number))
            return earliest < next
        }
    }

    private func make(_ topic: TopicDefinition, _ action: Plan.Item.Action) throws {
        if action == .create {
            try broker.createTopic(
                topic.name, partitions: topic.partitions, replication: topic.replication, config: topic.configuration)
        } else {
            try broker.alterTopic(topic.name, partitions: topic.partitions, config: topic.configuration)
        }
    }

    // MARK: Tables.

    private func tableItem(
        _ table: DesiredState.Table, _ topics: [String: TopicDescription], _ diagnostics: inout Diagnostics
    ) throws -> Plan.Item {
        guard let sink = sinks[table.sink] else { return Plan.Item(.table, table.definition.name, .none) }
        let name = table.definition.name
        switch try sink.plan(table.definition) {
        case .none: return Plan.Item(.table, name, .none)
        case .create:
            return Plan.Item(.table, name, .create, ["\(table.definition.columns.count) columns in sink \(table.sink)"])
        case .alter(let steps): return Plan.Item(.table, name, .alter, steps)
        case .rebuild(let steps):
            let shortened = try table.topics.filter { topic in
                try (0..<(topics[topic]?.partitions ?? 0)).contains {
                    try broker.offsets(TopicPartition(topic: topic, partition: $0)).earliest > 0
                }
            }
            guard shortened.isEmpty else {
                diagnostics.error(
                    .tableRefused,
                    "table '\(name)' would be counted anew, but retention has deleted events of "
                        + shortened.joined(separator: ", "),
                    at: table.definition.location,
                    hint: "give the changed aggregation a new name; the old table stays as it is")
                return Plan.Item(.table, name, .refuse, ["events are missing for a rebuild"])
            }
            return Plan.Item(
                .table, name, .rebuild, ["its meaning changed: counted anew from the earliest offset"] + steps)
        case .refuse(let reason, let hint):
            diagnostics.error(.tableRefused, reason, at: table.definition.location, hint: hint)
            return Plan.Item(.table, name, .refuse, [reason])
        }
    }
}
