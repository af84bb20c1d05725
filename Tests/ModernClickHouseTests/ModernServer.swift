import ClickHouseTesting
import Foundation
import HTTPClient
import PluginAPI
import TestServers

/// The engine of a ClickHouse of today behind the HTTP front of `chdb_front.py`, in a temporary folder.
final class ModernServer: @unchecked Sendable {
    let port: Int
    let user = "writer"
    /// Looked for in what the sink says.
    let password = "canary-\(UUID().uuidString)"
    private let folder: URL
    private let process: LocalProcess

    var url: String { "http://127.0.0.1:\(port)" }

    /// The Python of the environment that `scripts/chdb-env.sh` makes.
    static let python = ProcessInfo.processInfo.environment["STREAMPLAT_CHDB_PYTHON"].flatMap { $0.isEmpty ? nil : $0 }

    init() throws {
        guard let python = Self.python else { throw LocalServer.Failure("STREAMPLAT_CHDB_PYTHON is not set") }
        folder = try LocalServer.temporaryFolder("modern-clickhouse")
        port = try LocalServer.freePort()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Scripts/chdb_front.py").path
        process = try LocalProcess(
            "chdb_front.py", python, [script, "--port", "\(port)", "--path", folder.path, "--user", user],
            environment: ["FRONT_PASSWORD": password], logFile: folder.appendingPathComponent("log"))
        try LocalServer.wait(for: process, seconds: 120) { LocalServer.accepts(port: port) }
    }

    deinit {
        process.stop()
        try? FileManager.default.removeItem(at: folder)
    }

    /// A sink on a database, seen through `url` or what stands before it.
    func configuration(_ database: String, url: String? = nil) -> SinkConfiguration {
        var configuration = SinkConfiguration(url ?? self.url, database: database, others: ["timeout": "60 seconds"])
        configuration.user = user
        configuration.password = password
        return configuration
    }

    /// Runs a statement as nobody but the engine sees it, and gives its answer without the last line's end.
    @discardableResult
    func sql(_ text: String, settings: String = "") throws -> String {
        let response = try HTTPClient().send(
            HTTPRequest(
                method: "POST", url: "\(url)/?\(settings)",
                headers: [
                    HTTPHeader("X-ClickHouse-User", user), HTTPHeader("X-ClickHouse-Key", secret: Secret(password)),
                ], body: Array(text.utf8)))
        guard response.status == 200 else { throw LocalServer.Failure("\(text): \(response.text)") }
        return response.text.hasSuffix("\n") ? String(response.text.dropLast()) : response.text
    }

    /// The rows of a query, each a JSON array on a line.
    func json(_ query: String) throws -> String {
        try sql("\(query) FORMAT JSONCompactEachRow", settings: "output_format_json_quote_64bit_integers=0")
    }
}
