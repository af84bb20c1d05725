import ConfigTree
import DataPath
import Diagnostics
import Foundation
import KafkaBroker
import PluginAPI
import Synchronization
import TestServers
import Testing
import YAMLTree

/// The suites run one test at a time against one server; with CI=true also without it, so that they fail.
@Suite(
    "Kafka sink", .serialized,
    .enabled(if: KafkaServer.problem == nil || LocalServer.isRequired, "\(KafkaServer.problem ?? "")"))
enum KafkaSinkSuites {
    static let server = Result { try KafkaServer() }

    static func parse(_ yaml: String, into diagnostics: inout Diagnostics) -> OptionValues {
        let node = YAMLTree.parse(
            bytes: Array(yaml.utf8), file: "platform.yaml", layer: ConfigLayer("platform"), into: &diagnostics)
        let options = KafkaSinkPlugin.spec.parse(
            node, path: "sinks.primary.kafka", at: SourceLocation(file: "platform.yaml", line: 1, column: 1),
            into: &diagnostics)
        if !diagnostics.hasErrors { KafkaSinkPlugin().validate(options, into: &diagnostics) }
        return options
    }
}

private final class Heard: Sendable {
    let lines = Mutex<[String]>([])
}

/// Topics of one test's own, and the sinks that write them.
final class Results {
    struct Record: Decodable {
        var partition: Int
        var offset: Int64
        var key: String?
        var value: String
        var headers: [String]
    }

    let prefix = "results.\(UUID().uuidString.prefix(8).lowercased())"
    let server: KafkaServer
    /// Where clients connect: the server, or what stands before it.
    var address: String
    private let said = Heard()
    /// What was said to a person.
    var heard: [String] { said.lines.withLock { $0 } }

    init() throws {
        server = try KafkaSinkSuites.server.get()
        address = server.address
    }

    func open(_ more: String = "", _ access: PluginContext.Access = .change) throws -> any Sink {
        var findings = Diagnostics()
        let options = KafkaSinkSuites.parse(
            "bootstrap_servers: '\(address)'\ntopic_prefix: \(prefix)\n\(more)", into: &findings)
        try findings.throwIfErrors()
        return try KafkaSinkPlugin().open(
            options,
            PluginContext(projectRoot: "/nonexistent", access: access) { [said] line in
                said.lines.withLock { $0.append(line) }
            })
    }

    @discardableResult
    func python(_ arguments: String...) throws -> String { try server.python(KafkaServer.topicScript, arguments) }

    /// What the script prints as JSON; the other client may have something to say beside it.
    func json<Value: Decodable>(_ arguments: String...) throws -> Value {
        let printed = try server.python(KafkaServer.topicScript, arguments)
        let line = try #require(printed.split(separator: "\n").last { "[{".contains($0.first ?? " ") })
        return try JSONDecoder().decode(Value.self, from: Data(line.utf8))
    }

    func records(_ table: TableDefinition = .daily(), isolation: String = "read_committed") throws -> [Record] {
        try json("read", topic(table), isolation)
    }

    func values(_ table: TableDefinition = .daily(), isolation: String = "read_committed") throws -> [String] {
        try records(table, isolation: isolation).map(\.value)
    }

    func topic(_ table: TableDefinition) -> String { "\(prefix).\(table.name)" }

    /// An applied table, and a run that writes it.
    func run(
        _ table: TableDefinition = .daily(), writer: String = "run", options: String = "",
        from states: [String: [UInt8]] = [:]
    ) throws -> (sink: any Sink, states: [String: [UInt8]], standing: WriterStanding) {
        let sink = try open(options)
        try sink.apply(table)
        let standing = try sink.claim(.of(table, writer: writer))
        return (sink, try sink.restore(states), standing)
    }
}

extension WriterClaim {
    static func of(_ table: TableDefinition, writer: String, epoch: UInt64 = 1) -> WriterClaim {
        WriterClaim(domain: table.owner, environment: "test", writer: writer, epoch: epoch, tables: [table])
    }
}

extension CheckpointMark {
    static func number(_ sequence: UInt64, epoch: UInt64 = 1) -> CheckpointMark {
        CheckpointMark(
            number: CheckpointNumber(epoch: epoch, sequence: sequence), positions: "{\"a\":{\"b\":{\"0\":1}}}")
    }
}

extension TableDefinition {
    static func daily(
        owner: String = "shop", fingerprint: String = "f1", _ more: [ColumnSpec] = []
    ) -> TableDefinition {
        var table = TableDefinition(
            name: "daily", content: .aggregation,
            columns: [ColumnSpec("day", .date), ColumnSpec("n", .long), ColumnSpec("note", .string, isNullable: true)]
                + more,
            key: ["day"], fingerprint: fingerprint)
        table.owner = owner
        return table
    }

    static func raw() -> TableDefinition {
        var table = TableDefinition(
            name: "raw", content: .rawEvents, columns: [ColumnSpec("event_id", .long), ColumnSpec("n", .long)],
            key: ["event_id"], fingerprint: "f1")
        table.owner = "shop"
        return table
    }
}

/// Rows of (first column, n, note).
func batch(_ rows: [(Int64, Int64, String?)], _ table: TableDefinition = .daily()) -> RecordBatch {
    let batch = RecordBatch(schema: BatchSchema(table.columns))
    for row in rows {
        for (index, column) in batch.columns.enumerated() {
            switch column {
            case .int64(let vector): vector.append(index == 0 ? row.0 : row.1)
            case .bytes(let vector):
                if let text = row.2 {
                    Array(text.utf8).withUnsafeBytes { vector.append($0) }
                } else {
                    vector.appendNull()
                }
            default: Issue.record("no such column in these tests")
            }
        }
    }
    batch.rowCount = rows.count
    return batch
}

func batch(_ rows: [(Int64, Int64)], _ table: TableDefinition = .daily()) -> RecordBatch {
    batch(rows.map { ($0.0, $0.1, nil) }, table)
}

/// As the sink writes a row of ``TableDefinition/daily(owner:fingerprint:_:)``.
func line(_ day: Int, _ n: Int) -> String {
    "{\"day\":\"1970-01-\(day < 9 ? "0" : "")\(day + 1)\",\"n\":\(n),\"note\":null}"
}

/// As the runtime does.
func retrying(_ body: () throws -> Void) throws {
    let end = Date(timeIntervalSinceNow: 60)
    while true {
        do {
            return try body()
        } catch let error as PipelineError where error.retry == .backoff && Date() < end {
            usleep(100_000)
        }
    }
}
