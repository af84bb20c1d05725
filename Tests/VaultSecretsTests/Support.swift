import ConfigTree
import Diagnostics
import Foundation
import PluginAPI
import Synchronization
import Testing
import VaultSecrets
import YAMLTree

/// What a backend told the person.
final class Notes: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// Options as a person writes them, checked.
func options(_ yaml: String) throws -> (values: OptionValues, findings: Diagnostics) {
    var diagnostics = Diagnostics()
    let node = YAMLTree.parse(bytes: Array(yaml.utf8), file: "f", layer: ConfigLayer("x"), into: &diagnostics)
    let plugin = VaultSecrets()
    let values = VaultSecrets.spec.parse(
        node, path: "secrets.vault", at: SourceLocation(file: "f", line: 1, column: 1), into: &diagnostics)
    if !diagnostics.hasErrors { plugin.validate(values, into: &diagnostics) }
    return (values, diagnostics)
}

/// Opens a backend with options as a person writes them, one on a line.
func open(_ lines: String..., notes: Notes = Notes()) throws -> any SecretBackend {
    let (values, findings) = try options(lines.joined(separator: "\n"))
    try findings.throwIfErrors()
    return try VaultSecrets().open(
        values, PluginContext(projectRoot: FileManager.default.currentDirectoryPath, access: .inspect) { notes.add($0) }
    )
}

func rootToken() -> String { "token: \(TestVault.rootToken)" }

extension SecretBackend {
    func text(_ key: String) throws -> String? { try secret(named: key)?.withValue { $0 } }
}

/// The error of `body`, which must not show a secret in any of its texts.
func failure(
    _ code: DiagnosticCode, sourceLocation: Testing.SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> PipelineError? {
    let error = #expect(throws: PipelineError.self, sourceLocation: sourceLocation) { try body() }
    #expect(error?.code == code, "\(error.map { "\($0)" } ?? "")", sourceLocation: sourceLocation)
    #expect(error?.component == "secrets vault", sourceLocation: sourceLocation)
    var dumped = ""
    dump(error, to: &dumped)
    let texts = [error.map { "\($0)" } ?? "", error?.hint ?? "", error.map { String(reflecting: $0) } ?? "", dumped]
    for text in texts { #expect(!text.contains(TestVault.canary), sourceLocation: sourceLocation) }
    return error
}
