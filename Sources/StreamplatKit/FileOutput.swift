internal import AvroSchema
internal import CNative
internal import DataPath
internal import Diagnostics
internal import Generation
internal import Glibc
internal import PlatformModel

/// Writes generated events to one file, in the order in which they are delivered. With several event types NDJSON lines
/// begin with the key `event_type`; CSV and Avro files hold one event type only.
final class FileOutput: GenerationOutput {
    private enum Format { case ndjson, csv, avro }

    private let path: String
    private let temporary: String
    private let descriptor: Int32
    private let format: Format
    private let buffer = ByteBuffer(capacity: 1 << 20)
    private let namesEventType: Bool
    private var hasHeader = false
    private var container: AvroContainerWriter?
    private var encoder: AvroEncoder?
    private let block = RecordBlock()
    private var isClosed = false
    /// Of the file, that the system has.
    private var writtenBytes: Int64 = 0

    /// The name of the file until it is whole.
    static func partName(_ path: String) -> String { "\(path).part" }

    init(path: String, domain: DomainDefinition, eventTypes: [String]?) throws {
        self.path = path
        switch path.split(separator: ".").last {
        case "ndjson", "jsonl", "json": format = .ndjson
        case "csv": format = .csv
        case "avro": format = .avro
        default:
            throw DiagnosticsError(
                Diagnostic(
                    .outputFormat, "--out \(path): the ending says no format",
                    hint: "use .ndjson, .csv or .avro"))
        }
        let written = eventTypes ?? domain.eventTypes.map(\.name)
        namesEventType = written.count > 1
        if namesEventType, format != .ndjson {
            throw DiagnosticsError(
                Diagnostic(
                    .outputFormat, "--out \(path): such a file holds one event type, the domain has \(written.count)",
                    hint: "add --event-type \(written.first ?? "NAME"), or write .ndjson"))
        }
        // Under another name until it is whole: a file of that name is always complete.
        temporary = Self.partName(path)
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure("cannot create", temporary, exitCode: 3) }
        if format == .avro, let name = written.first, let eventType = domain.eventType(name) {
            container = try AvroContainerWriter(schema: .record(eventType.schema), codec: .deflate) { [buffer] bytes in
                buffer.append(bytes)
            }
            encoder = AvroEncoder(
                plan: try EncodePlan.compile(schema: eventType.schema, columns: BatchSchema(eventType.columns)))
        }
    }

    deinit {
        if !isClosed {
            Glibc.close(descriptor)
            unlink(temporary)
        }
    }

    func write(_ batches: [GeneratedBatch], _ domain: DomainDefinition) throws {
        switch format {
        case .ndjson: writeLines(batches, domain)
        case .csv:
            for batch in batches {
                let writer = CSVWriter(schema: batch.batch.schema)
                if !hasHeader { writer.writeHeader(to: buffer) }
                hasHeader = true
                writer.write(batch.batch, to: buffer)
            }
        case .avro: for batch in batches { try writeDatums(batch, domain) }
        }
        if buffer.count > 1 << 19 { try drain() }
    }

    /// Lines of all event types by their place in the whole stream.
    private func writeLines(_ batches: [GeneratedBatch], _ domain: DomainDefinition) {
        if !namesEventType {
            for batch in batches { NDJSONWriter(schema: batch.batch.schema).write(batch.batch, to: buffer) }
            return
        }
        var order: [(sequence: Int64, batch: Int, row: Int)] = []
        for (index, batch) in batches.enumerated() {
            for row in 0..<batch.batch.rowCount { order.append((batch.sequenceNumbers[row], index, row)) }
        }
        order.sort { $0.sequence < $1.sequence }
        let writers = batches.map { NDJSONWriter(schema: $0.batch.schema) }
        let line = ByteBuffer()
        for item in order {
            line.removeAll()
            writers[item.batch].write(batches[item.batch].batch, rows: item.row..<item.row + 1, to: line)
            buffer.append("{\"event_type\":\"\(domain.eventTypes[batches[item.batch].eventType].name)\",")
            // The line's own opening brace gives way.
            buffer.append(UnsafeRawBufferPointer(rebasing: line.contents.dropFirst()))
        }
    }

    private func writeDatums(_ batch: GeneratedBatch, _ domain: DomainDefinition) throws {
        guard let container, let encoder else { return }
        block.removeAll()
        var fault: String?
        let timestamp = batch.batch.schema.index(of: "timestamp") ?? 1
        encoder.encode(batch.batch, schemaID: nil, keyColumn: nil, timestampColumn: timestamp, into: block) {
            _, error in
            fault = fault ?? "\(error)"
        }
        if let fault {
            throw PipelineError(.generatedValueRefused, "a generated event does not fit its schema: \(fault)")
        }
        try container.append(block)
    }

    func flush() throws { try drain() }

    func close(isWhole: Bool) throws {
        try container?.finish()
        try drain()
        isClosed = true
        if fsync(descriptor) != 0 || Glibc.close(descriptor) != 0 || isWhole && rename(temporary, path) != 0 {
            throw Self.failure("cannot finish", path)
        }
    }

    private func drain() throws {
        var done = 0
        while done < buffer.count {
            let count = Glibc.write(descriptor, buffer.bytes + done, buffer.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                throw Self.failure("cannot write", temporary)
            }
            done += count
        }
        // So that there is less to wait for in the end.
        cn_start_writeback(descriptor, writtenBytes, Int64(done))
        writtenBytes += Int64(done)
        buffer.removeAll()
    }

    private static func failure(_ what: String, _ path: String, exitCode: Int32 = 1) -> PipelineError {
        PipelineError(.outputFormat, "\(what) \(path): \(String(cString: strerror(errno)))", exitCode: exitCode)
    }
}
