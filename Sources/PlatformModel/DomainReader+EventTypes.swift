import ConfigTree
import Diagnostics
import PluginAPI

extension DomainReader {
    mutating func readEventTypes(_ reader: inout MappingReader, at location: SourceLocation) {
        guard let node = reader.node("event_types") else {
            error(
                .missingKey, "missing key 'event_types'", at: location, path: "event_types",
                hint: "a domain needs at least one event type")
            return
        }
        guard let items = node.sequence, !items.isEmpty else {
            error(
                node.sequence == nil ? .wrongType : .invalidValue,
                node.sequence == nil
                    ? "'event_types' takes a list, found \(node.kindDescription)" : "'event_types' is empty",
                at: node.location, path: "event_types", hint: "a domain needs at least one event type")
            return
        }
        var names: [String: SourceLocation] = [:]
        for (index, item) in items.enumerated() { readEventType(item, index: index, names: &names) }
        checkTopics()
        checkAgreement()
    }

    private mutating func readEventType(_ node: ConfigNode, index: Int, names: inout [String: SourceLocation]) {
        let written = node.mapping?["name"]?.scalar?.text
        let label = written.flatMap { NameRule.isIdentifier($0) ? $0 : nil } ?? "\(index)"
        let path = "event_types.\(label)"
        guard var reader = MappingReader(node, path: path, into: &diagnostics) else { return }
        guard let name = identifier(&reader) else {
            if let written { brokenEventTypes.insert(written) }
            return
        }
        let location = reader.mapping["name"]?.location ?? node.location
        unique(name, "event types", at: location, path: "\(path).name", seen: &names)
        let description = reader.string("description", into: &diagnostics)
        var seen: [String: SourceLocation] = [:]
        var broken: Set<String> = []
        let lists: [(String, Field.Role)] = [
            ("attributes", .attribute), ("metrics", .metric), ("dimensions", .dimension), ("fields", .field),
        ]
        let fields = lists.flatMap { readFields(&reader, $0.0, role: $0.1, seen: &seen, broken: &broken) }
        checkStoredNames(fields, event: name, path: path)
        let topic = TopicReader.read(
            reader.node("topic"), eventType: name, platform: platform, path: "\(path).topic", at: location,
            into: &diagnostics)
        plugins.broker(platform.broker.type)?.validateTopic(TopicRequest(topic), into: &diagnostics)
        let rawEvents = reader.boolean("raw_events", into: &diagnostics) ?? false
        if rawEvents {
            checkSharing("primary", at: reader.mapping["raw_events"]?.location, path: "\(path).raw_events")
        }
        let messages = readMessages(&reader, fields, path: path)
        let messageKey = readMessageKey(&reader, fields, broken)
        reader.finish(into: &diagnostics)
        let schema = EventType.schema(
            name: name, namespace: namespace, doc: description, primaryKey: primaryKey, fields: fields)
        let event = EventType(
            name: name, location: location, description: description, fields: fields, primaryKey: primaryKey,
            messageKey: messageKey, topic: topic, rawEvents: rawEvents, schema: schema,
            columns: EventType.columns(primaryKey: primaryKey, fields: fields), format: messages.format,
            eventTime: messages.eventTime, eventIDField: messages.eventIDField)
        if rawEvents, platform.sink("primary") == nil {
            error(
                .unknownSink, "'raw_events' writes to the sink 'primary', which is not there",
                at: reader.mapping["raw_events"]?.location, path: "\(path).raw_events",
                hint: hint(for: "primary", among: platform.sinks.map(\.name), "sinks"))
        }
        if !scopes.contains(where: { $0.event.name == name }) {
            scopes.append(EventScope(event: event, broken: broken))
        }
    }

    private mutating func readMessageKey(
        _ reader: inout MappingReader, _ fields: [Field], _ broken: Set<String>
    ) -> String {
        guard let key = reader.string("key", into: &diagnostics) else { return primaryKey }
        let location = reader.mapping["key"]?.location
        if key == primaryKey || key == "entity_id" { return primaryKey }
        if key == "event_id" || broken.contains(key) { return key }
        guard let field = fields.first(where: { $0.name == key }) else {
            error(
                .unknownField, "unknown field '\(key)' as message key", at: location, path: reader.childPath("key"),
                hint: hint(for: key, among: [primaryKey] + fields.map(\.name), "fields"))
            return primaryKey
        }
        switch field.type {
        case .string, .uuid, .enumeration, .int, .long: return key
        default:
            error(
                .invalidMessageKey, "'\(key)' is \(field.type), which cannot be a message key", at: location,
                path: reader.childPath("key"), hint: "a message key is a string, uuid, enum, int or long")
            return primaryKey
        }
    }

    /// `amount` as money is stored as `amount_cents`; inline types are named after their place. Neither may meet another.
    private mutating func checkStoredNames(_ fields: [Field], event: String, path: String) {
        var stored: [String: Field] = [:]
        for field in fields {
            if let first = stored.updateValue(field, forKey: field.storedName) {
                error(
                    .duplicateName, "'\(first.name)' and '\(field.name)' are both stored as '\(field.storedName)'",
                    at: field.location, path: path, notes: [.init("the first one is here", at: first.location)],
                    hint: "give one of them another name")
            }
        }
        var types: [String: SourceLocation] = [:]
        for (name, field) in EventType.inlineNames(fields, within: event) {
            if let first = types.updateValue(field.location, forKey: name) {
                error(
                    .duplicateName, "two inline types would be named '\(name)' in the schema", at: field.location,
                    path: path, notes: [.init("the first one is here", at: first)],
                    hint: "give one of the fields another name")
            }
        }
    }

    private mutating func checkTopics() {
        var owners: [String: EventType] = [:]
        for event in scopes.map(\.event) {
            let topic = event.topic
            if topic.name == platform.deadLetterTopic || topic.name == platform.lateTopic {
                error(
                    .topicConflict, "the topic '\(topic.name)' is the platform's own", at: topic.location,
                    path: "event_types.\(event.name).topic", hint: "give the event type another topic")
            }
            if let first = owners[topic.name] {
                error(
                    .topicConflict, "'\(event.name)' and '\(first.name)' have one topic, '\(topic.name)'",
                    at: topic.location, path: "event_types.\(event.name).topic",
                    notes: [.init("the first one is here", at: first.topic.location)],
                    hint: "one topic holds one event type")
            } else {
                owners[topic.name] = event
            }
        }
    }

    private mutating func checkAgreement() {
        var first: [String: (field: Field, event: String)] = [:]
        for event in scopes.map(\.event) {
            for field in event.fields {
                guard let known = first[field.name] else {
                    first[field.name] = (field, event.name)
                    continue
                }
                if !known.field.type.hasSameShape(as: field.type) {
                    error(
                        .fieldDisagreement,
                        "'\(field.name)' is \(field.type) in '\(event.name)' but \(known.field.type) in '\(known.event)'",
                        at: field.location, path: "event_types.\(event.name)",
                        notes: [.init("it is \(known.field.type) here", at: known.field.location)],
                        hint: "give both one type, or one of them another name")
                }
            }
        }
    }
}
