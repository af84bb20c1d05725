import ConfigTree
import Diagnostics
import Foundation
import PluginAPI
import Testing
import VaultSecrets
import YAMLTree

@Suite("Options of the backend vault")
struct OptionTests {
    @Test(
        "what does not fit together",
        arguments: [
            ("token: t", "needs the option 'address'"),
            ("address: vault\ntoken: t", "'address' is not an http or https URL"),
            ("address: https://u:c4n4ry@h\ntoken: t", "'address' holds credentials"),
            ("address: https://h/v1\ntoken: t", "'address' ends with '/v1'"),
            ("address: https://h?x\ntoken: t", "'address' is more than a server's URL"),
            ("address: https://h", "auth 'token' needs the option 'token'"),
            ("address: https://h\nauth: approle", "auth 'approle' needs the option 'role_id'"),
            ("address: https://h\nauth: kubernetes", "auth 'kubernetes' needs the option 'role'"),
            ("address: https://h\nauth: kubernetes\nrole: r\ntoken: t", "'token' is of no use with auth 'kubernetes'"),
            ("address: https://h\ntoken: t\nsecret_id: s", "'secret_id' is of no use with auth 'token'"),
            ("address: https://h\ntoken: t\nmount: /a", "'mount' is not a path"),
            ("address: https://h\ntoken: t\nnamespace: a//b", "'namespace' is not a path"),
            ("address: https://h\ntoken: t\ntimeout: 0 s", "'timeout' must be positive"),
            ("address: https://h\ntoken: t\nadress: x", "adress"),
        ])
    func findings(yaml: String, expected: String) throws {
        let messages = try options(yaml).findings.items.map(\.message)
        #expect(messages.contains { $0.contains(expected) }, "\(messages)")
        #expect(messages.count == 1)
        #expect(!"\(messages)".contains("c4n4ry"))
    }

    @Test(
        "what fits, also with variables that are not resolved yet",
        arguments: [
            "address: https://h:8200/\ntoken: $<env:T>", "address: $<env:A>\ntoken: $<env:T>",
            "address: https://h\nauth: $<env:AUTH>\nrole_id: r\nsecret_id: $<env:S>",
            "address: HTTP://h/vault\ntoken: t",
            "address: https://h\nauth: approle\nrole_id: $<env:R>\nauth_mount: a/b\nnamespace: a/b\nmount: a/b",
            "address: https://h\nauth: kubernetes\nrole: r\ncache: 10 minutes\nconnect_timeout: 1 s",
        ])
    func accepted(yaml: String) throws { #expect(try options(yaml).findings.items.map(\.message) == []) }

    @Test("the example beside the plugin works", .enabled(if: TestVault.isRunning, TestVault.reason))
    func example() throws {
        let vault = try TestVault.shared
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("plugins/vault/example.yaml")
        var diagnostics = Diagnostics()
        let tree = YAMLTree.parse(
            bytes: [UInt8](try Data(contentsOf: file)), file: "example.yaml", layer: ConfigLayer("x"),
            into: &diagnostics)
        let variables = ["VAULT_ADDR": vault.server.address, "VAULT_TOKEN": TestVault.rootToken]
        let resolved = try #require(tree).resolved(variables, into: &diagnostics)
        let location = SourceLocation(file: "example.yaml", line: 1, column: 1)
        let values = VaultSecrets.spec.parse(
            resolved.node(at: "secrets.vault"), path: "secrets.vault", at: location, into: &diagnostics)
        VaultSecrets().validate(values, into: &diagnostics)
        #expect(diagnostics.items.isEmpty)
        try vault.put("streamplat/postgres", ["password": "c4n4ry-example"])
        let backend = try VaultSecrets().open(values, PluginContext(projectRoot: "/nonexistent") { _ in })
        let sink = VariableResolver(secret: { try backend.text($0) }).resolve(resolved, into: &diagnostics)
        #expect(diagnostics.items.isEmpty)
        #expect(sink.node(at: "sinks.primary.postgresql.password")?.scalar?.text == "c4n4ry-example")
    }
}

extension ConfigNode {
    fileprivate func resolved(_ variables: [String: String], into diagnostics: inout Diagnostics) -> ConfigNode {
        VariableResolver(environment: { variables[$0] }).resolve(self, into: &diagnostics)
    }
}
