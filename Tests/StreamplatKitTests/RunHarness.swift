import DataPath
import Diagnostics
import Foundation
import Generation
import Ingest
import PlatformModel
import PluginAPI
import ProjectConfig
import Provisioning
import SQLiteClient
import StreamRuntime
import StreamplatKit
import Testing

/// A project of one test's own, on the embedded log and SQLite, driven without the command line.
final class RunHarness {
    let folder: URL

    init(domain: String) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("streamplat-run-\(UUID().uuidString)")
        for part in ["config", "environments"] {
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent("domains"), withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                at: URL(filePath: packageRoot).appendingPathComponent(part), to: folder.appendingPathComponent(part))
        }
        try "kafka: { topics: { partitions: 1 } }\n".write(
            to: folder.appendingPathComponent("environments/local.yaml"), atomically: true, encoding: .utf8)
        try write(domain)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    var domainPath: String { folder.appendingPathComponent("domains/shop.yaml").path }

    func write(_ domain: String) throws { try domain.write(toFile: domainPath, atomically: true, encoding: .utf8) }

    /// The project's broker, registry and sinks; close it.
    func open() throws -> LiveSystem {
        var sources = SourceTexts()
        let project = try Project.load(
            .init(domain: domainPath, environment: "local"), plugins: .builtin, sources: &sources)
        return try LiveSystem(project, domain: try #require(project.domain), access: .change, notify: { _ in })
    }

    /// Applies the domain, whatever that changes.
    func apply() throws {
        let system = try open()
        let plan = try system.plan()
        if !plan.isEmpty { try system.apply(plan, progress: { _ in }) }
        try system.close()
    }

    /// Ingests lines of JSON.
    @discardableResult
    func ingest(_ lines: [String], as eventType: String) throws -> IngestJob.Result {
        let system = try open()
        let job = IngestJob(
            eventType: try #require(system.domain.eventType(eventType)), options: IngestOptions(),
            broker: system.broker, schemas: system.schemas, topicPrefix: system.project.platform.topicPrefix)
        let path = folder.appendingPathComponent("in.ndjson").path
        try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        let result = try job.run(IngestSource(path: path)) { _ in }
        try system.close()
        return result
    }

    /// Generates events into the topics, over six hours of a fixed day.
    func generate(events: Int) throws {
        let system = try open()
        let options = GenerationOptions(
            events: events, seed: 42, startMilliseconds: 1_714_953_600_000, spanMilliseconds: 6 * 3_600_000,
            nowMilliseconds: 1_714_953_600_000)
        let target = GenerationTarget.broker(
            system.broker, schemas: system.schemas, topicPrefix: system.project.platform.topicPrefix)
        _ = try GenerationJob(domain: system.domain, options: options, target: target).run(
            progress: { _ in }, shouldStop: { false })
        try system.close()
    }

    /// Sends a message as it is.
    func send(_ value: [UInt8], to topic: String) throws { try send([value], to: topic) }

    /// Sends messages as they are.
    func send(_ values: [[UInt8]], to topic: String) throws {
        let system = try open()
        let producer = try system.broker.makeProducer()
        let block = RecordBlock()
        for value in values { value.withUnsafeBytes { block.append(key: nil, value: $0, timestamp: 0) } }
        try producer.send(block, to: topic)
        try producer.close()
        try system.close()
    }

    /// Runs until everything is read.
    @discardableResult
    func run(_ change: (inout RunOptions) -> Void = { _ in }) throws -> RunSummary {
        let system = try open()
        var options = RunOptions(untilIdle: true)
        change(&options)
        let summary = try system.makePipeline(options).run()
        try system.close()
        return summary
    }

    /// All dead letters, in their order.
    func letters() throws -> [DeadLetter] {
        let system = try open()
        defer { try? system.close() }
        let partition = TopicPartition(topic: "events.dlq", partition: 0)
        let reader = try system.broker.makeReader(partition, at: 0)
        let block = RecordBlock()
        var letters: [DeadLetter] = []
        while case .records = try reader.fetch(into: block, maxBytes: 1 << 20) {
            letters += block.entries.compactMap { DeadLetter.decode($0, in: block) }
        }
        return letters
    }

    /// Sends the originals of dead letters again; gives what was planned and how many were sent.
    @discardableResult
    func replay(_ filter: String? = nil, again: Bool = false) throws -> (plan: LetterReplay.Plan, sent: Int) {
        let system = try open()
        let replay = try LetterReplay(system, filter: filter.map { try LetterFilter($0) }, isAgain: again)
        let plan = try replay.plan()
        let sent = try replay.run(plan)
        try system.close()
        return (plan, sent)
    }

    /// The dead letters as `dlq` shows them.
    func storedLetters(_ filter: String? = nil) throws -> [StoredLetter] {
        let system = try open()
        defer { try? system.close() }
        let filter = try filter.map { try LetterFilter($0) }
        var found: [StoredLetter] = []
        try LetterReader(system.domain, broker: system.broker, topicPrefix: "events").read {
            found += try filter?.select($0) ?? $0
            return true
        }
        return found
    }

    /// Registers a schema; gives its id.
    func register(_ schema: String, subject: String) throws -> Int32 {
        let system = try open()
        defer { try? system.close() }
        return try system.schemas.register(subject: subject, schema: schema)
    }

    /// The values of a topic's records.
    func values(_ topic: String) throws -> [[UInt8]] {
        let system = try open()
        defer { try? system.close() }
        let reader = try system.broker.makeReader(TopicPartition(topic: topic, partition: 0), at: 0)
        let block = RecordBlock()
        var values: [[UInt8]] = []
        while case .records = try reader.fetch(into: block, maxBytes: 1 << 20) {
            values += block.entries.map { block.value($0).map(Array.init) ?? [] }
        }
        return values
    }

    /// The schema that is registered for a subject.
    func schema(of subject: String) throws -> String? {
        let system = try open()
        defer { try? system.close() }
        return try system.schemas.latest(subject: subject)?.schema
    }

    /// Every row of every result table, sorted, each behind the name of its table.
    func tables() throws -> [String] {
        let names = try rows("select name from sqlite_master where type = 'table' and name not like '%streamplat%'")
        return try names.flatMap { name in try rows("select * from \"\(name)\"").map { "\(name) \($0)" } }.sorted()
    }

    /// The rows of a query, values joined by `|`.
    func rows(_ query: String) throws -> [String] {
        let connection = try SQLiteConnection(
            path: folder.appendingPathComponent(".streamplat/results.db").path, mode: .readOnly)
        let statement = try connection.prepare(query)
        var rows: [String] = []
        while try statement.step() {
            let values = (0..<statement.columnCount).map { index in
                switch statement.value(index) {
                case .null: "null"
                case .integer(let value): "\(value)"
                case .double(let value): "\(value)"
                case .text(let text): text
                case .blob(let bytes): "\(bytes)"
                }
            }
            rows.append(values.joined(separator: "|"))
        }
        return rows
    }
}
