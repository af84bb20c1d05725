internal import CSIMDJSON
internal import Glibc
internal import RecordConversion

/// Delimited text: RFC 4180 with any one-byte delimiter and LF or CRLF, or columns parted by blanks.
///
/// Blank lines are passed over. A record with broken quotes costs one line: reading goes on at the next.
final class CSVSource: RecordSource {
    private let buffer: InputBuffer
    private let delimiter: IngestOptions.Delimiter
    private let recordByteLimit: Int
    private(set) var names: [String] = []
    private(set) var ignoredColumns: [String] = []
    /// For each column, the cell that it fills; -1 for none.
    private var slots: [Int] = []
    private var width = 0
    private var line = 1
    private var record = 1
    private var isSkipping = false
    private var cells: [Span] = []
    /// Cells with doubled quotes, without them; parts stay put until the next read.
    private var unescaped: [UnsafeMutablePointer<UInt8>] = []

    /// A cell of the record that was scanned last.
    private struct Span {
        var start: Int
        var length: Int
        var isQuoted: Bool
        var hasDoubledQuotes: Bool
    }

    private enum Scan {
        /// Bytes of the record without its line end, bytes to consume, lines passed.
        case record(length: Int, next: Int, lines: Int)
        case broken(RecordStatus, at: Int)
        case needsMore
    }

    init(_ buffer: InputBuffer, delimiter: IngestOptions.Delimiter, recordByteLimit: Int) {
        self.buffer = buffer
        self.delimiter = delimiter
        self.recordByteLimit = recordByteLimit
    }

    deinit { dropUnescaped() }

    /// The cells of the first record that is not blank; nil for an empty input. Without `consuming` it is read again later.
    func readHeader(consuming: Bool) throws -> [String]? {
        while true {
            switch try nextScan() {
            case nil: return nil
            case .broken?: return []
            case .needsMore?: return []
            case .record(_, let next, let lines)?:
                let header = cells.map { String(decoding: text(of: $0), as: UTF8.self) }
                if consuming {
                    buffer.consume(next)
                    line += lines
                }
                dropUnescaped()
                return header
            }
        }
    }

    /// `names` are the file's columns in order; `paths` the wanted ones, in the order of the table's cells.
    func bind(names: [String], paths: [String]) {
        self.names = names
        width = paths.count
        slots = names.map { name in paths.firstIndex(of: name) ?? -1 }
        ignoredColumns = names.enumerated().filter { slots[$0.offset] < 0 }.map(\.element)
    }

    func read(into table: CellTable, maxRecords: Int) throws -> Int {
        dropUnescaped()
        if isSkipping, try !skipLine() { return 0 }
        var made = 0
        // Once a record is in the table the buffer must not move, so the table ends where more bytes are needed.
        guard var scan = try nextScan() else { return 0 }
        table.base = UnsafePointer(buffer.start)
        (table.firstLine, table.firstRecord) = (line, record)
        var lines = 0
        while true {
            let start = UnsafePointer(table.base).distance(to: UnsafePointer(buffer.start))
            switch scan {
            case .needsMore:
                // Only a record above the limit gets here: nextScan fills otherwise.
                table.records[made] = failure(
                    .tooLarge, start: start, length: min(buffer.count, BadRecord.keptBytes), line: lines, at: 0)
                table.records[made].reserved = 1
                isSkipping = true
                record += made + 1
                line += lines
                return made + 1
            case .broken(let status, let at):
                let end = lineEnd()
                table.records[made] = failure(status, start: start, length: end.length, line: lines, at: at)
                buffer.consume(end.next)
                lines += 1
                made += 1
            case .record(let length, let next, let passed):
                fill(table, row: made, start: start, length: length, line: lines)
                buffer.consume(next)
                lines += passed
                made += 1
            }
            if made == maxRecords { break }
            passBlankLines(&lines)
            if buffer.count == 0 { break }
            let following = self.scan()
            if case .needsMore = following { break }
            scan = following
        }
        record += made
        line += lines
        return made
    }

    private func failure(
        _ status: RecordStatus, start: Int, length: Int, line: Int, at: Int
    ) -> sp_json_record {
        sp_json_record(
            start: start, length: length, line: UInt32(truncatingIfNeeded: line), status: status.rawValue,
            error_offset: UInt32(truncatingIfNeeded: at), reserved: 0)
    }

    private func fill(_ table: CellTable, row: Int, start: Int, length: Int, line: Int) {
        table.records[row] = failure(.fine, start: start, length: length, line: line, at: 0)
        let values = table.values + row * table.width
        for slot in 0..<width { values[slot].kind = CellKind.absent }
        if cells.count != names.count {
            table.records[row].status =
                (cells.count < names.count ? RecordStatus.tooFewCells : .tooManyCells).rawValue
            let place = cells.count < names.count ? length : cells[names.count].start
            table.records[row].error_offset = UInt32(truncatingIfNeeded: place)
            return
        }
        let bytes = UnsafePointer(buffer.start).withMemoryRebound(to: CChar.self, capacity: length) { $0 }
        if sp_utf8_valid(bytes, length) == 0 {
            table.records[row].status = RecordStatus.notUTF8.rawValue
            return
        }
        for (index, cell) in cells.enumerated() where slots[index] >= 0 {
            let text = text(of: cell)
            var value = sp_json_value()
            value.kind = cell.isQuoted ? CellKind.string : CellKind.cell
            value.text = text.baseAddress?.assumingMemoryBound(to: CChar.self)
            value.length = UInt32(truncatingIfNeeded: text.count)
            value.offset = UInt32(truncatingIfNeeded: cell.start)
            values[slots[index]] = value
        }
    }

    private func text(of cell: Span) -> UnsafeRawBufferPointer {
        let raw = UnsafeRawBufferPointer(start: buffer.start + cell.start, count: cell.length)
        guard cell.hasDoubledQuotes else { return raw }
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: cell.length)
        unescaped.append(copy)
        var count = 0
        var index = 0
        while index < raw.count {
            copy[count] = raw[index]
            count += 1
            index += raw[index] == UInt8(ascii: "\"") ? 2 : 1
        }
        return UnsafeRawBufferPointer(start: copy, count: count)
    }

    private func dropUnescaped() {
        for copy in unescaped { copy.deallocate() }
        unescaped.removeAll(keepingCapacity: true)
    }

    /// Scans the next record, reading as much as it needs; nil at the end.
    private func nextScan() throws -> Scan? {
        while true {
            passBlankLines(&line)
            if buffer.count > 0 {
                let scan = scan()
                guard case .needsMore = scan, buffer.count <= recordByteLimit else { return scan }
            } else if buffer.isAtEnd {
                return nil
            }
            try buffer.fill()
        }
    }

    private func passBlankLines(_ lines: inout Int) {
        var index = 0
        while index < buffer.count {
            var probe = index
            while probe < buffer.count,
                buffer.start[probe] == UInt8(ascii: "\r")
                    || delimiter == .whitespace && buffer.start[probe] == UInt8(ascii: " ")
            { probe += 1 }
            if probe < buffer.count, buffer.start[probe] == UInt8(ascii: "\n") {
                index = probe + 1
                lines += 1
            } else if probe == buffer.count, buffer.isAtEnd {
                index = probe
            } else {
                break
            }
        }
        buffer.consume(index)
    }

    private func lineEnd() -> (length: Int, next: Int) {
        guard let end = memchr(buffer.start, 10, buffer.count) else { return (buffer.count, buffer.count) }
        let length = UnsafeRawPointer(buffer.start).distance(to: UnsafeRawPointer(end))
        let isCRLF = length > 0 && buffer.start[length - 1] == UInt8(ascii: "\r")
        return (isCRLF ? length - 1 : length, length + 1)
    }

    private func skipLine() throws -> Bool {
        while true {
            let end = lineEnd()
            let isWhole = end.next > 0 && buffer.start[end.next - 1] == UInt8(ascii: "\n")
            buffer.consume(end.next)
            if isWhole {
                line += 1
                isSkipping = false
                return true
            }
            if buffer.isAtEnd { return false }
            try buffer.fill()
        }
    }

    private func scan() -> Scan {
        cells.removeAll(keepingCapacity: true)
        switch delimiter {
        case .whitespace: return scanBlanks()
        case .character(let byte): return scanDelimited(byte)
        }
    }

    private func scanBlanks() -> Scan {
        let end = lineEnd()
        if end.next == end.length, !buffer.isAtEnd { return .needsMore }
        let bytes = buffer.start
        var index = 0
        while index < end.length {
            if bytes[index] == UInt8(ascii: " ") || bytes[index] == UInt8(ascii: "\t") {
                index += 1
                continue
            }
            let start = index
            while index < end.length, bytes[index] != UInt8(ascii: " "), bytes[index] != UInt8(ascii: "\t") {
                index += 1
            }
            cells.append(Span(start: start, length: index - start, isQuoted: false, hasDoubledQuotes: false))
        }
        return .record(length: end.length, next: end.next, lines: 1)
    }

    private func scanDelimited(_ delimiter: UInt8) -> Scan {
        let bytes = buffer.start
        let count = buffer.count
        let newline = UInt8(ascii: "\n")
        let quote = UInt8(ascii: "\"")
        var index = 0
        var lines = 1
        while true {
            var span = Span(start: index, length: 0, isQuoted: false, hasDoubledQuotes: false)
            if index < count, bytes[index] == quote {
                let opened = index
                span.isQuoted = true
                index += 1
                span.start = index
                while true {
                    guard index < count else {
                        return buffer.isAtEnd ? .broken(.quoteNotClosed, at: opened) : .needsMore
                    }
                    if bytes[index] == newline { lines += 1 }
                    if bytes[index] == quote {
                        if index + 1 == count, !buffer.isAtEnd { return .needsMore }
                        if index + 1 < count, bytes[index + 1] == quote {
                            span.hasDoubledQuotes = true
                            index += 1
                        } else {
                            break
                        }
                    }
                    index += 1
                }
                span.length = index - span.start
                index += 1
            } else {
                while index < count, bytes[index] != delimiter, bytes[index] != newline { index += 1 }
                span.length = index - span.start
            }
            if index == count, !buffer.isAtEnd { return .needsMore }
            if index < count, bytes[index] == delimiter {
                cells.append(span)
                index += 1
                continue
            }
            // The record's end: LF, CRLF or the end of the input.
            var length = index
            if span.isQuoted, index < count, bytes[index] == UInt8(ascii: "\r") {
                if index + 1 == count, !buffer.isAtEnd { return .needsMore }
                if index + 1 == count || bytes[index + 1] == newline { index += 1 }
            } else if !span.isQuoted, span.length > 0, bytes[index - 1] == UInt8(ascii: "\r") {
                span.length -= 1
                length -= 1
            }
            guard index == count || bytes[index] == newline else {
                // The line's end must be in sight, since the line is what the fault costs.
                let isWhole = buffer.isAtEnd || memchr(bytes, 10, count) != nil
                return isWhole ? .broken(.textAfterQuote, at: index) : .needsMore
            }
            cells.append(span)
            return .record(length: length, next: min(index + 1, count), lines: lines)
        }
    }
}
