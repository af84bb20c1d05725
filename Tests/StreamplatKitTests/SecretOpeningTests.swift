import ConfigTree
import Diagnostics
import Foundation
import PluginAPI
import ProjectConfig
import StreamplatKit
import Testing

/// A backend that is there or not, and cannot read, as its options say.
private struct FailingSecrets: SecretBackendPlugin {
    static let spec = PluginSpec(
        kind: .secretBackend, name: "failing", summary: "For tests.",
        options: [
            OptionSpec("code", .integer(0...9), default: "3", doc: "The exit code."),
            OptionSpec("token", .string, isSecret: true, doc: "A secret."),
        ])

    struct Backend: SecretBackend {
        var code: Int32

        func secret(named key: String) throws -> Secret? {
            if key == "missing" { return nil }
            throw PipelineError(.vaultUnreachable, "gone", exitCode: code)
        }
        func health() throws -> ComponentHealth { ComponentHealth(version: "1") }
    }

    func open(_ options: OptionValues, _ context: PluginContext) throws -> any SecretBackend {
        Backend(code: Int32(options.integer("code") ?? 3))
    }
}

@Suite("Opening secret backends")
struct SecretOpeningTests {
    private func load(_ secrets: String, _ broker: String = "") throws -> Project {
        let root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
            .appendingPathComponent("project-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        try FileManager.default.createDirectory(
            at: root.appendingPathComponent("config"), withIntermediateDirectories: true)
        let text = """
            secrets: \(secrets)
            broker: { type: embedded, embedded: { \(broker) } }
            """
        try Data(text.utf8).write(to: root.appendingPathComponent("config/platform.yaml"))
        var plugins = PluginRegistry.builtin
        plugins.add(FailingSecrets())
        var sources = SourceTexts()
        return try Project.load(
            .init(needsDomain: false), plugins: plugins, sources: &sources,
            loader: ConfigurationLoader(workingDirectory: root.path) { _ in nil })
    }

    private func codes(_ body: () throws -> Void) -> (codes: [DiagnosticCode], exitCode: Int32?) {
        let error = #expect(throws: DiagnosticsError.self) { try body() }
        return (error?.diagnostics.sorted.map(\.code) ?? [], error?.exitCode)
    }

    private let vault = "{ type: vault, vault: { address: $<env:NO_ADDR>, token: $<env:NO_TOKEN> } }"

    @Test("a variable of its options may be missing until a secret is needed")
    func deferred() throws {
        let unused = try load(vault)
        #expect(throws: Never.self) { try unused.resolvingSecrets { _ in } }
        let needed = try load(vault, "path: $<secret:a#b>")
        let found = codes { _ = try needed.resolvingSecrets { _ in } }
        #expect(found.codes == [.missingVariable, .missingVariable])
        #expect(found.exitCode == 2)
    }

    @Test("a variable that is missing elsewhere too is reported there")
    func missingElsewhere() {
        let found = codes { _ = try load(vault, "path: $<env:NO_TOKEN>") }
        #expect(found.codes == [.missingVariable])
    }

    @Test("a malformed variable of its options is reported at once")
    func malformed() {
        #expect(codes { _ = try load("{ type: env, env: { dotenv: '$<env:>' } }") }.codes == [.malformedVariable])
    }

    @Test("its options cannot come from a secret backend")
    func circular() {
        let found = codes { _ = try load("{ type: vault, vault: { address: https://h, token: '$<secret:t>' } }") }
        #expect(found.codes == [.secretNeedsSecret])
    }

    @Test("a server that is not there ends a command with 3")
    func unreachable() throws {
        let project = try load(
            "{ type: vault, vault: { address: 'http://127.0.0.1:1', token: t } }", "path: $<secret:a>")
        let error = #expect(throws: PipelineError.self) { try project.resolvingSecrets { _ in } }
        #expect(error?.code == .vaultUnreachable)
        #expect(error?.exitCode == 3)
    }

    @Test(
        "a backend that fails later ends it with its own code, unless something else is wrong too",
        arguments: [("3", "$<secret:a>", 3), ("1", "$<secret:a>", 1), ("3", "$<secret:a>$<secret:missing>", 2)]
            as [(String, String, Int32)])
    func failing(code: String, path: String, expected: Int32) throws {
        let project = try load("{ type: failing, failing: { code: \(code), token: t } }", "path: \(path)")
        let found = codes { _ = try project.resolvingSecrets { _ in } }
        #expect(found.codes.first == .secretBackendFailed)
        #expect(found.exitCode == expected)
    }
}
