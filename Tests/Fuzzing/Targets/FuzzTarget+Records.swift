import Compression
import DataPath
import Diagnostics
import Ingest
import PlatformModel
import PluginAPI
import RecordConversion

extension FuzzTarget {
    /// JSON messages, separated by zero bytes: each is a row or a fault, in order; rows that are written as messages are
    /// read back as the same rows. Messages that are lines are also read as lines of a file, twice over, so that they
    /// follow layouts of before.
    static let message = FuzzTarget("message") { input in
        let type = try eventType.get()
        let block = RecordBlock()
        for (index, part) in input.parts(8).enumerated() {
            part.withUnsafeBytes { block.append(key: nil, value: $0, timestamp: 0) }
            block.entries[index].offset = Int64(index)
        }
        let first = try read(block, type)
        let messages = input.parts(8).filter(isLine)
        let alone = try messages.map { lines(try read(RecordBlock.lines([$0]), type)) }.joined()
        let together = lines(try read(RecordBlock.lines(messages + messages), type))
        try promise(together == alone + alone, "other rows when read as lines of a file:\n\(alone)\n\(together)")
        let written = RecordBlock()
        var refused = 0
        try JSONMessageWriter(type).write(first, keyColumn: 2, timestampColumn: 1, into: written) { _, error in
            refused += 1
            _ = error.description
        }
        try promise(written.count + refused == first.rowCount, "a written row is lost")
        let second = try read(written, type)
        if refused == 0 {
            try promise(lines(second) == lines(first), "read, written and read as another row:\n\(lines(first))")
        }
    }

    private static func isLine(_ bytes: [UInt8]) -> Bool {
        !bytes.contains(10) && bytes.contains { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }
    }

    private static let eventType = Result { try FuzzDomain.eventType() }

    private static func read(_ block: RecordBlock, _ type: EventType) throws -> RecordBatch {
        let reader = try JSONMessageReader(eventType: type, columns: type.columns, hashKey: HashKey(k0: 7, k1: 11))
        let batch = RecordBatch(schema: BatchSchema(type.columns))
        var faults: [Int] = []
        try reader.read(block, entries: 0..<block.count, of: TopicPartition(topic: "t", partition: 0), into: batch) {
            faults.append($0.entry)
        }
        try promise(batch.rowCount + faults.count == block.count, "a message is neither a row nor a fault")
        try promise(zip(faults, faults.dropFirst()).allSatisfy { $0 < $1 }, "faults out of order")
        try promise(batch.columns.allSatisfy { $0.count == batch.rowCount }, "columns of different lengths")
        return batch
    }

    /// A file: each record is a row or a bad record, and how many bytes a read gives changes nothing. The first byte
    /// chooses the format.
    static let ingest = FuzzTarget("ingest") { input in
        guard let (variant, contents) = input.variant else { return }
        let type = try eventType.get()
        let bytes = Array(contents)
        var options = IngestOptions()
        options.recordByteLimit = 1024
        options.hasHeader = variant & 0x40 == 0
        if variant & 0x20 != 0 { options.columns = ["user_id", "meta.at", "total", "currency", "level", "tags"] }
        if variant & 0x10 != 0 { options.timestampFormat = "%Y-%m-%d %H:%M:%S" }
        let names = ["f.ndjson", "f.csv", "f.tsv", "f.avro", "f", "f.csv.gz"]
        let name = names[Int(variant & 0xF) % names.count]
        if name == "f.tsv", variant & 0x80 != 0 { options.delimiter = .whitespace }
        let whole = try ingested(MemoryInput(bytes), name, type, options)
        let dripped = try ingested(DrippingInput(bytes, by: 1 + Int(variant >> 4)), name, type, options)
        try promise(whole == dripped, "other records when the bytes come in other pieces:\n\(whole)\n\(dripped)")
    }

    /// Rows, bad records and errors as text.
    private static func ingested(
        _ input: any ByteInput, _ name: String, _ type: EventType, _ options: IngestOptions
    ) throws -> [String] {
        var result: [String] = []
        do {
            let reader = try IngestReader(
                source: IngestSource(input: input, name: name), eventType: type, options: options)
            let batch = RecordBatch(schema: reader.schema)
            var bad: [BadRecord] = []
            var rows = 0
            while let count = try reader.next(into: batch, maxRows: 100, bad: &bad) {
                rows += count
                try promise(batch.rowCount == count, "the batch has other rows than were counted")
                result += lines(batch).split(separator: "\n").map(String.init)
            }
            let summary = reader.summary
            try promise(summary.good == rows, "\(rows) rows, of which \(summary.good) were counted")
            try promise(summary.records == summary.good + summary.bad, "records are neither good nor bad")
            result += bad.map { "\($0.line):\($0.column) \($0.field ?? "") \($0.reason) \($0.bytes)" }
        } catch let error as BrokenPromise {
            throw error
        } catch let error as DiagnosticsError {
            result.append(DiagnosticRenderer().text(error.diagnostics))
        } catch let error as PipelineError {
            result.append(error.description)
        }
        return result
    }
}

extension RecordBlock {
    /// As a file holds them. A record's offset is the same in each block, so that made-up ids are.
    fileprivate static func lines(_ messages: [[UInt8]]) -> RecordBlock {
        let text = Array(messages.joined(separator: [10]))
        let block = RecordBlock(byteCapacity: text.count + linePadding)
        for message in messages {
            block.entries.append(
                Entry(
                    offset: 0, timestamp: 0, keyStart: 0, keyLength: -1, valueStart: block.byteCount,
                    valueLength: message.count))
            block.byteCount += message.count + 1
        }
        block.byteCount = text.count
        for (index, byte) in text.enumerated() { block.bytes[index] = byte }
        (block.bytes + text.count).initialize(repeating: 0, count: linePadding)
        block.holdsLines = true
        return block
    }
}

/// Gives a few bytes a read.
private final class DrippingInput: ByteInput {
    private var rest: ArraySlice<UInt8>
    private let step: Int

    init(_ bytes: [UInt8], by step: Int) {
        rest = bytes[...]
        self.step = step
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let piece = rest.prefix(min(step, buffer.count))
        buffer.copyBytes(from: piece)
        rest = rest.dropFirst(piece.count)
        return piece.count
    }
}
