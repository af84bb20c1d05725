internal import CSIMDJSON
internal import Compression
public import DataPath
public import Diagnostics
public import PlatformModel
internal import RecordConversion

/// Reads a file of events into columns of their event type.
///
/// Bad records do not stop it. Memory: the input buffer (as long as the longest record, at least 256 KiB) and what the
/// caller's batch holds. Threads: one at a time.
public final class IngestReader {
    /// The columns that ``next(into:maxRows:bad:)`` fills, all plain.
    public let schema: BatchSchema
    /// The format in which the source is read.
    public let format: IngestFormat
    public private(set) var summary = IngestSummary()

    private let file: String
    private let plan: ConversionPlan
    private let converter: TableConverter
    private let source: any RecordSource
    private let table: CellTable
    private let identity: RecordIdentity
    /// The table's row of each row of the batch.
    private var rows: [Int32] = []

    /// The most events that one call gives.
    public static let rowLimit = CellTable.maxRecords

    /// Opens the reader: looks at the first bytes (gzip and zlib are unpacked) and, for CSV, at the header.
    ///
    /// Throws `SP3201` for an unreadable source, `SP3209` to `SP3213` for options and headers that do not fit.
    public init(source: IngestSource, eventType: EventType, options: IngestOptions) throws(DiagnosticsError) {
        file = source.name
        identity = RecordIdentity(file: source.name)
        schema = BatchSchema(eventType.columns.map { ColumnSpec($0.name, $0.type, isNullable: $0.isNullable) })
        let plan = try ConversionPlan(eventType, mappings: options.mappings.map(\.names))
        let timestamps = try TimestampReader(format: options.timestampFormat, timezone: options.timezone)
        let opened = try Self.open(source, options)
        format = opened.format
        self.plan = plan
        converter = TableConverter(plan: plan, timestamps: timestamps)
        table = CellTable(width: plan.paths.count)
        switch opened.format {
        case .ndjson:
            guard
                let reader = NDJSONSource(
                    opened.buffer, paths: plan.paths, recordByteLimit: options.recordByteLimit)
            else { throw DiagnosticsError(Diagnostic(.inputNotReadable, "there is no memory for a JSON parser")) }
            self.source = reader
        case .csv: self.source = try Self.csv(opened.buffer, opened.delimiter, plan, options, file: source.name)
        case .avro: self.source = try Self.avro(opened.buffer, plan, options, file: source.name)
        }
    }

    /// Replaces the batch's contents with up to `maxRows` (at least 1), at most ``rowLimit`` events and returns how many;
    /// nil at the end.
    ///
    /// The batch has ``schema``. Bad records met on the way are appended to `bad`; when all are bad the result is 0.
    /// Throws ``PipelineError`` `SP3201` when the source fails or is damaged as a whole.
    public func next(into batch: RecordBatch, maxRows: Int, bad: inout [BadRecord]) throws -> Int? {
        batch.removeAll()
        rows.removeAll(keepingCapacity: true)
        let count: Int
        do {
            count = try source.read(into: table, maxRecords: min(Self.rowLimit, maxRows))
        } catch let error as InputError {
            throw PipelineError(.inputNotReadable, error.reason, component: "file \(file)")
        }
        guard count > 0 else {
            summary.ignoredColumns = source.ignoredColumns
            return nil
        }
        if let loss = source.loss {
            let lost = max(1, loss.recordCount ?? 1)
            summary.records += lost
            summary.bad += lost
            bad.append(badRecord(0))
        } else {
            take(count, into: batch, bad: &bad)
        }
        return batch.rowCount
    }

    /// The bad record of a row of the batch that ``next(into:maxRows:bad:)`` gave last, whose value was refused later on:
    /// with the place and the bytes that it was read from. It no longer counts as good.
    ///
    /// `field` is a column, or a path below one.
    public func refuse(row: Int, field: String, code: DiagnosticCode, reason: String) -> BadRecord {
        summary.good -= 1
        summary.bad += 1
        let row = Int(rows[row])
        let column = plan.columns.first { $0.name == field || field.hasPrefix($0.name + ".") }
        var offset = 0
        if let column {
            for slot in [column.slot, column.amountSlot] where slot >= 0 {
                let cell = table.values[row * table.width + slot]
                if cell.kind > CellKind.null { offset = Int(cell.offset) }
            }
        }
        return badRecord(row, offset: offset, field: field, code: code, reason: reason)
    }

    private func take(_ count: Int, into batch: RecordBatch, bad: inout [BadRecord]) {
        let start = batch.rowCount
        let good = converter.convert(
            table, count: count, into: batch.columns, from: start, identities: .init(identity))
        for row in 0..<count {
            if converter.faults[row].fault != .none {
                bad.append(badRecord(row))
            } else {
                rows.append(Int32(row))
                if converter.derivesEventID(table, row) { summary.derivedEventIDs += 1 }
            }
        }
        batch.rowCount = start + good
        summary.records += count
        summary.good += good
        summary.bad += count - good
    }

    private func badRecord(_ row: Int) -> BadRecord {
        let record = table.records[row]
        let fault = converter.faults[row]
        var offset = Int(record.error_offset)
        var field: String?
        var code = DiagnosticCode.malformedRecord
        var reason = ""
        if record.status != RecordStatus.fine.rawValue {
            let status = RecordStatus(rawValue: record.status) ?? .malformed
            if status == .tooLarge { code = .recordTooLarge }
            if status == .lost { code = .recordsLost }
            reason = source.loss?.reason ?? status.reason
        } else {
            let column = plan.columns[Int(fault.column)]
            field = column.name
            offset = Int(table.values[row * table.width + Int(fault.slot)].offset)
            if table.values[row * table.width + Int(fault.slot)].kind == CellKind.absent { offset = 0 }
            (code, reason) = column.explain(fault.fault)
        }
        return badRecord(row, offset: offset, field: field, code: code, reason: reason)
    }

    private func badRecord(
        _ row: Int, offset: Int, field: String?, code: DiagnosticCode, reason: String
    ) -> BadRecord {
        let record = table.records[row]
        let bytes = table.bytes(row)
        let place = source.hasLines ? Self.place(bytes, offset: offset) : (lines: 0, column: 1)
        let kept = UnsafeRawBufferPointer(rebasing: bytes.prefix(BadRecord.keptBytes))
        return BadRecord(
            file: file, line: table.firstLine + Int(record.line) + place.lines, column: place.column, field: field,
            code: code, reason: reason, bytes: Array(kept),
            isTruncated: record.reserved == 1 || kept.count < bytes.count)
    }

    /// Lines before `offset`, and the 1-based column in Unicode scalars.
    private static func place(_ bytes: UnsafeRawBufferPointer, offset: Int) -> (lines: Int, column: Int) {
        var lines = 0
        var column = 1
        for byte in bytes.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                lines += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return (lines, column)
    }
}
