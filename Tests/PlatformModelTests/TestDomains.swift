import ConfigTree
import DataPath
import DeriveOperator
import Diagnostics
import FilterOperator
import Foundation
import PlatformModel
import PluginAPI
import ProjectOperator
import Testing
import YAMLTree

/// A sink that only has options.
struct StubSink: SinkPlugin {
    static let nature = SinkNature.table
    static let spec = PluginSpec(
        kind: .sink, name: "sqlite", summary: "Declared, never opened.",
        options: [
            OptionSpec("path", .path, isRequired: true, doc: "The file."),
            OptionSpec("timeout", .duration, default: "5 seconds", doc: "How long to wait."),
        ])
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any Sink {
        throw PipelineError(.unknownPlugin, "a check must open nothing")
    }
}

struct StubBroker: BrokerPlugin {
    static let spec = PluginSpec(
        kind: .broker, name: "embedded", summary: "Declared, never opened.",
        options: [OptionSpec("path", .path, default: ".streamplat/log", doc: "The folder.")])
    func validateTopic(_ topic: TopicRequest, into diagnostics: inout Diagnostics) {}
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any Broker {
        throw PipelineError(.unknownPlugin, "a check must open nothing")
    }
}

struct StubRegistry: SchemaRegistryPlugin {
    static let spec = PluginSpec(kind: .schemaRegistry, name: "embedded", summary: "Declared, never opened.")
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any SchemaRegistry {
        throw PipelineError(.unknownPlugin, "a check must open nothing")
    }
}

struct StubSecrets: SecretBackendPlugin {
    static let spec = PluginSpec(kind: .secretBackend, name: "env", summary: "Declared, never opened.")
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any SecretBackend {
        throw PipelineError(.unknownPlugin, "a check must open nothing")
    }
}

enum TestDomains {
    static let names = ["ecommerce", "iot", "fintech", "cdnow", "clickstream", "logistics"]
    static let platform = """


        broker: { type: embedded }
        sinks: { primary: { type: sqlite, sqlite: { path: data.db } } }
        """

    static var plugins: PluginRegistry {
        var registry = PluginRegistry()
        registry.add(StubSink())
        registry.add(StubBroker())
        registry.add(StubRegistry())
        registry.add(StubSecrets())
        registry.add(FilterOperator())
        registry.add(DeriveOperator())
        registry.add(ProjectOperator())
        return registry
    }

    /// The text of a shipped domain.
    static func text(_ name: String) throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "domains/\(name).yaml"), encoding: .utf8)
    }

    /// What checking a text finds; the platform's keys follow the domain's so that lines are those of the domain.
    static func check(_ text: String, platform: String = platform) -> (
        domain: DomainDefinition?, findings: [Diagnostic]
    ) {
        var diagnostics = Diagnostics()
        let bytes = Array((text + platform).utf8)
        guard let tree = YAMLTree.parse(bytes: bytes, file: "d.yaml", layer: ConfigLayer("domain"), into: &diagnostics),
            let settings = PlatformSettings.check(tree, plugins: plugins, into: &diagnostics)
        else { return (nil, diagnostics.sorted) }
        let domain = DomainDefinition.check(tree, platform: settings, plugins: plugins, into: &diagnostics)
        return (domain, diagnostics.sorted)
    }

    static func describe(_ findings: [Diagnostic]) -> String {
        findings.map { "\($0.location?.line ?? 0): \($0.code.id) \($0.message) [\($0.hint ?? "")]" }.joined(
            separator: "\n")
    }
}

@Suite("Shipped domains")
struct ShippedDomainTests {
    @Test("each checks without a finding", arguments: TestDomains.names)
    func clean(_ name: String) throws {
        let (domain, findings) = TestDomains.check(try TestDomains.text(name))
        #expect(findings.isEmpty, "\(TestDomains.describe(findings))")
        #expect(domain?.name == name)
    }

    @Test("columns of arrays and maps of scalars tell what is in them, those of records do not")
    func elements() throws {
        let domain = try #require(TestDomains.check(try TestDomains.text("logistics")).domain)
        let columns = try #require(domain.eventTypes.first { $0.name == "scan" }).rawTable.columns
        let elements = columns.filter { $0.type == .json }.map { ($0.name, $0.element) }
        #expect(elements.map(\.0).sorted() == ["legs", "readings", "tags"])
        #expect(elements.filter { $0.1 != nil }.map(\.0) == ["tags"])
        #expect(columns.first { $0.name == "tags" }?.element == .string)
        #expect(columns.filter { $0.mapValue != nil }.map(\.name) == ["readings"])
        #expect(columns.first { $0.name == "readings" }?.mapValue == .double)
    }
}
