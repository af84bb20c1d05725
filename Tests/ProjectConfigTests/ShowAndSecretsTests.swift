import ConfigTree
import Diagnostics
import EnvironmentSecrets
import FileSecrets
import Foundation
import PluginAPI
import ProjectConfig
import Testing
import YAMLTree

@Suite("config show and explain")
struct ShowTests {
    private func loaded() throws -> LoadedConfiguration {
        try TemporaryProject([
            "config/platform.yaml": """
            sinks:
              primary:
                type: postgresql
                postgresql: { url: "postgres://u:$<secret:PW>@h", password: $<secret:PW>, port: $<env:PORT>, literal: hunter2 }
            list: [{ name: one, on: "true", text: "a: b" }, {}, [], [x, "5"]]
            gone: 1
            """,
            "environments/local.yaml": "sinks: { primary: { type: sqlite } }\ngone: null\n",
        ]).load(.init(needsDomain: false))
    }

    private let printer = ConfigPrinter { $0.segments.last == "literal" }

    @Test("YAML that reads back, without secrets")
    func yaml() throws {
        let text = printer.yaml(try loaded().tree)
        #expect(
            text == """
                sinks:
                  primary:
                    type: sqlite
                    postgresql:
                      url: postgres://*****@h
                      password: "***"
                      port: $<env:PORT>
                      literal: "***"
                list:
                  - name: one
                    on: "true"
                    text: "a: b"
                  - {}
                  - []
                  - - x
                    - "5"

                """)
        var diagnostics = Diagnostics()
        let again = YAMLTree.parse(bytes: Array(text.utf8), file: "f", layer: ConfigLayer("x"), into: &diagnostics)
        #expect(again.map { printer.yaml($0) } == text)
    }

    @Test("a resolved secret prints as *** in YAML, JSON and explanations")
    func resolved() throws {
        var diagnostics = Diagnostics()
        let backend = try EnvironmentSecrets { ["PW": "s3cret"][$0] }
            .open(OptionValues(), PluginContext(projectRoot: "/nonexistent") { _ in })
        let resolved = try loaded().resolvingSecrets(
            at: "sinks.primary", from: backend, lookup: { ["PORT": "5432"][$0] }, into: &diagnostics)
        #expect(diagnostics.items.isEmpty)
        #expect(resolved.tree.node(at: "sinks.primary.postgresql.url")?.scalar?.text == "postgres://u:s3cret@h")
        #expect(resolved.tree.node(at: "sinks.primary.postgresql.port")?.scalar?.coreType == .integer(5432))
        let explained = try ConfigExplanation("sinks", in: resolved, printer: printer)
        let texts = [
            printer.yaml(resolved.tree), printer.json(resolved.tree).text(), explained.text, explained.json.text(),
        ]
        for text in texts { #expect(!text.contains("s3cret") && !text.contains("hunter2") && text.contains("***")) }
    }

    @Test("explain shows the value and every layer that set it")
    func explain() throws {
        let explanation = try ConfigExplanation("sinks.primary.type", in: loaded())
        #expect(
            explanation.text == """
                sinks.primary.type: sqlite
                  environments/local.yaml:1:27   environment   sqlite
                  config/platform.yaml:3:11      platform      postgresql

                """)
        #expect(try ConfigExplanation("list.one.text", in: loaded()).value == .string("a: b"))
    }

    @Test(
        "a key that is not set is an error with the nearest key or what removed it",
        arguments: [
            ("sinks.primry.type", "did you mean 'sinks.primary.type'?"), ("sinks.zzzzzz", "'sinks' has primary"),
            ("gone", "removed by a null of the layer 'environment': environments/local.yaml:2:7"),
        ])
    func unset(key: String, expected: String) throws {
        let loaded = try loaded()
        do throws(DiagnosticsError) {
            _ = try ConfigExplanation(key, in: loaded)
            Issue.record("no error")
        } catch {
            #expect(DiagnosticRenderer().text(error.diagnostics).contains(expected))
        }
    }
}

@Suite("Secret backends")
struct SecretBackendTests {
    private func options(_ plugin: some Plugin, _ yaml: String) throws -> OptionValues {
        var diagnostics = Diagnostics()
        let node = YAMLTree.parse(bytes: Array(yaml.utf8), file: "f", layer: ConfigLayer("x"), into: &diagnostics)
        let values = plugin.spec.parse(
            node, path: "secrets", at: SourceLocation(file: "f", line: 1, column: 1), into: &diagnostics)
        try diagnostics.throwIfErrors()
        return values
    }

    private func read(_ backend: any SecretBackend, _ key: String) throws -> String? {
        try backend.secret(named: key)?.withValue { $0 }
    }

    private func open(_ plugin: some SecretBackendPlugin, _ yaml: String, in project: TemporaryProject) throws
        -> any SecretBackend
    {
        try plugin.open(try options(plugin, yaml), PluginContext(projectRoot: project.root) { _ in })
    }

    private func failure(_ body: () throws -> Void) -> PipelineError? {
        do {
            try body()
            return nil
        } catch {
            return error as? PipelineError
        }
    }

    @Test("env asks the environment, then .env")
    func environment() throws {
        let project = try TemporaryProject([".env": "A=file\nB=file\n"])
        let backend = try open(EnvironmentSecrets { ["A": "process"][$0] }, "{}", in: project)
        #expect(try read(backend, "A") == "process")
        #expect(try read(backend, "B") == "file")
        #expect(try read(backend, "C") == nil)
        #expect("\(try #require(try backend.secret(named: "A")))" == "***")
    }

    @Test("env: the default file may be absent, a named one may not, a malformed one is refused without its text")
    func environmentErrors() throws {
        let project = try TemporaryProject(["bad.env": "A='s3cret\n"])
        let plugin = EnvironmentSecrets { _ in nil }
        #expect(try read(open(plugin, "{}", in: project), "A") == nil)
        let missing = failure { _ = try open(plugin, "dotenv: none.env", in: project) }
        #expect((missing?.code, missing?.exitCode) == (.secretFileMissing, 3))
        let bad = failure { _ = try open(plugin, "dotenv: bad.env", in: project) }
        #expect(bad?.message == "bad.env:1:3: dotenv: a quote is not closed")
    }

    @Test(
        "file reads a folder, YAML, JSON and dotenv",
        arguments: [
            ("keys", "db/pw", "one\n"), ("s.yaml", "db.pw", "007"), ("s.json", "db.pw", "x\"y"), ("s.env", "PW", "z"),
        ])
    func formats(path: String, key: String, expected: String) throws {
        let project = try TemporaryProject([
            "keys/db/pw": "one\n\n", "s.yaml": "db: { pw: 007 }\n", "s.json": "{\n\t\"db\": {\"pw\": \"x\\\"y\"}}\n",
            "s.env": "PW=z\n",
        ])
        let backend = try open(FileSecrets(), "path: \(path)", in: project)
        #expect(try read(backend, key) == expected)
        #expect(try read(backend, "none") == nil)
    }

    @Test("a file that everybody may read is refused unless allowed")
    func worldReadable() throws {
        let project = try TemporaryProject([:])
        try project.write("s.yaml", "a: b\n", mode: 0o644)
        try project.write("keys/a", "b", mode: 0o644)
        let refused = failure { _ = try open(FileSecrets(), "path: s.yaml", in: project) }
        #expect(refused?.code == .secretFileWorldReadable)
        let folder = try open(FileSecrets(), "path: keys", in: project)
        #expect(failure { _ = try read(folder, "a") }?.code == .secretFileWorldReadable)
        let allowed = try open(FileSecrets(), "{ path: s.yaml, allow_world_readable: true }", in: project)
        #expect(try read(allowed, "a") == "b")
    }

    @Test(
        "a key cannot leave the folder, and errors show no secret", arguments: ["../s.yaml", "/etc/passwd", "a//b", ""])
    func keys(key: String) throws {
        let project = try TemporaryProject(["keys/a": "x", "s.yaml": "a: b"])
        let folder = try open(FileSecrets(), "path: keys", in: project)
        #expect(failure { _ = try read(folder, key) }?.code == .invalidSecretKey)
    }

    @Test(
        "a malformed secret file shows its place and no line of it",
        arguments: [
            "a: s3cret\na: s3cret2\n", "a: !!int s3cret\n", "a: 's3cret\n", "- s3cret\n",
        ])
    func malformed(text: String) throws {
        let project = try TemporaryProject(["s.yaml": text])
        let error = try #require(failure { _ = try open(FileSecrets(), "path: s.yaml", in: project) })
        #expect(error.code == .secretFileInvalid)
        #expect(!DiagnosticRenderer().text(error).contains("s3cret"))
    }

    @Test("the example beside each plugin fits its options", arguments: ["env", "secret-file"])
    func examples(folder: String) throws {
        let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(root)/plugins/\(folder)/example.yaml")))
        var diagnostics = Diagnostics()
        let tree = try #require(
            YAMLTree.parse(bytes: bytes, file: "example.yaml", layer: ConfigLayer("x"), into: &diagnostics))
        let spec = folder == "env" ? EnvironmentSecrets.spec : FileSecrets.spec
        #expect(tree.node(at: "secrets.type")?.scalar?.text == spec.name)
        let block = try #require(tree.node(at: "secrets.\(spec.name)"))
        _ = spec.parse(block, path: "secrets.\(spec.name)", at: block.location, into: &diagnostics)
        #expect(diagnostics.items.isEmpty)
    }
}
