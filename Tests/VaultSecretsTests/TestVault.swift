import Foundation
import Synchronization
import Testing

/// Real OpenBao servers, and fakes that misbehave, run by `Fixtures/vault.py`. They end with the test process, however it
/// ends: the script stops when its input does.
final class TestVault: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    struct Server: Sendable {
        var number: Int
        var address: String
        /// The authority that signed its certificate.
        var authorityFile: String?
    }

    /// Every secret of these tests holds this word; no message may.
    static let canary = "c4n4ry"
    static let rootToken = "c4n4ry-root"

    private let pipes: Mutex<(input: FileHandle, output: FileHandle)>
    let folder: URL
    let server: Server
    let secureServer: Server
    /// Servers that do what the first word of a path says.
    let fake: String
    /// Passes on to ``server`` and counts.
    let proxy: String
    /// Kubernetes, as far as OpenBao asks it.
    let reviews: String

    private static let started = Result { try TestVault() }
    private static let environment = ProcessInfo.processInfo.environment

    static var shared: TestVault { get throws { try started.get() } }
    static var problem: String? {
        do { _ = try shared } catch { return "\(error)" }
        return nil
    }
    static var isRunning: Bool { problem == nil || environment["CI"] != nil }
    static var reason: Comment { Comment(rawValue: problem ?? "OpenBao runs") }

    private init() throws {
        let python = try Self.find(Self.environment["STREAMPLAT_PYTHON"] ?? "python3")
        // Installed as a package of Python, it stands beside it.
        let beside = URL(fileURLWithPath: python).deletingLastPathComponent().appendingPathComponent("bao").path
        let bao = try FileManager.default.isExecutableFile(atPath: beside) ? beside : Self.find("bao")
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("streamplat-vault-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Fixtures/vault.py")
        let (input, output) = (Pipe(), Pipe())
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [script.path, bao, folder.path, Self.rootToken]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let handles = (input: input.fileHandleForWriting, output: output.fileHandleForReading)
        server = try Self.start(isSecure: false, handles)
        secureServer = try Self.start(isSecure: true, handles)
        let fakes = try Self.carryOut(["fakes": true], handles)
        (fake, proxy, reviews) = (try text(fakes["fake"]), try text(fakes["proxy"]), try text(fakes["reviews"]))
        pipes = Mutex((handles.input, handles.output))
        try prepare()
    }

    /// Another server, for a test that breaks it.
    func startServer() throws -> Server {
        try pipes.withLock { try Self.start(isSecure: false, ($0.input, $0.output)) }
    }

    func kill(_ server: Server) throws {
        _ = try pipes.withLock { try Self.carryOut(["kill": server.number], ($0.input, $0.output)) }
    }

    /// A request with the root token; fails for another status than 200 and 204.
    @discardableResult
    func call(
        _ method: String, _ path: String, _ body: [String: Any]? = nil, namespace: String? = nil,
        on server: Server? = nil
    ) throws -> [String: Any] {
        let headers = namespace.map { ["X-Vault-Namespace": $0] } ?? [:]
        let line = try Self.line(
            ["call": [(server ?? self.server).number, method, path, body ?? NSNull(), headers] as [Any]])
        let answer = try pipes.withLock { try Self.carryOut(line, ($0.input, $0.output)) }
        guard let status = answer["status"] as? Int, (200..<300).contains(status) else {
            throw Failure(description: "\(method) \(path): \(answer)")
        }
        return answer["body"] as? [String: Any] ?? [:]
    }

    /// How often the proxy was asked for a path that begins so.
    func requests(_ prefix: String) throws -> Int {
        let answer = try pipes.withLock { try Self.carryOut(["requests": prefix], ($0.input, $0.output)) }
        return answer["count"] as? Int ?? -1
    }

    /// Writes fields at a path of the engine `secret`, which has version 2.
    func put(_ path: String, _ fields: [String: Any]) throws {
        try call("POST", "secret/data/\(path)", ["data": fields])
    }

    /// A token of these settings.
    func token(_ settings: [String: Any]) throws -> String {
        let id = "c4n4ry-\(UUID().uuidString)"
        try call("POST", "auth/token/create", settings.merging(["id": id]) { $1 })
        return id
    }

    /// The engines, policies and ways to log in that the tests share.
    private func prepare() throws {
        try call("POST", "sys/mounts/old", ["type": "kv", "options": ["version": "1"]])
        try call("POST", "sys/mounts/other", ["type": "transit"])
        let reader =
            #"path "secret/data/*" { capabilities = ["read"] } path "secret/data/forbidden/*" { capabilities = ["deny"] }"#
        try call("PUT", "sys/policies/acl/reader", ["policy": reader])
        try call("POST", "sys/auth/approle", ["type": "approle"])
        try call("POST", "sys/auth/apps", ["type": "approle"])
        try call("POST", "sys/auth/kubernetes", ["type": "kubernetes"])
        // It asks for an authority also where Kubernetes speaks no TLS.
        let authority = try String(contentsOfFile: try text(secureServer.authorityFile), encoding: .utf8)
        try call(
            "POST", "auth/kubernetes/config",
            [
                "kubernetes_host": reviews, "disable_local_ca_jwt": true, "token_reviewer_jwt": "c4n4ry.reviewer",
                "kubernetes_ca_cert": authority,
            ])
        try call(
            "POST", "auth/kubernetes/role/streamplat",
            [
                "bound_service_account_names": "streamplat", "bound_service_account_namespaces": "data",
                "token_policies": "reader", "token_ttl": "60s",
            ])
        try put("shared", ["value": "c4n4ry-shared"])
    }

    /// The ids of a new role of an AppRole method; the secret one is of no use where the role binds none.
    func role(_ name: String, mount: String = "approle", _ settings: [String: Any] = [:]) throws
        -> (roleID: String, secretID: String)
    {
        try call("POST", "auth/\(mount)/role/\(name)", ["token_policies": "reader"].merging(settings) { $1 })
        let role = try call("GET", "auth/\(mount)/role/\(name)/role-id")["data"] as? [String: Any]
        let id = "c4n4ry-\(UUID().uuidString)"
        if settings["bind_secret_id"] as? Bool != false {
            try call("POST", "auth/\(mount)/role/\(name)/custom-secret-id", ["secret_id": id])
        }
        return (try text(role?["role_id"]), id)
    }

    // MARK: The script

    private typealias Handles = (input: FileHandle, output: FileHandle)

    private static func start(isSecure: Bool, _ handles: Handles) throws -> Server {
        let answer = try carryOut(["start": ["tls": isSecure]], handles)
        return Server(
            number: answer["server"] as? Int ?? -1, address: try text(answer["address"]),
            authorityFile: answer["ca"] as? String)
    }

    private static func line(_ command: [String: Any]) throws -> Data {
        try JSONSerialization.data(withJSONObject: command) + Data("\n".utf8)
    }

    private static func carryOut(_ command: [String: Any], _ handles: Handles) throws -> [String: Any] {
        try carryOut(line(command), handles)
    }

    private static func carryOut(_ line: Data, _ handles: Handles) throws -> [String: Any] {
        try handles.input.write(contentsOf: line)
        var reply = Data()
        while reply.last != UInt8(ascii: "\n") {
            let part = handles.output.availableData
            if part.isEmpty { throw Failure(description: "the script ended") }
            reply += part
        }
        let answer = try JSONSerialization.jsonObject(with: reply) as? [String: Any] ?? [:]
        if let reason = answer["failed"] { throw Failure(description: "\(reason)") }
        return answer
    }

    private static func find(_ program: String) throws -> String {
        let candidates =
            program.contains("/")
            ? [program] : (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(program)" }
        guard let found = candidates.first(where: FileManager.default.isExecutableFile) else {
            throw Failure(description: "no \(program) on PATH or beside python; scripts/test-env.sh installs it")
        }
        return found
    }
}

private func text(_ value: Any?) throws -> String {
    guard let value = value as? String else { throw TestVault.Failure(description: "no text: \(value ?? "nothing")") }
    return value
}
