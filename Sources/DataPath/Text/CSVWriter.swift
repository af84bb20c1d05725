/// Renders rows of batches as CSV (RFC 4180, but lines end in LF): header first, quotes only where needed.
///
/// A null is an empty cell; an empty string is `""`. Timestamps are ISO 8601 in UTC, bytes are lower-case hexadecimal,
/// NaN and infinities `nan`, `inf`, `-inf`. Threads: one at a time.
public struct CSVWriter {
    public let schema: BatchSchema
    private let names: [String]
    private let delimiter: UInt8

    /// `names` replaces the columns' names in the header; as many as there are columns.
    public init(schema: BatchSchema, names: [String]? = nil, delimiter: UInt8 = UInt8(ascii: ",")) {
        self.schema = schema
        self.names = names ?? schema.columns.map(\.name)
        self.delimiter = delimiter
    }

    public func writeHeader(to out: ByteBuffer) {
        for (index, name) in names.enumerated() {
            if index > 0 { out.append(delimiter) }
            var name = name
            name.withUTF8 { writeText(UnsafeRawBufferPointer($0), to: out) }
        }
        out.append(UInt8(ascii: "\n"))
    }

    /// Appends the rows `range` (default: all) of a batch of this schema.
    public func write(_ batch: RecordBatch, rows range: Range<Int>? = nil, to out: ByteBuffer) {
        let cells = batch.columns.enumerated().map { CellText(batch.schema.columns[$0.offset].type, $0.element) }
        for row in range ?? 0..<batch.rowCount {
            for (index, cell) in cells.enumerated() {
                if index > 0 { out.append(delimiter) }
                guard !cell.isNull(row) else { continue }
                if let text = cell.text(row) { writeText(text, to: out) } else { cell.writeScalar(row, to: out) }
            }
            out.append(UInt8(ascii: "\n"))
        }
    }

    private func writeText(_ text: UnsafeRawBufferPointer, to out: ByteBuffer) {
        let needsQuotes =
            text.isEmpty
            || text.contains {
                $0 == UInt8(ascii: "\"") || $0 == delimiter || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r")
            } || text[0] == UInt8(ascii: " ") || text[text.count - 1] == UInt8(ascii: " ")
        guard needsQuotes else { return out.append(text) }
        out.append(UInt8(ascii: "\""))
        for byte in text {
            if byte == UInt8(ascii: "\"") { out.append(byte) }
            out.append(byte)
        }
        out.append(UInt8(ascii: "\""))
    }
}
