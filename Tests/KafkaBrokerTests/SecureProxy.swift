import Foundation
import TestServers

/// TLS, and a login if asked for, in front of the tests' Kafka server, which has neither.
final class SecureProxy {
    let port: Int
    private let process: LocalProcess

    init(_ options: [String], to server: KafkaServer) throws {
        port = try LocalServer.freePort()
        guard let python = KafkaServer.python else { throw LocalServer.Failure("no python3") }
        let folder = try LocalServer.temporaryFolder("secure-proxy")
        process = try LocalProcess(
            "secure proxy", python, [Scripts.secureProxy.path, "\(port)", "\(server.port)"] + options,
            logFile: folder.appendingPathComponent("log"))
        let port = port
        try LocalServer.wait(for: process) { LocalServer.accepts(port: port) }
    }

    /// By its name: a certificate may be for another.
    var address: String { "127.0.0.1:\(port)" }

    func stop() { process.stop() }
}

/// Certificates of the tests: two authorities, and what the first has signed.
struct TestCertificates {
    private let folder: URL
    private let openssl: String
    static let keyPassword = "canary-key-51d2"

    init() throws {
        folder = try LocalServer.temporaryFolder("kafka-tls")
        guard let openssl = LocalServer.program("openssl") else {
            throw LocalServer.Failure("no openssl: install the package openssl")
        }
        self.openssl = openssl
        for name in ["ca", "other"] {
            try run(["req", "-x509", "-days", "2", "-subj", "/CN=test \(name)", "-out", "\(name).pem"] + key(name))
        }
        try sign("server", names: "IP:127.0.0.1,DNS:localhost")
        try sign("elsewhere", names: "DNS:kafka.example.com,IP:192.0.2.1")
        try sign("expired", names: "IP:127.0.0.1", days: -1)
        try sign("client", names: "DNS:streamplat")
        try sign("stranger", names: "DNS:streamplat", by: "other")
        try run([
            "ec", "-in", "client.key", "-aes256", "-passout", "pass:\(Self.keyPassword)", "-out", "encrypted.key",
        ])
    }

    func file(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// Options of the proxy: the broker's certificate.
    func broker(_ name: String) -> [String] { ["--cert", file("\(name).pem"), "--key", file("\(name).key")] }

    private func key(_ name: String) -> [String] {
        ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "\(name).key"]
    }

    private func sign(_ name: String, names: String, by authority: String = "ca", days: Int = 2) throws {
        try run(["req", "-subj", "/CN=\(name)", "-out", "\(name).csr"] + key(name))
        try Data("subjectAltName=\(names)\n".utf8).write(to: folder.appendingPathComponent("\(name).ext"))
        try run([
            "x509", "-req", "-in", "\(name).csr", "-CA", "\(authority).pem", "-CAkey", "\(authority).key",
            "-CAcreateserial", "-days", "\(days)", "-extfile", "\(name).ext", "-out", "\(name).pem",
        ])
    }

    private func run(_ arguments: [String]) throws { try LocalServer.run(openssl, arguments, in: folder) }
}
