import Foundation
import Testing

/// Where the results of a tortured run go, with what the tests do to it and how they read it.
enum TortureStore: String, CaseIterable, Sendable {
    case sqlite, postgresql, clickhouse, file, kafka

    /// All, or the one that `STREAMPLAT_TORTURE_STORE` names.
    static var chosen: [TortureStore] {
        ProcessInfo.processInfo.environment["STREAMPLAT_TORTURE_STORE"].map { name in
            allCases.filter { $0.rawValue == name }
        } ?? allCases
    }

    var server: RealServers.Name? {
        switch self {
        case .postgresql: .postgres
        case .clickhouse: .clickhouse
        case .kafka: .kafka
        case .sqlite, .file: nil
        }
    }

    /// Nil when it needs none.
    func startServer() async throws -> RealServers? {
        guard let server else { return nil }
        return try await RealServers(server)
    }

    private static let database = "torture"

    func settings(_ servers: RealServers?) throws -> [String] {
        var settings = ["sinks.primary.type=\(rawValue)"]
        guard let servers else { return settings }
        let block = "sinks.primary.\(rawValue)"
        if self == .kafka {
            return settings + ["\(block).bootstrap_servers=[\"\(try address(servers))\"]", "\(block).partitions=3"]
        }
        settings += [
            "\(block).database=\(Self.database)", "\(block).create_database=true", "\(block).user=streamplat",
            "\(block).password=$<env:TORTURE_PASSWORD>",
        ]
        if self == .clickhouse {
            let port = try servers.setting("CLICKHOUSE_PORT")
            settings += ["\(block).urls=[\"http://127.0.0.1:\(port)\"]", "\(block).min_insert_interval=10 ms"]
        } else {
            let port = try servers.setting("POSTGRES_PORT")
            settings += ["\(block).host=127.0.0.1", "\(block).port=\(port)", "\(block).tls_mode=disable"]
        }
        return settings
    }

    func environment(_ servers: RealServers?) throws -> [String: String] {
        guard let servers, self != .kafka else { return [:] }
        return ["TORTURE_PASSWORD": try password(servers)]
    }

    private func password(_ servers: RealServers) throws -> String {
        try servers.setting(self == .clickhouse ? "CLICKHOUSE_PASSWORD" : "POSTGRES_PASSWORD")
    }

    private func address(_ servers: RealServers) throws -> String { "127.0.0.1:\(try servers.setting("KAFKA_PORT"))" }

    /// Rows are only added: an undisturbed run's are in files.
    var isAppended: Bool { self == .file || self == .kafka }

    /// The rows of a table as lines, of a store to which they are only added.
    func lines(of table: String, _ project: TestProject, _ servers: RealServers?) async throws -> [Substring] {
        guard let servers else { return try Self.lines(in: "results", of: table, project) }
        let outcome = try await project.python("topic_values.py", [try address(servers), "results.\(table)"])
        try #require(outcome.code == 0, "\(outcome)")
        return outcome.output.split(separator: "\n")
    }

    /// The rows in a file of the sink `file`.
    static func lines(in folder: String, of table: String, _ project: TestProject) throws -> [Substring] {
        String(decoding: try project.read(".streamplat/\(folder)/\(table).ndjson"), as: UTF8.self).split(
            separator: "\n")
    }

    /// The path of a SQLite file with the tables; nil when rows are only added.
    func tables(_ project: TestProject, _ servers: RealServers?) async throws -> String? {
        if isAppended { return nil }
        guard let servers else { return self == .sqlite ? ".streamplat/results.db" : nil }
        let port = try servers.setting(self == .clickhouse ? "CLICKHOUSE_PORT" : "POSTGRES_PORT")
        let outcome = try await project.python(
            "server_tables.py",
            [
                rawValue, "--url", "http://127.0.0.1:\(port)", "--port", port, "--user", "streamplat", "--database",
                Self.database, "--into", "fetched.db",
            ], environment: ["SERVER_PASSWORD": try password(servers)])
        try #require(outcome.code == 0, "\(outcome)")
        return "fetched.db"
    }
}
