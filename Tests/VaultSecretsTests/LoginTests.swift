import Diagnostics
import Foundation
import PluginAPI
import Testing

@Suite("Logging in to OpenBao", .enabled(if: TestVault.isRunning, TestVault.reason))
struct LoginTests {
    private let vault: TestVault
    private var address: String { "address: \(vault.server.address)" }

    init() throws { vault = try TestVault.shared }

    private func appRole(_ ids: (roleID: String, secretID: String)) -> String {
        "auth: approle\nrole_id: \(ids.roleID)\nsecret_id: \(ids.secretID)"
    }

    @Test("AppRole", arguments: ["approle", "apps"])
    func approle(mount: String) throws {
        let ids = try vault.role("reads", mount: mount)
        let backend = try open(address, appRole(ids), mount == "approle" ? "" : "auth_mount: \(mount)")
        #expect(try backend.text("shared") == "c4n4ry-shared")
    }

    @Test("AppRole without a secret id, where the role needs none")
    func noSecretID() throws {
        let ids = try vault.role("open", ["bind_secret_id": false, "token_bound_cidrs": "127.0.0.1/32"])
        #expect(try open(address, "auth: approle", "role_id: \(ids.roleID)").text("shared") == "c4n4ry-shared")
    }

    @Test("AppRole with wrong ids or at the wrong place")
    func refusedAppRole() throws {
        let ids = try vault.role("wrong")
        let wrong = failure(.vaultLoginRefused) { _ = try open(address, appRole((ids.roleID, "c4n4ry-wrong"))) }
        #expect(wrong?.message.contains("cannot log in by auth/approle at \(vault.server.address): ") == true)
        #expect(wrong?.exitCode == 3)
        _ = failure(.vaultLoginRefused) { _ = try open(address, appRole(ids), "auth_mount: nowhere") }
    }

    @Test("Kubernetes, by the service account's file, which is read at each login")
    func kubernetes() throws {
        let file = vault.folder.appendingPathComponent("jwt-\(UUID().uuidString)")
        let lines = "auth: kubernetes\nrole: streamplat\njwt_file: \(file.path)"
        let missing = failure(.vaultOptions) { _ = try open(address, lines) }
        #expect(missing?.hint?.contains("'jwt_file'") == true)
        try serviceAccountToken("bad").write(to: file, atomically: true, encoding: .utf8)
        _ = failure(.vaultLoginRefused) { _ = try open(address, lines) }
        try serviceAccountToken("good").write(to: file, atomically: true, encoding: .utf8)
        #expect(try open(address, lines).text("shared") == "c4n4ry-shared")
    }

    /// A token in the shape of a service account's; the fake Kubernetes looks at its word, and nobody at its signature.
    private func serviceAccountToken(_ word: String) throws -> String {
        let claims: [String: Any] = [
            "iss": "kubernetes/serviceaccount", "sub": "system:serviceaccount:data:streamplat", "word": word,
            "kubernetes.io/serviceaccount/namespace": "data",
            "kubernetes.io/serviceaccount/service-account.name": "streamplat",
            "kubernetes.io/serviceaccount/service-account.uid": "u1", "canary": TestVault.canary,
        ]
        let parts = [
            Data(#"{"alg":"RS256","typ":"JWT"}"#.utf8), try JSONSerialization.data(withJSONObject: claims),
            Data("c4n4ry".utf8),
        ]
        return parts.map {
            $0.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        }.joined(separator: ".") + "\n"
    }

    @Test("a token that the server does not know", arguments: ["c4n4ry-unknown", "s.c4n4ryunknown"])
    func unknownToken(token: String) throws {
        let error = failure(.vaultTokenInvalid) { _ = try open(address, "token: \(token)") }
        #expect(error?.exitCode == 3)
    }

    @Test("a policy that forbids a path is not a wrong token")
    func forbidden() throws {
        try vault.put("forbidden/x", ["value": "c4n4ry"])
        let token = try vault.token(["policies": ["reader"]])
        let backend = try open(address, "token: \(token)")
        #expect(try backend.text("shared") == "c4n4ry-shared")
        let error = failure(.vaultForbidden) { _ = try backend.text("forbidden/x") }
        #expect(error?.message == "the token may not read 'forbidden/x' of the mount 'secret' (403)")
        #expect(error?.hint == "a policy must allow to read secret/data/forbidden/x")
    }

    @Test("a token without any policy for the mount")
    func noPolicy() throws {
        let token = try vault.token(["policies": ["default"]])
        let error = failure(.vaultForbidden) { _ = try open(address, "token: \(token)").text("shared") }
        #expect(error?.message.hasPrefix("the token may read nothing in the mount 'secret'") == true)
    }

    @Test("a namespace that is not there", arguments: ["token", "approle"])
    func noNamespace(method: String) throws {
        let login = method == "token" ? rootToken() : appRole(("c4n4ry", "c4n4ry"))
        let error = failure(.vaultMountMissing) { _ = try open(address, login, "namespace: nowhere") }
        #expect(error?.message.contains("no namespace 'nowhere'") == true)
    }

    @Test("a token that is not renewed expires, and says so before and after")
    func expiry() async throws {
        let notes = Notes()
        let token = try vault.token(["ttl": "2s", "renewable": false, "policies": ["reader"]])
        let backend = try open(address, "token: \(token)", notes: notes)
        try await Task.sleep(for: .milliseconds(2_100))
        let error = failure(.vaultTokenInvalid) { _ = try backend.text("shared") }
        #expect(error?.message.contains("expired") == true)
        #expect(notes.all.count == 1)
        #expect(notes.all.first?.contains("cannot be renewed") == true)
        #expect(notes.all.allSatisfy { !$0.contains(TestVault.canary) })
    }

    @Test("a renewable token is kept alive while nobody asks for anything")
    func renewal() async throws {
        let notes = Notes()
        let token = try vault.token(["ttl": "3s", "policies": ["reader"]])
        let backend = try open(address, "token: \(token)", notes: notes)
        try await Task.sleep(for: .milliseconds(3_300))
        #expect(try backend.text("shared") == "c4n4ry-shared")
        #expect(notes.all.isEmpty)
    }

    @Test("past the maximal lifetime of a token, AppRole logs in anew")
    func newLogin() async throws {
        let ids = try vault.role("brief", ["token_ttl": "1s", "token_max_ttl": "1s"])
        let backend = try open(address, appRole(ids))
        try await Task.sleep(for: .milliseconds(2_200))
        #expect(try backend.text("shared") == "c4n4ry-shared")
    }

    @Test("a token that is revoked: AppRole logs in anew, a token that was given is of no use")
    func revoked() throws {
        let ids = try vault.role("revoked", mount: "apps")
        let byRole = try open(address, appRole(ids), "auth_mount: apps")
        let token = try vault.token(["policies": ["reader"]])
        let byToken = try open(address, "token: \(token)")
        try vault.call("POST", "sys/leases/revoke-prefix/auth/apps/login")
        try vault.call("POST", "auth/token/revoke", ["token": token])
        #expect(try byRole.text("shared") == "c4n4ry-shared")
        _ = failure(.vaultTokenInvalid) { _ = try byToken.text("shared") }
    }
}
