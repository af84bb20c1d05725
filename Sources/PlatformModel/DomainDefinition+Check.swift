public import ConfigTree
public import Diagnostics
public import PluginAPI

extension DomainDefinition {
    /// The domain's part of the merged tree, typed and bound; nil when anything in it is wrong.
    ///
    /// Reports every finding in one run, each with place, configuration path and, where one is near, a better name.
    /// Unknown keys at the top of the tree are reported by ``PlatformSettings/check(_:plugins:into:)``, which must have
    /// been called on the same tree. Pure: no file, no network, no secret.
    public static func check(
        _ tree: ConfigNode, platform: PlatformSettings, plugins: PluginRegistry, into diagnostics: inout Diagnostics
    ) -> DomainDefinition? {
        var reader = DomainReader(platform: platform, plugins: plugins)
        let domain = reader.read(tree)
        diagnostics.append(contentsOf: reader.diagnostics)
        return reader.diagnostics.hasErrors ? nil : domain
    }
}

extension DomainReader {
    fileprivate mutating func read(_ tree: ConfigNode) -> DomainDefinition? {
        guard var top = MappingReader(tree, path: "", into: &diagnostics) else { return nil }
        // The merged tree begins in the platform's file; what the domain lacks is reported in the domain's.
        let location =
            top.mapping.entry("domain")?.keyLocation ?? top.mapping.entry("event_types")?.keyLocation ?? tree.location
        let name = top.string("domain", into: &diagnostics)
        if top.node("domain") == nil {
            error(.missingKey, "missing key 'domain'", at: location, path: "domain", hint: "write domain: <name>")
        }
        if let name, !NameRule.isDomain(name) {
            error(
                .invalidName, "'\(name)' cannot name a domain", at: top.mapping["domain"]?.location, path: "domain",
                hint: NameRule.hint)
        }
        let version = top.text("version", into: &diagnostics)
        let description = top.string("description", into: &diagnostics)
        namespace = platform.schemas.namespace
        if let written = top.string("namespace", into: &diagnostics) {
            namespace = written
            if !NameRule.isNamespace(written) {
                error(
                    .invalidName, "'\(written)' is no Avro namespace", at: top.mapping["namespace"]?.location,
                    path: "namespace", hint: NameRule.namespaceHint)
            }
        }
        readEntity(top.node("entity"), at: location)
        for (key, what) in [("tables", "'tables' are"), ("tests", "'tests' are")] {
            top.refuse(key, what, into: &diagnostics)
        }
        readTypes(top.node("types"))
        readEventTypes(&top, at: location)
        readStreams(&top)
        readAggregations(&top)
        let alerts = readAlerts(&top)
        checkReaders(alerts)
        let synthetic = readSynthetic(top.node("synthetic"))
        let sampleData = readSampleData(top.node("sample_data"))
        guard let name else { return nil }
        return DomainDefinition(
            name: name, location: location, version: version, description: description, primaryKey: primaryKey,
            namespace: namespace,
            eventTypes: scopes.map(\.event), streams: streams.map(\.definition), aggregations: aggregations,
            alerts: alerts, synthetic: synthetic,
            sampleData: sampleData)
    }

    private mutating func readEntity(_ node: ConfigNode?, at location: SourceLocation) {
        guard let node else {
            error(
                .missingKey, "missing key 'entity'", at: location, path: "entity",
                hint: "write entity: { primary_key: user_id }")
            return
        }
        guard var reader = MappingReader(node, path: "entity", into: &diagnostics) else { return }
        if let key = identifier(&reader, "primary_key") {
            primaryKey = key
            if ["event_id", "timestamp", "event_type", "entity_id"].contains(key) {
                error(
                    .reservedName, "'\(key)' is the platform's own field", at: reader.mapping["primary_key"]?.location,
                    path: "entity.primary_key", hint: "name what identifies the entity, such as user_id")
            }
        }
        reader.finish(into: &diagnostics)
    }
}
