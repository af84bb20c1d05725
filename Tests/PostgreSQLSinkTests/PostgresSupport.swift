import DataPath
import Diagnostics
import Foundation
import PluginAPI
import PostgreSQLSink
import PostgresClient
import TestServers
import Testing

/// The whole target, one test at a time, on one server; skipped with the reason where there is none.
@Suite(
    "PostgreSQL sink", .serialized,
    .enabled(
        if: PostgreSQLServer.problem == nil || LocalServer.isRequired,
        Comment(rawValue: PostgreSQLServer.problem ?? "a server can be started")))
enum PostgreSQLSinkTests {
    static let server = Result { try PostgreSQLServer() }
}

/// A schema of its own on a server, with a connection to look at it.
struct TestSchema {
    let server: PostgreSQLServer
    let name = "test \"\(UUID().uuidString.prefix(8))\""

    /// On the server that the tests share.
    init() throws { server = try PostgreSQLSinkTests.server.get() }

    init(on server: PostgreSQLServer) { self.server = server }

    var options: [String: OptionValues.Value] {
        [
            "host": .string("127.0.0.1"), "port": .integer(server.port), "database": .string("postgres"),
            "user": .string(server.user), "password": .secret(Secret(server.password)), "schema": .string(name),
            "connect_timeout": .durationMilliseconds(5_000),
        ]
    }

    func open(
        _ changes: [String: OptionValues.Value] = [:], access: PluginContext.Access = .change
    ) throws -> any Sink {
        try PostgreSQLSinkPlugin().open(
            OptionValues(options.merging(changes) { $1 }),
            PluginContext(projectRoot: server.folder.path, access: access) { _ in })
    }

    func connect(database: String = "postgres") throws -> PostgresConnection {
        let settings = PostgresSettings(host: "127.0.0.1", port: server.port, database: database, user: server.user)
        let connection = try PostgresConnection(settings, password: server.password)
        try connection.execute("SELECT set_config('search_path', $1, false)", [SQL.quoted(name)])
        return connection
    }

    /// Every cell as the server writes it; null is `∅`.
    func rows(_ sql: String, _ parameters: [String?] = []) throws -> [[String]] {
        let result = try connect().execute(sql, parameters)
        return (0..<result.rowCount).map { row in
            (0..<result.columnCount).map { result.text(row, $0) ?? "∅" }
        }
    }

    func run(_ sql: String) throws { try connect().execute(sql) }
}

enum SQL {
    static func quoted(_ name: String) -> String { "\"\(name.replacingOccurrences(of: "\"", with: "\"\""))\"" }
}

/// Tables and batches of the tests.
enum Sample {
    /// Sums by window and user; a user may be null.
    static func table(
        _ name: String = "sums", owner: String = "shop", fingerprint: String = "1", more: [ColumnSpec] = []
    ) -> TableDefinition {
        var table = TableDefinition(
            name: name, content: .aggregation,
            columns: [
                ColumnSpec("window_start", .timestamp), ColumnSpec("user", .string, isNullable: true),
                ColumnSpec("total", .long),
            ] + more, key: ["window_start", "user"], fingerprint: fingerprint)
        table.owner = owner
        return table
    }

    static func rows(_ rows: [(start: Int64, user: String?, total: Int64)]) -> RecordBatch {
        let batch = RecordBatch(schema: BatchSchema(table().columns))
        for row in rows {
            batch.columns[0].append(row.start)
            if let user = row.user { batch.columns[1].append(user) } else { batch.columns[1].appendNull() }
            batch.columns[2].append(row.total)
        }
        batch.rowCount = rows.count
        return batch
    }
}

extension ColumnVector {
    func append(_ value: Int64) { if case .int64(let vector) = self { vector.append(value) } }
    func append(_ value: Int128) { if case .int128(let vector) = self { vector.append(value) } }
    func append(_ value: Double) { if case .double(let vector) = self { vector.append(value) } }
    func append(_ value: Bool) { if case .boolean(let vector) = self { vector.append(value) } }
    func append(_ value: String) { append(Array(value.utf8)) }

    func append(_ value: [UInt8]) {
        switch self {
        case .bytes(let vector): value.withUnsafeBytes { vector.append($0) }
        case .dictionary(let codes, let dictionary):
            codes.append(value.withUnsafeBytes { dictionary.code(for: $0) })
        default: break
        }
    }

    func appendNull() {
        switch self {
        case .boolean(let vector): vector.appendNull()
        case .int64(let vector): vector.appendNull()
        case .int128(let vector): vector.appendNull()
        case .double(let vector): vector.appendNull()
        case .bytes(let vector): vector.appendNull()
        case .dictionary(let vector, _): vector.appendNull()
        case .hash(let vector): vector.appendNull()
        }
    }
}
