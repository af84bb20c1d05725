import Foundation
import Testing

/// Kafka, schema registry, ClickHouse, PostgreSQL and OpenBao of a test's own, as `make services` starts them. They are
/// stopped, and their folder is removed, with the value.
final class RealServers {
    enum Name: String { case kafka, registry, clickhouse, postgres, vault }

    let folder: URL
    /// What environment `dev` reads.
    let environment: [String: String]
    /// Ports and passwords, by the names that the script gives them.
    private let settings: [String: String]
    private static let script = Requirements.packageRoot.appendingPathComponent("scripts/services.sh").path

    /// - Parameter names: Which ones are started; none means all.
    init(_ names: Name...) async throws {
        try Requirements.check()
        // Where the user postgres can enter, too.
        folder = URL(fileURLWithPath: "/var/tmp/streamplat-servers-\(UUID().uuidString)")
        let outcome = try await Self.run(["start"] + names.map(\.rawValue), folder)
        try #require(outcome.code == 0, "\(outcome)")
        environment = Self.variables(outcome.output)
        settings = Self.variables(
            try String(contentsOf: folder.appendingPathComponent("env"), encoding: .utf8))
    }

    deinit {
        let stop = Process()
        stop.executableURL = URL(fileURLWithPath: "/bin/bash")
        stop.arguments = [Self.script, "stop"]
        stop.environment = Self.scriptEnvironment(folder)
        stop.standardOutput = FileHandle.nullDevice
        if (try? stop.run()) != nil { stop.waitUntilExit() }
        try? FileManager.default.removeItem(at: folder)
    }

    func start(_ name: Name) async throws { try await act("start", name) }
    func stop(_ name: Name) async throws { try await act("stop", name) }

    /// Ends a server at once, as a crash does, and starts it again on what it left.
    func crash(_ name: Name) async throws {
        let process = try identifier(of: name)
        kill(process, SIGKILL)
        while kill(process, 0) == 0 { try await Task.sleep(for: .milliseconds(5)) }
        // PostgreSQL does not start before the last of its processes has seen the end of the first.
        for _ in 0..<20 {
            if try await Self.run(["start", name.rawValue], folder).code == 0 { return }
            try await Task.sleep(for: .milliseconds(300))
        }
        try await start(name)
    }

    /// Sends a signal to a server, such as SIGSTOP: then it takes connections and answers nothing.
    func signal(_ name: Name, _ signal: Int32) throws { kill(try identifier(of: name), signal) }

    private func identifier(of name: Name) throws -> Int32 {
        let file = folder.appendingPathComponent("\(name.rawValue).pid")
        let text = try String(contentsOf: file, encoding: .utf8)
        return try #require(text.split(separator: " ").first.flatMap { Int32($0) })
    }

    func setting(_ name: String) throws -> String { try #require(settings[name]) }

    /// Every credential that the servers know.
    var secrets: [String] { settings.filter { $0.key.hasSuffix("PASSWORD") || $0.key.hasSuffix("TOKEN") }.map(\.value) }

    /// Copies a sink's tables, as its own tools show them, into a file that the judge reads.
    func fetch(
        _ sink: EndToEnd.RealServersTests.Sink, _ database: String, into file: String, _ project: TestProject
    ) async throws {
        let prefix = sink == .clickhouse ? "CLICKHOUSE" : "POSTGRES"
        let port = try setting("\(prefix)_PORT")
        let outcome = try await project.python(
            "server_tables.py",
            [
                sink.rawValue, "--url", "http://127.0.0.1:\(port)", "--port", port, "--user", "streamplat",
                "--database", database, "--into", file,
            ], environment: ["SERVER_PASSWORD": try setting("\(prefix)_PASSWORD")])
        try #require(outcome.code == 0, "\(outcome)")
    }

    private func act(_ action: String, _ name: Name) async throws {
        let outcome = try await Self.run([action, name.rawValue], folder)
        try #require(outcome.code == 0, "\(outcome)")
    }

    private static func run(_ arguments: [String], _ folder: URL) async throws -> Outcome {
        try await ChildProcess(
            "/bin/bash", [script] + arguments, folder: Requirements.packageRoot,
            environment: scriptEnvironment(folder)
        ).wait(limit: .seconds(120))
    }

    private static func scriptEnvironment(_ folder: URL) -> [String: String] {
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("STREAMPLAT_") }
        environment["STREAMPLAT_SERVICES"] = folder.path
        environment["STREAMPLAT_BIN"] = Requirements.binary
        environment["STREAMPLAT_PYTHON"] = Requirements.python
        return environment
    }

    /// `NAME=value` and `export NAME=value`, one on a line.
    private static func variables(_ text: String) -> [String: String] {
        var result: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let pair = line.replacingOccurrences(of: "export ", with: "").split(separator: "=", maxSplits: 1)
            if pair.count == 2 { result[String(pair[0])] = String(pair[1]) }
        }
        return result
    }
}
