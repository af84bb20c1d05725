internal import CSIMDJSON
internal import Glibc
internal import RecordConversion

/// Newline-delimited JSON objects.
final class NDJSONSource: RecordSource {
    private let buffer: InputBuffer
    private let reader: OpaquePointer
    private let recordByteLimit: Int
    private var line = 1
    private var record = 1
    /// The rest of a record that was too large is still to be passed over.
    private var isSkipping = false

    /// Nil when there is no memory for the parser.
    init?(_ buffer: InputBuffer, paths: [String], recordByteLimit: Int) {
        let copies = paths.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        let pointers = copies.map { UnsafePointer($0) }
        guard let reader = sp_json_reader_new(pointers, paths.count) else { return nil }
        self.reader = reader
        self.buffer = buffer
        self.recordByteLimit = recordByteLimit
    }

    deinit { sp_json_reader_free(reader) }

    var ignoredColumns: [String] {
        (0..<sp_json_reader_ignored_count(reader)).map { String(cString: sp_json_reader_ignored_name(reader, $0)) }
    }

    func read(into table: CellTable, maxRecords: Int) throws -> Int {
        while true {
            if isSkipping, try !skipLine() { return 0 }
            var consumed = 0
            var lines = 0
            let start = buffer.start
            let count = start.withMemoryRebound(to: CChar.self, capacity: buffer.count) { bytes in
                sp_json_read_lines(
                    reader, bytes, buffer.count, buffer.readableCount, buffer.isAtEnd ? 1 : 0, maxRecords,
                    table.values, table.records, &consumed, &lines)
            }
            table.base = UnsafePointer(start)
            (table.firstLine, table.firstRecord) = (line, record)
            line += lines
            buffer.consume(consumed)
            if count > 0 {
                record += count
                return count
            }
            if buffer.isAtEnd { return 0 }
            if buffer.count > recordByteLimit {
                table.base = UnsafePointer(buffer.start)
                table.firstLine = line
                table.records[0] = sp_json_record(
                    start: 0, length: min(buffer.count, BadRecord.keptBytes), line: 0,
                    status: RecordStatus.tooLarge.rawValue,
                    error_offset: 0, reserved: 1)
                record += 1
                isSkipping = true
                return 1
            }
            try buffer.fill()
        }
    }

    /// Passes over everything up to and with the next line end; false when the input ends first.
    private func skipLine() throws -> Bool {
        while true {
            if let end = memchr(buffer.start, 10, buffer.count) {
                buffer.consume(UnsafeRawPointer(buffer.start).distance(to: UnsafeRawPointer(end)) + 1)
                line += 1
                isSkipping = false
                return true
            }
            buffer.consume(buffer.count)
            if buffer.isAtEnd { return false }
            try buffer.fill()
        }
    }
}
