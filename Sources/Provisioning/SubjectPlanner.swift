internal import AvroSchema
internal import DataPath
internal import Diagnostics
internal import LibAvro
internal import PlatformModel
internal import PluginAPI

/// Plans the subjects of a schema registry.
struct SubjectPlanner {
    let schemas: any SchemaRegistry
    let compatibility: CompatibilityLevel

    /// What stands between the registry and the subject's schema and level. Changes nothing.
    func item(_ subject: DesiredState.Subject, _ diagnostics: inout Diagnostics) throws -> Plan.Item {
        let schema = AvroSchema.record(subject.eventType.schema)
        let text = schema.json(pretty: false)
        func refuse(_ message: String, hint: String? = nil, _ details: [String]) -> Plan.Item {
            diagnostics.error(.incompatibleSchema, message, at: subject.eventType.location, hint: hint)
            return Plan.Item(.schema, subject.name, .refuse, details)
        }
        do {
            // What other languages' libraries refuse must not reach the registry.
            try LibAvro.check(schemaJSON: text)
        } catch {
            return refuse("the schema of '\(subject.eventType.name)' is not valid Avro: \(error)", ["\(error)"])
        }
        let level = try schemas.compatibility(subject: subject.name)
        let levelChange = level == compatibility ? [] : ["compatibility \(level.rawValue) → \(compatibility.rawValue)"]
        guard let latest = try schemas.latest(subject: subject.name) else {
            return Plan.Item(
                .schema, subject.name, .create,
                ["version 1, \(subject.eventType.schema.fields.count) fields"] + levelChange)
        }
        guard (try? SchemaGraph.parse(json: latest.schema)) != nil else {
            return refuse(
                "what is registered under '\(subject.name)' is no Avro schema",
                hint: "somebody else writes this topic in another format: use a new topic, or `format: json`",
                ["version \(latest.version) is no Avro schema"])
        }
        if try latest.schema == text || isSame(latest.schema, text) {
            return Plan.Item(.schema, subject.name, levelChange.isEmpty ? .none : .alter, levelChange)
        }
        let reasons = try incompatibilities(subject.name, text, latest: latest, level: level)
        if !reasons.isEmpty {
            return refuse(
                "the schema of event type '\(subject.eventType.name)' does not go with what is registered "
                    + "(compatibility \(compatibility.rawValue)): " + reasons.joined(separator: "; "),
                hint: "or use a new topic, or another level in schemas.compatibility", reasons)
        }
        let previous: AvroSchema
        do {
            previous = try AvroSchema.parse(json: latest.schema)
            _ = try DecodePlan.compile(writer: previous, columns: subject.eventType.columns, reader: schema)
        } catch {
            return refuse(
                "event type '\(subject.eventType.name)' could not read the events that are there: \(error)",
                hint:
                    "give a new field `nullable: true` or a `default:`, keep the type of an old one, or use a new topic",
                ["\(error)"])
        }
        return Plan.Item(
            .schema, subject.name, .alter,
            changedFields(from: previous, to: subject.eventType.schema) + levelChange)
    }

    /// Whether two texts are one schema.
    private func isSame(_ registered: String, _ text: String) throws -> Bool {
        try SchemaGraph.parse(json: registered).canonicalText == SchemaGraph.parse(json: text).canonicalText
    }

    /// The registry judges at the level that it has. Where the plan changes the level first, the newest version is
    /// judged here at the new one; the registry has the last word when the schema is registered.
    private func incompatibilities(
        _ subject: String, _ text: String, latest: RegisteredSchema, level: CompatibilityLevel
    ) throws -> [String] {
        if level == compatibility { return try schemas.incompatibilities(subject: subject, schema: text) }
        return SchemaCompatibility.findings(
            new: try SchemaGraph.parse(json: text),
            versions: [(latest.version, try SchemaGraph.parse(json: latest.schema))],
            readsOld: compatibility.readsOld, isReadByOld: compatibility.isReadByOld, isTransitive: false
        ).map(\.description)
    }

    private func changedFields(from previous: AvroSchema, to record: AvroRecord) -> [String] {
        guard case .record(let old) = previous else { return [] }
        let added = record.fields.filter { field in !old.fields.contains { $0.name == field.name } }
        let removed = old.fields.filter { field in !record.fields.contains { $0.name == field.name } }
        let changed = record.fields.filter { field in
            old.fields.contains { $0.name == field.name && $0.type != field.type }
        }
        return added.map { "add field \($0.name)" } + removed.map { "remove field \($0.name)" }
            + changed.map { "change the type of field \($0.name)" }
    }
}
