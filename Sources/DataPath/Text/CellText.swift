/// One column of a batch, seen as text: what the row writers have in common.
struct CellText {
    let type: LogicalType
    private let vector: ColumnVector

    init(_ type: LogicalType, _ vector: ColumnVector) {
        self.type = type
        self.vector = vector
    }

    func isNull(_ row: Int) -> Bool {
        switch vector {
        case .boolean(let column): column.nulls[row]
        case .int64(let column): column.nulls[row]
        case .int128(let column): column.nulls[row]
        case .double(let column): column.nulls[row]
        case .bytes(let column): column.nulls[row]
        case .dictionary(let codes, _): codes.nulls[row]
        case .hash(let column): column.nulls[row]
        }
    }

    /// Whether the cell is a number that JSON cannot hold.
    func isNotFinite(_ row: Int) -> Bool {
        if case .double(let column) = vector { !column.values[row].isFinite } else { false }
    }

    /// The bytes of a string, UUID or JSON cell; nil for cells of other types.
    func text(_ row: Int) -> UnsafeRawBufferPointer? {
        if type == .bytes { return nil }
        switch vector {
        case .bytes(let column): return column[row]
        case .dictionary(let codes, let dictionary): return dictionary[codes.values[row]]
        default: return nil
        }
    }

    /// Whether the cell stands between quotes in JSON when it is written by ``writeScalar(_:to:)``.
    var scalarIsQuoted: Bool {
        switch type {
        case .date, .timestamp, .bytes: true
        default: if case .hash = vector { true } else { false }
        }
    }

    /// Appends a cell that is not text.
    func writeScalar(_ row: Int, to out: ByteBuffer) {
        switch vector {
        case .boolean(let column): out.append(column.values[row] ? "true" : "false")
        case .int64(let column):
            switch type {
            case .date: TextFormat.writeDate(column.values[row], to: out)
            case .timestamp: TextFormat.writeTimestamp(column.values[row], to: out)
            default: TextFormat.writeInteger(column.values[row], to: out)
            }
        case .int128(let column):
            var scale = 0
            if case .decimal(_, let declared) = type { scale = declared }
            TextFormat.writeDecimal(column.values[row], scale: scale, to: out)
        case .double(let column):
            let value = column.values[row]
            if type == .float, value.isFinite, Double(Float(value)) == value {
                out.append(Float(value).description)
            } else {
                TextFormat.writeDouble(value, to: out)
            }
        case .bytes(let column): writeHex(column[row], to: out)
        case .dictionary(let codes, let dictionary): writeHex(dictionary[codes.values[row]], to: out)
        case .hash(let column):
            for word in [column.values[row].high, column.values[row].low] {
                withUnsafeBytes(of: word.bigEndian) { writeHex($0, to: out) }
            }
        }
    }

    /// Appends a cell as JSON.
    func writeJSON(_ row: Int, to out: ByteBuffer) {
        if isNull(row) || isNotFinite(row) {
            out.append("null")
        } else if let text = text(row) {
            if type == .json { out.append(text) } else { TextFormat.writeJSONString(text, to: out) }
        } else if scalarIsQuoted {
            out.append(UInt8(ascii: "\""))
            writeScalar(row, to: out)
            out.append(UInt8(ascii: "\""))
        } else {
            writeScalar(row, to: out)
        }
    }

    private func writeHex(_ bytes: UnsafeRawBufferPointer, to out: ByteBuffer) {
        out.reserve(bytes.count * 2)
        for byte in bytes {
            out.append(TextFormat.hexDigit(byte >> 4))
            out.append(TextFormat.hexDigit(byte & 15))
        }
    }
}
