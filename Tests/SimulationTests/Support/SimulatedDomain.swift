import ConfigTree
import DataPath
import DeriveOperator
import Diagnostics
import FilterOperator
import PlatformModel
import PluginAPI
import ProjectOperator
import YAMLTree

/// The domain of all simulations: every kind of window, measure and emission that matters, on three kinds of sinks.
enum SimulatedDomain {
    static let sinkNatures: [String: SinkNature] = ["primary": .table, "versions": .table, "archive": .append]

    /// - Parameter hasArchive: With tables on the sink that only adds.
    static func make(hasArchive: Bool) -> DomainDefinition? {
        var diagnostics = Diagnostics()
        var plugins = PluginRegistry()
        plugins.add(DeclaredBroker())
        plugins.add(DeclaredRegistry())
        plugins.add(DeclaredSecrets())
        plugins.add(DeclaredTable())
        plugins.add(DeclaredVersions())
        plugins.add(DeclaredLines())
        plugins.add(FilterOperator())
        plugins.add(DeriveOperator())
        plugins.add(ProjectOperator())
        let text = text + (hasArchive ? archive : "") + streams + (hasArchive ? archivedStream : "") + platform
        guard
            let tree = YAMLTree.parse(
                bytes: Array(text.utf8), file: "simulation.yaml", layer: ConfigLayer("domain"), into: &diagnostics),
            let settings = PlatformSettings.check(tree, plugins: plugins, into: &diagnostics)
        else { return nil }
        let domain = DomainDefinition.check(tree, platform: settings, plugins: plugins, into: &diagnostics)
        for finding in diagnostics.sorted { print(finding.message, finding.location?.line ?? 0) }
        return domain
    }

    static let text = """
        domain: shop
        entity: { primary_key: user_id }
        event_types:
          - name: sale
            format: json
            event_id: id
            event_time: { field: at, format: epoch_ms }
            topic: { name: events.sale, partitions: 3 }
            fields: [{ name: country, type: string }, { name: amount, type: long }]
          - name: click
            format: json
            event_id: id
            event_time: { field: at, format: epoch_ms }
            topic: { name: events.click, partitions: 2 }
            fields: [{ name: country, type: string }, { name: amount, type: long }]
            raw_events: true
        aggregations:
          - name: tumbling
            from: [sale]
            window: { type: tumbling, duration: 10 seconds }
            group_by: [country]
            watermark_delay: 3 seconds
            late: side_output
            measures:
              - { name: events, type: count }
              - { name: total, type: sum, field: amount }
              - { name: highest, type: max, field: amount }
              - { name: users, type: count_distinct, field: user_id }
          - name: corrected
            from: [sale, click]
            window: { type: tumbling, duration: 7 seconds }
            group_by: [country]
            watermark_delay: 2 seconds
            allowed_lateness: 4 seconds
            emit: final
            measures: [{ name: events, type: count }, { name: total, type: sum, field: amount }]
          - name: final
            from: [sale]
            window: { type: tumbling, duration: 5 seconds }
            watermark_delay: 4 seconds
            emit: final
            measures: [{ name: events, type: count }, { name: total, type: sum, field: amount }]
          - name: sliding
            from: [sale, click]
            window: { type: sliding, duration: 12 seconds, slide: 4 seconds }
            group_by: [country]
            watermark_delay: 5 seconds
            sink: versions
            measures:
              - { name: events, type: count }
              - { name: total, type: sum, field: amount }
              - { name: users, type: count_distinct, field: user_id, strict: true }
          - name: cumulate
            from: [click]
            window: { type: cumulate, duration: 20 seconds, step: 5 seconds }
            group_by: [country]
            watermark_delay: 3 seconds
            measures: [{ name: events, type: count }, { name: highest, type: max, field: amount }]
          - name: visits
            from: [sale, click]
            window: { type: session, gap: 4 seconds }
            group_by: [user_id]
            watermark_delay: 5 seconds
            late: side_output
            measures: [{ name: events, type: count }, { name: total, type: sum, field: amount }]
          - name: final_visits
            from: [sale]
            window: { type: session, gap: 3 seconds }
            group_by: [user_id]
            watermark_delay: 4 seconds
            emit: final
            sink: versions
            measures: [{ name: events, type: count }]
          - name: rich_totals
            from: [rich]
            window: { type: tumbling, duration: 8 seconds }
            group_by: [country]
            watermark_delay: 3 seconds
            measures: [{ name: events, type: count }, { name: total, type: sum, field: twofold }]

        """

    /// A stream as a table, as a table of versions, and as what `rich_totals` reads.
    private static let streams = """
        streams:
          - name: rich
            from: sale
            steps:
              - filter: amount > 400
              - derive: { twofold: amount * 2 }
              - project: [event_id, timestamp, country, twofold]
            sink: primary
          - { name: richest, from: rich, steps: [{ filter: twofold > 1200 }], sink: versions }

        """

    private static let archivedStream = """
          - { name: archived_rich, from: rich, steps: [{ derive: { fourfold: twofold * 2 } }], sink: archive }

        """

    private static let archive = """
          - name: archived
            from: [sale, click]
            window: { type: tumbling, duration: 6 seconds }
            group_by: [country]
            watermark_delay: 3 seconds
            emit: final
            sink: archive
            measures: [{ name: events, type: count }, { name: users, type: count_distinct, field: user_id }]
          - name: archived_sliding
            from: [sale]
            window: { type: sliding, duration: 10 seconds, slide: 5 seconds }
            watermark_delay: 2 seconds
            allowed_lateness: 3 seconds
            emit: final
            sink: archive
            measures: [{ name: events, type: count }, { name: total, type: sum, field: amount }]

        """

    private static let platform = """
        broker: { type: embedded }
        sinks:
          primary: { type: table }
          versions: { type: versions }
          archive: { type: lines }

        """
}

private struct DeclaredTable: SinkPlugin {
    static let nature = SinkNature.table
    static let replacesInside = true
    static let spec = PluginSpec(kind: .sink, name: "table", summary: "Declared, never opened.")
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any Sink { throw Crash() }
}

private struct DeclaredVersions: SinkPlugin {
    static let nature = SinkNature.table
    static let spec = PluginSpec(kind: .sink, name: "versions", summary: "Declared, never opened.")
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any Sink { throw Crash() }
}

private struct DeclaredLines: SinkPlugin {
    static let nature = SinkNature.append
    static let spec = PluginSpec(kind: .sink, name: "lines", summary: "Declared, never opened.")
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any Sink { throw Crash() }
}

private struct DeclaredBroker: BrokerPlugin {
    static let spec = PluginSpec(kind: .broker, name: "embedded", summary: "Declared, never opened.")
    func validateTopic(_ topic: TopicRequest, into diagnostics: inout Diagnostics) {}
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any Broker { throw Crash() }
}

private struct DeclaredRegistry: SchemaRegistryPlugin {
    static let spec = PluginSpec(kind: .schemaRegistry, name: "embedded", summary: "Declared, never opened.")
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any SchemaRegistry { throw Crash() }
}

private struct DeclaredSecrets: SecretBackendPlugin {
    static let spec = PluginSpec(kind: .secretBackend, name: "env", summary: "Declared, never opened.")
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any SecretBackend { throw Crash() }
}
