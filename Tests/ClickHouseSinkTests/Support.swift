import Foundation
import TestServers
import Testing

/// All tests of the sink, one at a time: they share a server. Skipped with the reason where none can be started.
@Suite(
    "Sink clickhouse", .serialized,
    .enabled(
        if: ClickHouseServer.problem == nil || LocalServer.isRequired,
        Comment(rawValue: ClickHouseServer.problem ?? "a server can be started")))
enum ClickHouse {
    static let shared = Result { try ClickHouseServer() }

    /// A database of the shared server that nobody else uses.
    static func database() throws -> (server: ClickHouseServer, name: String) {
        (try shared.get(), "t" + UUID().uuidString.prefix(8).lowercased())
    }
}
