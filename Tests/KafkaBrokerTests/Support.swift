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

/// Collects what is said to a person.
final class Heard: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// The suites run one test at a time against one server; with CI=true also without it, so that they fail.
@Suite(
    "Kafka", .serialized,
    .enabled(if: KafkaServer.problem == nil || LocalServer.isRequired, "\(KafkaServer.problem ?? "")"))
enum KafkaSuites {
    static let server = Result { try KafkaServer() }

    /// Options as a person would write them; throws when there are findings.
    static func options(_ yaml: String) throws -> OptionValues {
        var diagnostics = Diagnostics()
        let values = parse(yaml, into: &diagnostics)
        try diagnostics.throwIfErrors()
        return values
    }

    static func parse(_ yaml: String, into diagnostics: inout Diagnostics) -> OptionValues {
        let node = YAMLTree.parse(
            bytes: Array(yaml.utf8), file: "platform.yaml", layer: ConfigLayer("platform"), into: &diagnostics)
        let options = KafkaBroker.spec.parse(
            node, path: "broker.kafka", at: SourceLocation(file: "platform.yaml", line: 1, column: 1),
            into: &diagnostics)
        if !diagnostics.hasErrors { KafkaBroker().validate(options, into: &diagnostics) }
        return options
    }

    static func open(_ address: String, _ more: String = "", heard: Heard = Heard()) throws -> any Broker {
        try KafkaBroker().open(
            options("bootstrap_servers: '\(address)'\n\(more)"),
            PluginContext(projectRoot: "/nonexistent") { heard.add($0) })
    }

    static func withBroker(
        _ more: String = "", heard: Heard = Heard(), _ body: (any Broker, KafkaServer) throws -> Void
    ) throws {
        let server = try server.get()
        let broker = try open(server.address, more, heard: heard)
        defer { try? broker.close() }
        try body(broker, server)
    }

    /// A name that no other test has.
    static func topic(_ name: String = "t") -> String { "\(name).\(UUID().uuidString.prefix(8).lowercased())" }
}

/// A record as it was written or read.
struct TestRecord: Hashable {
    var key: [UInt8]?
    var value: [UInt8]?
    var timestamp: Int64 = 1_700_000_000_000
    var headers: [String] = []

    init(_ key: String?, _ value: String?, timestamp: Int64 = 1_700_000_000_000, headers: [String] = []) {
        self.key = key.map { Array($0.utf8) }
        self.value = value.map { Array($0.utf8) }
        self.timestamp = timestamp
        self.headers = headers
    }

    init(_ entry: RecordBlock.Entry, _ block: RecordBlock) {
        key = block.key(entry).map { Array($0) }
        value = block.value(entry).map { Array($0) }
        timestamp = entry.timestamp
        headers = block.headers(entry).map { "\($0.name)=\(String(decoding: $0.value, as: UTF8.self))" }
    }
}

extension RecordBlock {
    func append(_ record: TestRecord) {
        (record.key ?? []).withUnsafeBytes { key in
            (record.value ?? []).withUnsafeBytes { value in
                append(
                    key: record.key == nil ? nil : key, value: record.value == nil ? nil : value,
                    timestamp: record.timestamp,
                    headers: record.headers.map { header in
                        let parts = header.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                        return (String(parts[0]), Array(parts[1].utf8))
                    })
            }
        }
    }
}

extension Broker {
    /// A topic that keeps records whatever their timestamps are.
    func createTopic(_ name: String, partitions: Int) throws {
        try createTopic(
            name, partitions: partitions, replication: 1,
            config: ["retention.ms": "-1", "message.timestamp.type": "CreateTime"])
    }

    func write(_ records: [TestRecord], to topic: String) throws {
        let block = RecordBlock()
        for record in records { block.append(record) }
        let producer = try makeProducer()
        try producer.send(block, to: topic)
        try producer.flush()
        try producer.close()
    }

    /// Everything in the partition from `offset` on, with its offsets.
    func readToEnd(
        _ topic: String, _ partition: Int = 0, from offset: Int64 = 0, seconds: Double = 10
    ) throws -> [(offset: Int64, record: TestRecord)] {
        let reader = try makeReader(TopicPartition(topic: topic, partition: partition), at: offset)
        defer { try? reader.close() }
        var result: [(Int64, TestRecord)] = []
        let block = RecordBlock()
        let end = Date(timeIntervalSinceNow: seconds)
        while Date() < end {
            switch try reader.fetch(into: block, maxBytes: 1 << 20) {
            case .records: result += block.entries.map { ($0.offset, TestRecord($0, block)) }
            case .nothingYet: usleep(1000)
            case .endOfPartition: return result
            }
        }
        throw LocalServer.Failure("the end of \(topic), partition \(partition), did not come in \(seconds) seconds")
    }
}

/// The two blocks of a test that writes and reads.
final class RecordBlockBox {
    let written = RecordBlock()
    let read = RecordBlock()
}
