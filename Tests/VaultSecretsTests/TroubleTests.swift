import Diagnostics
import Foundation
import PluginAPI
import Testing

@Suite("Trouble with a vault", .enabled(if: TestVault.isRunning, TestVault.reason))
struct TroubleTests {
    private let vault: TestVault

    init() throws { vault = try TestVault.shared }

    @Test("sealed: when it is opened, and later")
    func sealed() throws {
        let server = try vault.startServer()
        let address = "address: \(server.address)"
        let backend = try open(address, rootToken())
        try vault.call("PUT", "sys/seal", on: server)
        let later = failure(.vaultSealed) { _ = try backend.text("shared") }
        let error = failure(.vaultSealed) { _ = try open(address, rootToken()) }
        _ = failure(.vaultSealed) { _ = try backend.health() }
        for error in [later, error] {
            #expect(error?.message == "the vault at \(server.address) is sealed")
            #expect(error?.exitCode == 3)
        }
    }

    @Test("gone: when it is opened, and later; what was read before is kept")
    func gone() throws {
        let server = try vault.startServer()
        let address = "address: \(server.address)"
        try vault.call("POST", "secret/data/a", ["data": ["value": "c4n4ry-a"]], on: server)
        let backend = try open(address, rootToken())
        #expect(try backend.text("a") == "c4n4ry-a")
        try vault.kill(server)
        #expect(try backend.text("a") == "c4n4ry-a")
        let later = failure(.vaultUnreachable) { _ = try backend.text("b") }
        let error = failure(.vaultUnreachable) { _ = try open(address, rootToken()) }
        _ = failure(.vaultUnreachable) { _ = try backend.health() }
        for error in [later, error] {
            #expect(error?.exitCode == 3)
            #expect(error?.retry == .backoff)
            #expect(error?.message.contains(server.address) == true)
        }
    }

    @Test("gone when a token is to be renewed: it is said once, and again when the token has expired")
    func goneAtRenewal() async throws {
        let server = try vault.startServer()
        try vault.call(
            "POST", "auth/token/create", ["id": "c4n4ry-brief", "ttl": "2s", "policies": ["default"]], on: server)
        let notes = Notes()
        let backend = try open("address: \(server.address)", "token: c4n4ry-brief", notes: notes)
        try vault.kill(server)
        try await Task.sleep(for: .milliseconds(2_700))
        #expect(notes.all.count == 2)
        #expect(notes.all.first?.contains("is not renewed: cannot reach the vault at \(server.address)") == true)
        #expect(notes.all.last?.contains("has expired") == true)
        #expect(notes.all.allSatisfy { !$0.contains(TestVault.canary) })
        _ = failure(.vaultTokenInvalid) { _ = try backend.text("shared") }
    }

    @Test("a host that has no address")
    func unknownHost() {
        _ = failure(.vaultUnreachable) { _ = try open("address: http://vault.invalid:8200", rootToken()) }
    }

    @Test("TLS with the right authority")
    func secure() throws {
        let file = try #require(vault.secureServer.authorityFile)
        try vault.call("POST", "secret/data/s", ["data": ["value": "c4n4ry-s"]], on: vault.secureServer)
        let backend = try open("address: \(vault.secureServer.address)", "ca_file: \(file)", rootToken())
        #expect(try backend.text("s") == "c4n4ry-s")
    }

    @Test(
        "TLS with no authority, another one, a file that is not there, and without TLS",
        arguments: ["", "ca_file: WRONG", "ca_file: /nonexistent/ca.pem", "PLAIN"])
    func insecure(line: String) throws {
        // Another server's authority.
        let key = vault.folder.appendingPathComponent("key-\(UUID().uuidString)").path
        let wrong = vault.folder.appendingPathComponent("wrong-\(UUID().uuidString)").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["openssl"]
            + "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=wrong"
            .split(separator: " ").map(String.init) + ["-keyout", key, "-out", wrong]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let address =
            line == "PLAIN" ? vault.server.address.replacing("http:", with: "https:") : vault.secureServer.address
        let option = line == "PLAIN" ? "" : line.replacing("WRONG", with: wrong)
        let error = failure(.vaultTLS) { _ = try open("address: \(address)", option, rootToken()) }
        #expect(error?.exitCode == 3)
        #expect(error?.hint?.contains("'ca_file'") == true)
    }

    @Test(
        "a server that answers what a vault would not",
        arguments: [
            ("html", DiagnosticCode.vaultMalformedAnswer), ("empty", .vaultMalformedAnswer),
            ("array", .vaultMalformedAnswer),
            ("cut", .vaultMalformedAnswer), ("garbage", .vaultMalformedAnswer), ("long", .vaultMalformedAnswer),
            ("redirect", .vaultUnavailable), ("status/429", .vaultUnavailable), ("status/500", .vaultUnavailable),
            ("status/502", .vaultUnavailable), ("uninitialized", .vaultSealed), ("status/404", .vaultMountMissing),
        ])
    func strange(word: String, code: DiagnosticCode) throws {
        let ids = "auth: approle\nrole_id: c4n4ry-role\nsecret_id: c4n4ry-secret"
        for login in [rootToken(), ids] {
            let error = failure(code) { _ = try open("address: \(vault.fake)/\(word)", login) }
            #expect(error?.exitCode == 3)
            #expect(error?.hint != nil)
            #expect(error?.message.contains(vault.fake) == true || error?.message.contains("path") == true)
        }
    }

    @Test("a page of a proxy that forbids is no answer of a vault")
    func forbiddenPage() {
        _ = failure(.vaultMalformedAnswer) { _ = try open("address: \(vault.fake)/html403", rootToken()) }
    }

    @Test("words of the server are shown without what was sent, on one line")
    func words() throws {
        let ids = "auth: approle\nrole_id: c4n4ry-role\nsecret_id: c4n4ry-secret"
        let error = failure(.vaultLoginRefused) { _ = try open("address: \(vault.fake)/status/400", ids) }
        #expect(error?.message.contains("bad day") == true)
        #expect(error?.message.contains("***") == true)
    }

    @Test("a server that does not answer in time")
    func slow() throws {
        let begin = ContinuousClock.now
        let error = failure(.vaultTimeout) {
            _ = try open("address: \(vault.fake)/slow", rootToken(), "timeout: 200 ms")
        }
        #expect(ContinuousClock.now - begin < .seconds(3))
        #expect(error?.exitCode == 3)
        #expect(error?.retry == .backoff)
    }
}
