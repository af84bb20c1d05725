/// A column of a batch, ready to be written as JSON.
///
/// Valid as long as the batch is neither changed nor freed. Threads: one at a time.
struct JSONColumn {
    private enum Form: UInt8 {
        case boolean, integer, timestamp, double, text, json, other
    }

    private let form: Form
    private let column: PlainColumn
    /// For the form `other`.
    private let cell: Unmanaged<Rare>?
    private var timestamps = TimestampRun(style: .iso8601)

    /// A column of a form that is rare, behind a reference.
    final class Rare {
        let text: CellText

        /// Nil where the column needs none.
        init?(_ type: LogicalType, _ vector: ColumnVector) {
            switch (vector, type) {
            case (.int128, _), (.hash, _), (.int64, .date), (.double, .float), (.bytes, .bytes), (.dictionary, .bytes),
                (.dictionary, .json):
                text = CellText(type, vector)
            default: return nil
            }
        }
    }

    /// - Parameter rare: Of the same column, if it needs it; the caller keeps it.
    init(_ type: LogicalType, _ vector: ColumnVector, _ rare: Rare?) {
        form =
            switch vector {
            case .boolean: .boolean
            case .int64: type == .timestamp ? .timestamp : type == .date ? .other : .integer
            case .double: type == .float ? .other : .double
            case .bytes: type == .bytes ? .other : type == .json ? .json : .text
            case .dictionary: type == .bytes || type == .json ? .other : .text
            case .int128, .hash: .other
            }
        cell = rare.map { .passUnretained($0) }
        column = PlainColumn(vector)
    }

    func isNull(_ row: Int) -> Bool { column.isNull(row) }

    /// Appends the cell of a row. What `out` holds since the first call must still be there.
    @inline(__always)
    mutating func write(_ row: Int, to out: ByteBuffer) {
        guard !column.isNull(row) else { return out.append("null") }
        switch form {
        case .boolean: out.append(column.value(row, as: Bool.self) ? "true" : "false")
        case .integer: TextFormat.writeInteger(column.value(row, as: Int64.self), to: out)
        case .timestamp:
            out.append(UInt8(ascii: "\""))
            timestamps.write(column.value(row, as: Int64.self), to: out)
            out.append(UInt8(ascii: "\""))
        case .double:
            let value = column.value(row, as: Double.self)
            if value.isFinite { TextFormat.writeDouble(value, to: out) } else { out.append("null") }
        case .text: TextFormat.writeJSONString(column.text(row), to: out)
        case .json: out.append(column.text(row))
        case .other: cell?._withUnsafeGuaranteedRef { $0.text.writeJSON(row, to: out) }
        }
    }
}
