internal import DataPath
internal import Foundation
internal import Diagnostics
public import Ingest
public import PlatformModel
public import PluginAPI

/// Reads a file into an event type's topic; bad records become dead letters. Threads: one.
public struct IngestJob {
    private let eventType: EventType
    private var options: IngestOptions
    private let broker: any Broker
    private let schemas: any SchemaRegistry
    private let topicPrefix: String

    public init(
        eventType: EventType, options: IngestOptions, broker: any Broker, schemas: any SchemaRegistry,
        topicPrefix: String
    ) {
        self.eventType = eventType
        self.options = options
        // What the domain file says about names in payloads; a mapping on the command line says otherwise.
        for field in eventType.fields {
            guard let source = field.sourceName, !options.mappings.contains(where: { $0.field == field.name }) else {
                continue
            }
            self.options.mappings.append(.init(column: source, field: field.name))
        }
        self.broker = broker
        self.schemas = schemas
        self.topicPrefix = topicPrefix
    }

    public struct Result: Sendable {
        public var summary: IngestSummary
        /// The first bad records, for showing.
        public var firstBad: [BadRecord]
    }

    private static let shownBadRecords = 10

    public func run(_ source: IngestSource, progress: (_ records: Int) -> Void) throws -> Result {
        let reader = try IngestReader(source: source, eventType: eventType, options: options)
        let publisher = try EventPublisher([eventType], broker: broker, schemas: schemas, topicPrefix: topicPrefix)
        let batch = RecordBatch(schema: reader.schema)
        var bad: [BadRecord] = []
        var first: [BadRecord] = []
        var refused = 0
        do {
            while try reader.next(into: batch, maxRows: 4096, bad: &bad) != nil {
                var faults: [(row: Int, reason: String)] = []
                try publisher.publish(batch, of: eventType.name) { faults.append(($0, $1)) }
                for fault in faults {
                    bad.append(
                        BadRecord(
                            file: source.name, line: 0, column: 0, field: nil, code: .encodingRefused,
                            reason: fault.reason,
                            bytes: text(of: batch, row: fault.row), isTruncated: false))
                }
                refused += faults.count
                for record in bad { try publisher.reject(letter(record)) }
                first += bad.prefix(Self.shownBadRecords - first.count)
                bad.removeAll()
                progress(reader.summary.records)
            }
        } catch {
            // The file failed: what was read of it, bad records too, is in its topics all the same.
            for record in bad { try publisher.reject(letter(record)) }
            try publisher.close()
            throw error
        }
        try publisher.close()
        var summary = reader.summary
        summary.good -= refused
        summary.bad += refused
        return Result(summary: summary, firstBad: first)
    }

    private func letter(_ record: BadRecord) -> DeadLetter {
        DeadLetter(
            key: nil, value: record.bytes, origin: .file(record.file, line: record.line, column: record.column),
            stage: .ingest, code: record.code.id, message: record.reason, field: record.field,
            timeMilliseconds: Int64(Date().timeIntervalSince1970 * 1000),
            configPlace: "\(eventType.location.file):\(eventType.location.line):\(eventType.location.column)",
            isTruncated: record.isTruncated)
    }

    /// A row that was read but cannot be encoded, as JSON: its own line is no longer at hand.
    private func text(of batch: RecordBatch, row: Int) -> [UInt8] {
        let buffer = ByteBuffer()
        NDJSONWriter(schema: batch.schema).write(batch, rows: row..<row + 1, to: buffer)
        return Array(buffer.contents)
    }
}
