import Diagnostics
import EmbeddedBroker
import Foundation
import PluginAPI
import Testing

@Suite("Schema registry plugin embedded")
final class EmbeddedRegistryTests {
    private let root = FileManager.default.temporaryDirectory.appendingPathComponent("registry-\(UUID().uuidString)")
        .path

    deinit { try? FileManager.default.removeItem(atPath: root) }

    private func open(_ access: PluginContext.Access) throws -> any SchemaRegistry {
        try EmbeddedRegistry().open(
            OptionValues(["path": .string("registry")]), PluginContext(projectRoot: root, access: access) { _ in })
    }

    private func record(_ type: String) -> String {
        #"{"type":"record","name":"R","fields":[{"name":"a","type":"\#(type)"}]}"#
    }

    @Test("one that may only look is empty and creates nothing")
    func inspect() throws {
        let registry = try open(.inspect)
        #expect(try registry.latest(subject: "s") == nil)
        #expect(try registry.schema(id: 1) == nil)
        #expect(try registry.incompatibilities(subject: "s", schema: record("int")).isEmpty)
        #expect(try registry.compatibility(subject: "s") == .backward)
        #expect(!FileManager.default.fileExists(atPath: root))
    }

    @Test("what does not go with the newest version is refused, unless the subject's level allows it")
    func levels() throws {
        let registry = try open(.change)
        #expect(try registry.register(subject: "s", schema: record("int")) == 1)
        #expect(try registry.incompatibilities(subject: "s", schema: record("boolean")).count == 1)
        let error = #expect(throws: PipelineError.self) {
            try registry.register(subject: "s", schema: record("boolean"))
        }
        #expect(error?.code == .schemaIncompatible)
        #expect(error?.message.contains("field 'a'") == true)
        try registry.setCompatibility(CompatibilityLevel.none, subject: "s")
        #expect(try registry.register(subject: "s", schema: record("boolean")) == 2)
        #expect(try open(.inspect).compatibility(subject: "s") == CompatibilityLevel.none)
        let invalid = #expect(throws: PipelineError.self) { try registry.register(subject: "s", schema: "{") }
        #expect(invalid?.code == .schemaNotAccepted)
    }
}
