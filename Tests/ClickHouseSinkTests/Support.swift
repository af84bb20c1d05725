import ClickHouseSink
import ConfigTree
import DataPath
import Diagnostics
import Foundation
import PluginAPI
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

/// What a test says about a sink in YAML.
struct SinkConfiguration {
    var urls: [String]
    var database = "default"
    var user: String?
    var password: String?
    var others: [String: String] = [:]

    init(_ urls: String..., database: String = "default", others: [String: String] = [:]) {
        self.urls = urls
        self.database = database
        self.others = others
    }

    func options(into diagnostics: inout Diagnostics) -> OptionValues {
        let place = SourceLocation(file: "platform.yaml", line: 1, column: 1)
        let layer = ConfigLayer("test")
        func scalar(_ text: String) -> ConfigNode {
            ConfigNode(.scalar(ConfigScalar(text, isPlain: !text.isEmpty)), at: place, layer: layer)
        }
        var entries: [ConfigMapping.Entry] = [
            .init(
                key: "urls", keyLocation: place,
                node: ConfigNode(.sequence(urls.map(scalar)), at: place, layer: layer)),
            .init(key: "database", keyLocation: place, node: scalar(database)),
        ]
        var texts = ["min_insert_interval": "0 ms", "timeout": "5 seconds"].merging(others) { $1 }
        texts["user"] = user
        texts["password"] = password
        for (key, text) in texts.sorted(by: { $0.key < $1.key }) {
            entries.append(.init(key: key, keyLocation: place, node: scalar(text)))
        }
        let node = ConfigNode(.mapping(ConfigMapping(entries)), at: place, layer: layer)
        let options = ClickHouseSinkPlugin.spec.parse(
            node, path: "sinks.primary.clickhouse", at: place, into: &diagnostics)
        ClickHouseSinkPlugin().validate(options, into: &diagnostics)
        return options
    }

    func open(_ access: PluginContext.Access = .change, notices: Notices = Notices()) throws -> any Sink {
        var diagnostics = Diagnostics()
        let options = options(into: &diagnostics)
        try diagnostics.throwIfErrors()
        return try ClickHouseSinkPlugin().open(
            options, PluginContext(projectRoot: "/", access: access) { notices.add($0) })
    }
}

/// What a sink tells a person.
final class Notices: @unchecked Sendable {
    private let lock = NSLock()
    private var texts: [String] = []

    func add(_ text: String) { lock.withLock { texts.append(text) } }
    var all: [String] { lock.withLock { texts } }
}

/// A value of a row. Numbers of every width are integers.
enum Value: ExpressibleByNilLiteral, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral
{
    case null, boolean(Bool), integer(Int128), double(Double), bytes([UInt8])

    init(nilLiteral: ()) { self = .null }
    init(integerLiteral value: Int64) { self = .integer(Int128(value)) }
    init(stringLiteral value: String) { self = .bytes(Array(value.utf8)) }
    init(floatLiteral value: Double) { self = .double(value) }
    init(booleanLiteral value: Bool) { self = .boolean(value) }
}

extension RecordBatch {
    /// Rows of a table.
    convenience init(_ table: TableDefinition, _ rows: [[Value]]) {
        self.init(schema: BatchSchema(table.columns))
        for row in rows {
            for (column, value) in zip(columns, row) { column.append(value) }
            rowCount += 1
        }
    }
}

extension ColumnVector {
    fileprivate func append(_ value: Value) {
        switch (self, value) {
        case (.boolean(let vector), .boolean(let value)): vector.append(value)
        case (.boolean(let vector), _): vector.appendNull()
        case (.int64(let vector), .integer(let value)): vector.append(Int64(value))
        case (.int64(let vector), _): vector.appendNull()
        case (.int128(let vector), .integer(let value)): vector.append(value)
        case (.int128(let vector), _): vector.appendNull()
        case (.double(let vector), .double(let value)): vector.append(value)
        case (.double(let vector), .integer(let value)): vector.append(Double(value))
        case (.double(let vector), _): vector.appendNull()
        case (.bytes(let vector), .bytes(let value)): value.withUnsafeBytes { vector.append($0) }
        case (.bytes(let vector), _): vector.appendNull()
        case (.dictionary(let codes, let dictionary), .bytes(let value)):
            codes.append(value.withUnsafeBytes { dictionary.code(for: $0) })
        case (.dictionary(let codes, _), _): codes.appendNull()
        case (.hash(let vector), _): vector.appendNull()
        }
    }
}

extension TableDefinition {
    /// A result table of the domain `shop`, whose key is the first column, or those named.
    init(_ name: String, _ columns: [ColumnSpec], key: [String]? = nil, fingerprint: String = "1") {
        self.init(
            name: name, content: .aggregation, columns: columns, key: key ?? [columns[0].name], fingerprint: fingerprint
        )
        owner = "shop"
    }

    static let counts = TableDefinition("counts", [ColumnSpec("k", .string), ColumnSpec("n", .long)])

    /// Rows `k0`, `k1` … with their number times `factor`.
    static func rows(_ range: Range<Int>, factor: Int = 1) -> RecordBatch {
        RecordBatch(counts, range.map { [Value("k\($0)"), .integer(Int128($0 * factor))] })
    }
}

extension Value {
    init(_ text: String) { self = .bytes(Array(text.utf8)) }
}
