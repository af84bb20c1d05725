internal import CSIMDJSON
public import DataPath
public import Diagnostics
internal import Glibc
public import PlatformModel
public import PluginAPI

/// Reads JSON messages of an event type into columns.
///
/// Only the wanted columns are looked at: what else a message holds may be anything that is well-formed. Columns get the
/// encoding that they ask for, with the same codes and hashes that ``AvroDecoder`` gives the same values.
/// Threads: one at a time. Memory: one copy of the messages that are read at once.
public final class JSONMessageReader {
    /// A message that is no event of the type.
    public struct Fault: Hashable, Sendable {
        /// Its index in the block's entries.
        public var entry: Int
        public var code: DiagnosticCode
        /// Holds no values of the message.
        public var reason: String
        public var field: String?
    }

    private let parser: OpaquePointer
    private let converter: TableConverter
    private let table: CellTable
    private let text = ByteBuffer()
    private let offsets: UnsafeMutablePointer<Int64>
    private var identities: [TopicPartition: RecordIdentity] = [:]
    private var fileIdentities: [String: RecordIdentity] = [:]

    /// `columns` are some of the event type's. Throws when the event type's names or time format are not usable.
    public init(eventType: EventType, columns: [ColumnSpec], hashKey: HashKey) throws(DiagnosticsError) {
        let plain = columns.map { ColumnSpec($0.name, $0.type, isNullable: $0.isNullable) }
        let plan = try ConversionPlan(
            eventType, wanted: plain, mappings: eventType.messageNames.map { .init(column: $0.path, field: $0.column) })
        let copies = plan.paths.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        guard let parser = sp_json_reader_new(copies.map { UnsafePointer($0) }, copies.count) else {
            throw DiagnosticsError(
                Diagnostic(.inputNotReadable, "there is no memory for a JSON parser"), exitCode: 1)
        }
        self.parser = parser
        offsets = .allocate(capacity: CellTable.maxRecords)
        table = CellTable(width: plan.paths.count)
        converter = TableConverter(
            plan: plan, timestamps: try TimestampReader(format: nil, timezone: "UTC"),
            eventTimes: try TimestampReader(format: eventType.eventTime?.format, timezone: "UTC"), hashKey: hashKey)
    }

    deinit {
        sp_json_reader_free(parser)
        offsets.deallocate()
    }

    /// Appends the messages `entries` of a block of the partition as rows, in order.
    ///
    /// `batch` must have the reader's columns; a dictionary column keeps the dictionary that it has. A bad message leaves
    /// no row and is reported, in order. An event without an id gets one that follows from its topic, partition and offset;
    /// one of a file gets the id that ``IngestReader`` gives it. Throws what ``RecordNumbering`` throws.
    public func read(
        _ block: RecordBlock, entries: Range<Int>, of partition: TopicPartition, into batch: RecordBatch,
        onFault: (Fault) -> Void
    ) throws {
        try block.entries.withUnsafeBufferPointer { list in
            try read(block, UnsafeBufferPointer(rebasing: list[entries]), entries, partition, batch, onFault)
        }
    }

    /// `list` are the block's entries `entries`.
    private func read(
        _ block: RecordBlock, _ list: UnsafeBufferPointer<RecordBlock.Entry>, _ entries: Range<Int>,
        _ partition: TopicPartition, _ batch: RecordBatch, _ onFault: (Fault) -> Void
    ) throws {
        let identity = identity(of: partition)
        if block.holdsLines { return try readLines(block, list, entries, identity, batch, onFault) }
        gather(block, list)
        let length = text.count
        // One line per message, so the line's number is the message's.
        var (position, line, next) = (0, 0, 0)
        while position < length {
            var (consumed, lines) = (0, 0)
            let start = text.bytes + position
            let count = start.withMemoryRebound(to: CChar.self, capacity: length - position) {
                sp_json_read_lines(
                    parser, $0, length - position, text.capacity - position, 1, CellTable.maxRecords, table.values,
                    table.records, &consumed, &lines)
            }
            table.base = UnsafePointer(start)
            for row in 0..<count { offsets[row] = list[line + Int(table.records[row].line)].offset }
            append(count, to: batch, .init(identity, numbers: offsets))
            for row in 0..<count {
                let own = line + Int(table.records[row].line)
                for empty in next..<own { onFault(Self.emptyFault(entries.lowerBound + empty)) }
                next = own + 1
                if converter.faults[row].fault != .none { onFault(fault(row, entry: entries.lowerBound + own)) }
            }
            position += consumed
            line += lines
        }
        for empty in next..<entries.count { onFault(Self.emptyFault(entries.lowerBound + empty)) }
    }

    /// Reads lines where they lie. Both sides pass over the same blank ones, so the records are the entries.
    private func readLines(
        _ block: RecordBlock, _ list: UnsafeBufferPointer<RecordBlock.Entry>, _ entries: Range<Int>,
        _ identity: RecordIdentity, _ batch: RecordBatch, _ onFault: (Fault) -> Void
    ) throws {
        guard let first = list.first, let last = list.last else { return }
        let end = last.valueStart + last.valueLength
        var (position, entry) = (first.valueStart, 0)
        let wantsIDs = converter.plan.eventIDColumn != nil
        // The number in the file of the first of the records, once it is needed.
        var number: Int?
        while entry < list.count, position < end {
            var (consumed, lines) = (0, 0)
            let start = block.bytes + position
            let count = start.withMemoryRebound(to: CChar.self, capacity: end - position) {
                sp_json_read_lines(
                    parser, $0, end - position, end - position + RecordBlock.linePadding, 1,
                    min(CellTable.maxRecords, list.count - entry), table.values, table.records, &consumed, &lines)
            }
            table.base = UnsafePointer(start)
            if wantsIDs, let numbering = block.numbering, (0..<count).contains(where: makesID) {
                let known = try number ?? numbering.number(ofRecordAt: first.offset)
                (number, table.firstRecord) = (known, known + entry)
                append(count, to: batch, .init(self.identity(of: numbering)))
            } else {
                for row in 0..<count { offsets[row] = list[entry + row].offset }
                append(count, to: batch, .init(identity, numbers: offsets))
            }
            for row in 0..<count where converter.faults[row].fault != .none {
                onFault(fault(row, entry: entries.lowerBound + entry + row))
            }
            position += consumed
            entry += count
        }
        for empty in entry..<list.count { onFault(Self.emptyFault(entries.lowerBound + empty)) }
    }

    /// Copies the messages, each as one line: a line end inside one can only stand between its tokens, where a blank
    /// means the same.
    private func gather(_ block: RecordBlock, _ entries: UnsafeBufferPointer<RecordBlock.Entry>) {
        var bytes = entries.count
        for entry in entries { bytes += max(entry.valueLength, 0) }
        text.removeAll()
        text.reserve(bytes + Int(SP_JSON_PADDING))
        var end = text.bytes
        for entry in entries {
            if entry.valueLength > 0 {
                memcpy(end, block.bytes + entry.valueStart, entry.valueLength)
                let limit = end + entry.valueLength
                while let found = memchr(end, 10, limit - end) {
                    end = found.assumingMemoryBound(to: UInt8.self)
                    // Between tokens a blank too; inside a string as forbidden as the line end was.
                    end[0] = UInt8(ascii: "\t")
                }
                end = limit
            }
            end[0] = UInt8(ascii: "\n")
            end += 1
        }
        text.count = end - text.bytes
        memset(end, 0, Int(SP_JSON_PADDING))
    }

    private func identity(of partition: TopicPartition) -> RecordIdentity {
        if let known = identities[partition] { return known }
        let made = RecordIdentity(file: "\(partition.topic)/\(partition.partition)")
        identities[partition] = made
        return made
    }

    /// Whether the record is one that gets an id.
    private func makesID(_ row: Int) -> Bool {
        table.records[row].status == RecordStatus.fine.rawValue && converter.derivesEventID(table, row)
    }

    private func identity(of file: any RecordNumbering) -> RecordIdentity {
        if let known = fileIdentities[file.fileName] { return known }
        let made = RecordIdentity(file: file.fileName)
        fileIdentities[file.fileName] = made
        return made
    }

    private func append(_ count: Int, to batch: RecordBatch, _ identities: TableConverter.Identities) {
        batch.rowCount += converter.convert(
            table, count: count, into: batch.columns, from: batch.rowCount, identities: identities)
    }

    private static func emptyFault(_ entry: Int) -> Fault {
        Fault(entry: entry, code: .emptyMessage, reason: "the message is empty")
    }

    private func fault(_ row: Int, entry: Int) -> Fault {
        if let status = RecordStatus(rawValue: table.records[row].status), status != .fine {
            return Fault(entry: entry, code: .malformedRecord, reason: status.messageReason)
        }
        let fault = converter.faults[row]
        let column = converter.plan.columns[Int(fault.column)]
        let (code, reason) = column.explain(fault.fault)
        return Fault(entry: entry, code: code, reason: reason, field: column.name)
    }
}

extension RecordStatus {
    fileprivate var messageReason: String {
        self == .trailing ? "something follows the JSON object in the message" : reason
    }
}
