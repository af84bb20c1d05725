import Diagnostics
import Foundation
import PluginAPI
import Testing

@Suite("Key-value engines of OpenBao", .enabled(if: TestVault.isRunning, TestVault.reason))
struct KeyValueTests {
    private let vault: TestVault
    private var address: String { "address: \(vault.server.address)" }

    init() throws { vault = try TestVault.shared }

    @Test("a field of a path, and 'value' where none is named", arguments: ["auto", "2"])
    func versionTwo(version: String) throws {
        try vault.put("app/database-\(version)", ["password": "c4n4ry-pw", "value": "c4n4ry-v"])
        let backend = try open(address, rootToken(), "kv_version: '\(version)'")
        #expect(try backend.text("app/database-\(version)#password") == "c4n4ry-pw")
        #expect(try backend.text("app/database-\(version)") == "c4n4ry-v")
    }

    @Test("an engine of version 1", arguments: ["auto", "1"])
    func versionOne(version: String) throws {
        try vault.call("POST", "old/app/\(version)", ["password": "c4n4ry-old"])
        let backend = try open(address, rootToken(), "mount: old", "kv_version: '\(version)'")
        #expect(try backend.text("app/\(version)#password") == "c4n4ry-old")
    }

    @Test(
        "values as texts",
        arguments: [
            ("text", "c4n4ry \"quoted\" \\ \u{1} ä €\n"), ("flag", "true"), ("number", "5432"), ("decimal", "0.125"),
            ("large", "4294967296"), ("a#b", "c4n4ry"), ("empty", ""),
        ])
    func values(field: String, expected: String) throws {
        try vault.put(
            "values-\(field.count)-\(expected.count)",
            [
                "text": "c4n4ry \"quoted\" \\ \u{1} ä €\n", "flag": true, "number": 5432, "decimal": 0.125,
                "large": 4_294_967_296, "a#b": "c4n4ry", "empty": "",
            ])
        let backend = try open(address, rootToken())
        #expect(try backend.text("values-\(field.count)-\(expected.count)#\(field)") == expected)
    }

    @Test("a path with characters that a URL does not take")
    func escapedPath() throws {
        try vault.put("a%20b/%C3%A4%3F", ["value": "c4n4ry"])
        #expect(try open(address, rootToken()).text("a b/ä?") == "c4n4ry")
    }

    @Test("one request for each path, however many fields and threads ask for it")
    func requests() throws {
        try vault.put("counted", ["user": "c4n4ry-u", "password": "c4n4ry-p"])
        let backend = try open("address: \(vault.proxy)", rootToken())
        DispatchQueue.concurrentPerform(iterations: 16) { index in
            let (field, expected) = index % 2 == 0 ? ("user", "c4n4ry-u") : ("password", "c4n4ry-p")
            let text = Result { try backend.text("counted#\(field)") }
            #expect((try? text.get()) == expected, "\(text)")
        }
        #expect(try vault.requests("/v1/secret/data/counted") == 1)
    }

    @Test("without a lease a path is kept as long as the program runs, or as 'cache' says")
    func cache() async throws {
        try vault.put("changing", ["value": "c4n4ry-1"])
        let forever = try open(address, rootToken())
        let brief = try open(address, rootToken(), "cache: 50 ms")
        for backend in [forever, brief] { #expect(try backend.text("changing") == "c4n4ry-1") }
        try vault.put("changing", ["value": "c4n4ry-2"])
        try await Task.sleep(for: .milliseconds(60))
        #expect(try forever.text("changing") == "c4n4ry-1")
        #expect(try brief.text("changing") == "c4n4ry-2")
    }

    @Test("a lease that the server gives is kept to")
    func lease() async throws {
        try vault.call("POST", "old/leased", ["value": "c4n4ry-1", "ttl": "1s"])
        let backend = try open(address, rootToken(), "mount: old")
        #expect(try backend.text("leased") == "c4n4ry-1")
        try vault.call("POST", "old/leased", ["value": "c4n4ry-2", "ttl": "1s"])
        #expect(try backend.text("leased") == "c4n4ry-1")
        try await Task.sleep(for: .milliseconds(1_050))
        #expect(try backend.text("leased") == "c4n4ry-2")
    }

    @Test("a namespace has its own engines, tokens and secrets")
    func namespace() throws {
        try vault.call("POST", "sys/namespaces/team", [:])
        try vault.call("POST", "sys/mounts/secret", ["type": "kv-v2"], namespace: "team")
        try vault.call("POST", "secret/data/inside", ["data": ["value": "c4n4ry-inside"]], namespace: "team")
        #expect(try open(address, rootToken(), "namespace: team").text("inside") == "c4n4ry-inside")
        _ = failure(.vaultPathMissing) { _ = try open(address, rootToken()).text("inside") }
    }

    @Test("a path that is not there")
    func missingPath() throws {
        let error = failure(.vaultPathMissing) { _ = try open(address, rootToken()).text("no/such#password") }
        #expect(error?.message == "there is no 'no/such' in the mount 'secret'")
        #expect(error?.exitCode == 2)
    }

    @Test("a field that is not there is named, with the nearest that is")
    func missingField() throws {
        try vault.put("fields", ["password": "c4n4ry"])
        let error = failure(.vaultFieldMissing) { _ = try open(address, rootToken()).text("fields#pasword") }
        #expect(error?.message == "'fields' of the mount 'secret' has no field 'pasword'")
        #expect(error?.hint?.hasPrefix("did you mean 'password'?") == true)
        #expect(error?.exitCode == 2)
    }

    @Test("a field that is no value", arguments: ["object", "list", "nothing"])
    func noValue(field: String) throws {
        try vault.put("shapes-\(field)", ["object": ["a": "c4n4ry"], "list": ["c4n4ry"], "nothing": NSNull()])
        _ = failure(.vaultFieldNotText) { _ = try open(address, rootToken()).text("shapes-\(field)#\(field)") }
    }

    @Test("a version that was deleted or destroyed", arguments: ["deleted", "destroyed"])
    func deleted(word: String) throws {
        try vault.put(word, ["value": "c4n4ry"])
        if word == "deleted" {
            try vault.call("DELETE", "secret/data/\(word)")
        } else {
            try vault.call("POST", "secret/destroy/\(word)", ["versions": [1]])
        }
        let error = failure(.vaultPathMissing) { _ = try open(address, rootToken()).text(word) }
        #expect(error?.message == "the newest version of '\(word)' in the mount 'secret' is \(word)")
    }

    @Test(
        "the wrong engine",
        arguments: [
            ("kv_version: '1'", DiagnosticCode.vaultPathMissing, "the engine has version 2"),
            ("mount: none", .vaultForbidden, "or there is no such mount"),
            ("mount: none\nkv_version: '2'", .vaultMountMissing, "the vault has no such mount"),
            ("mount: other", .vaultMountMissing, "an engine of type 'transit'"),
            ("mount: old\nkv_version: '2'", .vaultPathMissing, "there is no 'shared' in the mount 'old'"),
        ])
    func wrongEngine(lines: String, code: DiagnosticCode, words: String) throws {
        let error = failure(code) { _ = try open(address, rootToken(), lines).text("shared") }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        #expect(error?.hint != nil)
    }

    @Test("a key that names no path", arguments: ["", "#a", "a#", "/a", "a/", "a//b", "../a", "a/./b"])
    func invalidKey(key: String) throws {
        _ = failure(.invalidSecretKey) { _ = try open(address, rootToken()).text(key) }
    }

    @Test("health says the server's version")
    func health() throws {
        let health = try open(address, rootToken()).health()
        #expect(health.version.hasSuffix(" 2.7.2"), "\(health)")
        #expect(health.detail == "mount secret")
    }
}
