import Diagnostics
public import PluginAPI
import SchemaStore

/// The schema registry plugin `embedded`: schemas in a folder, with nothing running beside streamplat.
public struct EmbeddedRegistry: SchemaRegistryPlugin {
    public static let spec = PluginSpec(
        kind: .schemaRegistry, name: "embedded",
        summary: "Schemas with durable ids in a folder, shared by all processes that open it; nothing to install.",
        options: [
            OptionSpec(
                "path", .path, default: ".streamplat/registry", doc: "The folder, made when it is missing.",
                example: ".streamplat/registry")
        ])

    public init() {}

    public func open(_ options: OptionValues, _ context: PluginContext) throws -> any SchemaRegistry {
        EmbeddedSchemas(
            try SchemaStore(
                folder: context.absolute(options.string("path") ?? ".streamplat/registry"),
                create: context.access == .change, durable: true, notify: context.notify))
    }
}

/// The schema store as a registry. Threads: any.
private final class EmbeddedSchemas: SchemaRegistry {
    private let store: SchemaStore

    init(_ store: SchemaStore) { self.store = store }

    func register(subject: String, schema: String) throws -> Int32 {
        try mappingRefusals(subject) { try store.register(subject: subject, schema: schema).id }
    }

    func schema(id: Int32) throws -> String? { try store.schema(id: id) }
    func latest(subject: String) throws -> RegisteredSchema? { try store.latest(subject: subject) }

    func incompatibilities(subject: String, schema: String) throws -> [String] {
        try mappingRefusals(subject) { try store.incompatibilities(subject: subject, schema: schema) }
    }

    func compatibility(subject: String) throws -> CompatibilityLevel { try store.compatibility(subject: subject) }

    func setCompatibility(_ level: CompatibilityLevel, subject: String) throws {
        try store.setCompatibility(level, subject: subject)
    }

    func health() throws -> ComponentHealth {
        ComponentHealth(version: "embedded registry", detail: "\(try store.subjectCount()) subjects")
    }

    func close() throws {}

    private func mappingRefusals<Result>(_ subject: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let refusal as SchemaRefusal {
            throw refusal.pipelineError(subject: subject)
        }
    }
}
