import ConfigTree
import DataPath
import Diagnostics
import PlatformModel
import PluginAPI
import YAMLTree

/// A domain to read events of, and the plugins that configurations under test may name.
enum FuzzDomain {
    static let platform = """

        broker: { type: embedded }
        sinks: { primary: { type: sqlite, sqlite: { path: data.db } } }
        """

    /// Every type of field, in messages of others.
    private static let text = """
        domain: fuzz
        entity: { primary_key: user_id }
        event_types:
          - name: message
            format: json
            event_time: { field: meta.at, format: epoch_s }
            event_id: number
            metrics: [{ name: amount, type: money, source_name: total }]
            dimensions: [currency]
            fields:
              - { name: ok, type: boolean, nullable: true }
              - { name: level, type: int, default: 3 }
              - { name: ratio, type: float, nullable: true }
              - { name: share, type: double, nullable: true }
              - { name: weight, type: "decimal(10,3)", nullable: true }
              - { name: day, type: date, nullable: true }
              - { name: seen, type: timestamp, nullable: true }
              - { name: state, type: enum, symbols: [open, closed], nullable: true }
              - { name: raw, type: bytes, nullable: true }
              - { name: tags, type: "array<string>", default: [] }
              - { name: readings, type: "map<double>", nullable: true }
              - name: agent
                type: record
                nullable: true
                source_name: client
                fields: [{ name: os, type: string, source_name: system }, { name: cost, type: money }]
        aggregations:
          - { name: total, type: count, window: { type: tumbling, duration: 1 hour } }

        """

    static let plugins = {
        var registry = PluginRegistry()
        registry.add(NoSink())
        registry.add(NoBroker())
        registry.add(NoRegistry())
        registry.add(NoSecrets())
        return registry
    }()

    /// What checking a domain finds; the platform's keys follow it.
    static func check(_ bytes: [UInt8], into diagnostics: inout Diagnostics) -> DomainDefinition? {
        guard
            let tree = YAMLTree.parse(
                bytes: bytes + Array(platform.utf8), file: "d.yaml", layer: ConfigLayer("domain"), into: &diagnostics),
            let settings = PlatformSettings.check(tree, plugins: plugins, into: &diagnostics)
        else { return nil }
        return DomainDefinition.check(tree, platform: settings, plugins: plugins, into: &diagnostics)
    }

    /// The event type ``message`` of the domain above; throws what is wrong with it.
    static func eventType() throws -> EventType {
        var diagnostics = Diagnostics()
        let domain = check(Array(text.utf8), into: &diagnostics)
        guard let type = domain?.eventTypes.first else {
            throw BrokenPromise(description: DiagnosticRenderer().text(diagnostics))
        }
        return type
    }
}

/// The rows of a batch as JSON lines.
func lines(_ batch: RecordBatch) -> String {
    let out = ByteBuffer()
    NDJSONWriter(schema: batch.schema).write(batch, to: out)
    return out.string
}

private let refusal = PipelineError(.unknownPlugin, "a check must open nothing")

private struct NoSink: SinkPlugin {
    static let nature = SinkNature.table
    static let spec = PluginSpec(
        kind: .sink, name: "sqlite", summary: "Declared, never opened.",
        options: [
            OptionSpec("path", .path, isRequired: true, doc: "The file."),
            OptionSpec("timeout", .duration, default: "5 seconds", doc: "How long to wait."),
        ])
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any Sink { throw refusal }
}

private struct NoBroker: BrokerPlugin {
    static let spec = PluginSpec(kind: .broker, name: "embedded", summary: "Declared, never opened.")
    func validateTopic(_ topic: TopicRequest, into diagnostics: inout Diagnostics) {}
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any Broker { throw refusal }
}

private struct NoRegistry: SchemaRegistryPlugin {
    static let spec = PluginSpec(kind: .schemaRegistry, name: "embedded", summary: "Declared, never opened.")
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any SchemaRegistry { throw refusal }
}

private struct NoSecrets: SecretBackendPlugin {
    static let spec = PluginSpec(kind: .secretBackend, name: "env", summary: "Declared, never opened.")
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any SecretBackend { throw refusal }
}
