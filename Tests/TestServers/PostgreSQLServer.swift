public import Foundation

/// A PostgreSQL server of its own, in a temporary folder, on a free port of the loopback interface.
///
/// Login by password (SCRAM) as ``user``, a superuser; TLS is on, with a certificate for `localhost` by an authority
/// made for this server. The server refuses to run as root: then it runs as the user `postgres`.
public final class PostgreSQLServer: @unchecked Sendable {
    public let port: Int
    public let folder: URL
    public let user = "tester"
    /// Looked for in every output by the tests of secrets.
    public let password = "canary-\(UUID().uuidString.prefix(12))"
    private var process: LocalProcess?

    /// The authority whose certificate the server has.
    public var authorityFile: String { folder.appendingPathComponent("tls/ca.pem").path }
    /// Another authority, which the server does not have its certificate from.
    public var otherAuthorityFile: String { folder.appendingPathComponent("tls/other.pem").path }

    private static let folders = (10...30).reversed().map { "/usr/lib/postgresql/\($0)/bin" }

    /// Why no server can be started here; nil when one can.
    public static let problem: String? = {
        for name in ["initdb", "postgres"] where program(name) == nil {
            return "no \(name): install the package postgresql, or put its programs on PATH"
        }
        if LocalServer.program("openssl") == nil { return "no openssl: install the package openssl" }
        if getuid() == 0 {
            if getpwnam("postgres") == nil { return "no user 'postgres', and the server refuses to run as root" }
            if LocalServer.program("setpriv") == nil { return "no setpriv: install the package util-linux" }
        }
        return nil
    }()

    private static func program(_ name: String) -> String? { LocalServer.program(name, folders: folders) }

    /// Makes the folder and starts the server. Takes two seconds.
    public init() throws {
        if let problem = Self.problem { throw LocalServer.Failure(problem) }
        folder = try LocalServer.temporaryFolder("postgresql")
        port = try LocalServer.freePort()
        try makeCertificates()
        let passwordFile = folder.appendingPathComponent("password")
        try Data(password.utf8).write(to: passwordFile)
        try hand(folder.path)
        let initialise = Self.command(
            "initdb",
            [
                "-D", "data", "-U", user, "--auth=scram-sha-256", "--pwfile=password", "--encoding=UTF8",
                "--locale=C.UTF-8", "--no-sync", "--no-instructions",
            ])
        try LocalServer.run(initialise.program, initialise.arguments, in: folder)
        try start()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Starts the server and waits until it takes connections.
    public func start() throws {
        let settings = [
            "port": "\(port)", "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
            "ssl": "on", "ssl_cert_file": "\(folder.path)/tls/server.pem",
            "ssl_key_file": "\(folder.path)/tls/server.key", "max_connections": "40", "shared_buffers": "32MB",
        ]
        let arguments =
            ["-D", "data"] + settings.sorted { $0.key < $1.key }.flatMap { ["-c", "\($0.key)=\($0.value)"] }
        let command = Self.command("postgres", arguments)
        let started = try LocalProcess(
            "postgres", command.program, command.arguments, folder: folder,
            logFile: folder.appendingPathComponent("log"), stopSignal: SIGINT)
        process = started
        let mark = "database system is ready to accept connections"
        let before = startCount
        startCount += 1
        try LocalServer.wait(for: started) {
            started.log.components(separatedBy: mark).count - 1 > before && LocalServer.accepts(port: port)
        }
    }

    private var startCount = 0

    /// Ends every session at once and stops; what was committed stays.
    public func stop() {
        process?.stop()
        process = nil
    }

    /// Everything the server said.
    public var log: String { process?.log ?? "" }

    /// The program as it is started: as root, by the user `postgres`, with the same process id.
    private static func command(_ name: String, _ arguments: [String]) -> (program: String, arguments: [String]) {
        let path = program(name) ?? name
        guard getuid() == 0 else { return (path, arguments) }
        return (
            LocalServer.program("setpriv") ?? "setpriv",
            ["--reuid=postgres", "--regid=postgres", "--init-groups", path] + arguments
        )
    }

    private func hand(_ path: String) throws {
        guard getuid() == 0 else { return }
        try LocalServer.run("/bin/chown", ["-R", "postgres:postgres", path])
    }

    private func makeCertificates() throws {
        let tls = folder.appendingPathComponent("tls")
        try FileManager.default.createDirectory(at: tls, withIntermediateDirectories: true)
        let openssl = LocalServer.program("openssl") ?? "openssl"
        for name in ["ca", "other"] {
            try LocalServer.run(
                openssl,
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=test \(name)", "-keyout", "\(name).key", "-out", "\(name).pem",
                ], in: tls)
        }
        try LocalServer.run(
            openssl,
            [
                "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                "-keyout", "server.key", "-out", "server.csr",
            ], in: tls)
        try Data("subjectAltName=DNS:localhost\n".utf8).write(to: tls.appendingPathComponent("names"))
        try LocalServer.run(
            openssl,
            [
                "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                "2", "-extfile", "names", "-out", "server.pem",
            ], in: tls)
    }
}
