internal import AvroSchema
public import PluginAPI

extension SchemaStore {
    /// Registers a schema as the subject's next version, or finds the version that holds it. Texts that differ only in
    /// how they are written are one schema. Throws ``SchemaRefusal``: `invalidSchema`, `incompatible`, `readOnly`.
    public func register(subject: String, schema: String) throws -> RegisteredSchema {
        let graph = try Self.parse(schema)
        let text = graph.canonicalText
        return try write { state in
            let all = state.ledger.versions(subject, includingDeleted: true)
            let known = state.ledger.ids[text]
            if let known, let version = all.last(where: { $0.id == known && !$0.isDeleted }) {
                return (state.registered(subject, version), [])
            }
            if state.ledger.mode(for: subject) == .readOnly { throw SchemaRefusal.readOnly(subject: subject) }
            let reasons = try state.incompatibilities(
                graph, with: all.filter { !$0.isDeleted }, level: state.ledger.level(for: subject))
            if !reasons.isEmpty { throw SchemaRefusal.incompatible(reasons) }
            let id = known ?? Int32(state.ledger.texts.count + 1)
            let version = (all.last?.number ?? 0) + 1
            return (
                RegisteredSchema(subject: subject, id: id, version: version, schema: text),
                [.registered(subject: subject, version: version, id: id, schema: text)]
            )
        }
    }

    /// What keeps a schema from becoming the subject's next version at its level: sentences with the field, the reason
    /// and what to do. Empty when nothing does. Changes nothing.
    public func incompatibilities(subject: String, schema: String) throws -> [String] {
        let graph = try Self.parse(schema)
        return try read { state in
            let versions = state.ledger.versions(subject, includingDeleted: false)
            return try state.incompatibilities(graph, with: versions, level: state.ledger.level(for: subject))
        }
    }

    /// The same with one version only; nil = the newest. A subject without versions goes with everything when the
    /// newest is meant.
    public func incompatibilities(subject: String, schema: String, version: Int?) throws -> [String] {
        let graph = try Self.parse(schema)
        return try read { state in
            let versions = state.ledger.versions(subject, includingDeleted: false)
            let chosen = version.map { number in versions.filter { $0.number == number } } ?? versions.suffix(1)
            if let version, chosen.isEmpty {
                throw versions.isEmpty ? SchemaRefusal.subjectNotFound(subject) : .versionNotFound(version)
            }
            return try state.incompatibilities(graph, with: chosen, level: state.ledger.level(for: subject))
        }
    }
}

extension SchemaStore.State {
    mutating func incompatibilities(
        _ new: SchemaGraph, with versions: [SchemaLedger.Version], level: CompatibilityLevel
    ) throws -> [String] {
        if !level.readsOld, !level.isReadByOld { return [] }
        var old: [(version: Int, schema: SchemaGraph)] = []
        for version in level.isTransitive ? versions : versions.suffix(1) {
            old.append((version.number, try graph(version.id)))
        }
        return SchemaCompatibility.findings(
            new: new, versions: old, readsOld: level.readsOld, isReadByOld: level.isReadByOld,
            isTransitive: level.isTransitive
        ).map(\.description)
    }
}
