import Foundation
import Testing

/// Where the results of a tortured run go, with what the tests do to it and how they read it.
enum TortureStore: String, CaseIterable, Sendable {
    case sqlite, postgresql, clickhouse, file

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
        guard let servers else { return [:] }
        return ["TORTURE_PASSWORD": try password(servers)]
    }

    private func password(_ servers: RealServers) throws -> String {
        try servers.setting(self == .clickhouse ? "CLICKHOUSE_PASSWORD" : "POSTGRES_PASSWORD")
    }

    /// The path of a SQLite file with the tables; nil when the store's rows are in files.
    func tables(_ project: TestProject, _ servers: RealServers?) async throws -> String? {
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
