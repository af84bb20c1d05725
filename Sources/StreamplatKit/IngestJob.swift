internal import DataPath
internal import Foundation
internal import Diagnostics
internal import Logging
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
        for name in eventType.sourceNames where !options.mappings.contains(where: { $0.field == name.column }) {
            self.options.mappings.append(.init(column: name.path, field: name.column))
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
        do {
            while try reader.next(into: batch, maxRows: IngestReader.rowLimit, bad: &bad) != nil {
                try publisher.add(batch, of: eventType.name) { row, error in
                    bad.append(
                        reader.refuse(
                            row: row, field: error.field, code: .encodingRefused, reason: error.description))
                }
                for record in bad { try publisher.reject(letter(record)) }
                first += bad.prefix(Self.shownBadRecords - first.count)
                bad.removeAll()
                progress(reader.summary.records)
            }
        } catch {
            // The file failed: what was read of it, bad records too, is in its topics all the same. If these cannot be
            // written either, both are said: the file's error is the first cause.
            do {
                for record in bad { try publisher.reject(letter(record)) }
                try publisher.close()
            } catch let second {
                Logger(label: "ingest").error("what was read before the file's error could not be sent: \(second)")
            }
            throw error
        }
        try publisher.close()
        return Result(summary: reader.summary, firstBad: first)
    }

    private func letter(_ record: BadRecord) -> DeadLetter {
        DeadLetter(
            key: nil, value: record.bytes, origin: .file(record.file, line: record.line, column: record.column),
            stage: .ingest, code: record.code.id, message: record.reason, field: record.field,
            timeMilliseconds: Int64(Date().timeIntervalSince1970 * 1000),
            configPlace: "\(eventType.location.file):\(eventType.location.line):\(eventType.location.column)",
            isTruncated: record.isTruncated)
    }
}
