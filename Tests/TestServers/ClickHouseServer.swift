public import Foundation

/// A ClickHouse server of its own, in a temporary folder, on free ports of the loopback interface.
///
/// It keeps its data over ``stop()`` and ``start()``.
public final class ClickHouseServer: @unchecked Sendable {
    public let port: Int
    public let folder: URL
    public let user: String
    /// Looked for in every output by the tests of secrets.
    public let password: String
    private let nativePort: Int
    private var process: LocalProcess?

    public var url: String { "http://127.0.0.1:\(port)" }

    private static let program = LocalServer.program("clickhouse-server", folders: ["/usr/sbin", "/usr/bin"])
    private static let client = LocalServer.program("clickhouse-client")

    /// Why no server can be started here; nil when one can.
    public static let problem: String? = {
        if program == nil { return "no clickhouse-server: install the package clickhouse-server" }
        if client == nil { return "no clickhouse-client: install the package clickhouse-client" }
        return nil
    }()

    /// Makes the folder and starts the server. Without a password everybody of this machine may enter.
    public init(user: String = "default", password: String = "") throws {
        if let problem = Self.problem { throw LocalServer.Failure(problem) }
        self.user = user
        self.password = password
        folder = try LocalServer.temporaryFolder("clickhouse")
        port = try LocalServer.freePort()
        nativePort = try LocalServer.freePort()
        for name in ["data", "tmp", "formats"] {
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent(name), withIntermediateDirectories: true)
        }
        try Data(
            """
            <yandex>
              <logger><level>warning</level><log>./server.log</log><errorlog>./server.err.log</errorlog></logger>
              <http_port>\(port)</http_port><tcp_port>\(nativePort)</tcp_port>
              <interserver_http_port>\(try LocalServer.freePort())</interserver_http_port>
              <listen_host>127.0.0.1</listen_host>
              <path>./data/</path><tmp_path>./tmp/</tmp_path><format_schema_path>./formats/</format_schema_path>
              <mark_cache_size>268435456</mark_cache_size><users_config>users.xml</users_config>
              <default_profile>default</default_profile><default_database>default</default_database>
            </yandex>
            """.utf8
        ).write(to: folder.appendingPathComponent("config.xml"))
        try Data(
            """
            <yandex>
              <profiles><default/></profiles><quotas><default/></quotas>
              <users><\(user)>
                <password>\(password)</password><networks><ip>127.0.0.1</ip></networks>
                <profile>default</profile><quota>default</quota>
              </\(user)></users>
            </yandex>
            """.utf8
        ).write(to: folder.appendingPathComponent("users.xml"))
        try start()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Starts the server and waits until it takes connections.
    public func start() throws {
        guard let program = Self.program else { throw LocalServer.Failure("no clickhouse-server") }
        let started = try LocalProcess(
            "clickhouse-server", program, ["--config-file=config.xml"], folder: folder,
            logFile: folder.appendingPathComponent("output.log"))
        process = started
        try LocalServer.wait(for: started) {
            LocalServer.accepts(port: port) && LocalServer.accepts(port: nativePort)
        }
    }

    /// Stops the server. What it has answered is on disk.
    public func stop() {
        process?.stop()
        process = nil
    }

    /// Runs SQL with ClickHouse's own client and gives its output, tab-separated, without the last line's end.
    @discardableResult
    public func sql(_ text: String) throws -> String {
        let output = try LocalServer.run(
            Self.client ?? "clickhouse-client",
            ["--host", "127.0.0.1", "--port", "\(nativePort)", "--user", user, "--multiquery", "--query", text]
                + (password.isEmpty ? [] : ["--password", password]))
        return output.hasSuffix("\n") ? String(output.dropLast()) : output
    }
}
