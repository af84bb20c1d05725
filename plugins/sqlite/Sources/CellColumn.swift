internal import DataPath

/// One column of a batch, ready to become cells of SQLite. Valid as long as its batch.
struct CellColumn: BitwiseCopyable {
    private enum Kind: UInt8 {
        case boolean, integer, timestamp, date, decimal, double, text, blob, nothing
    }

    private let kind: Kind
    /// Of decimals.
    private let scale: Int32
    private let column: PlainColumn

    init(_ vector: ColumnVector, _ type: LogicalType) {
        kind =
            switch vector {
            case .boolean: .boolean
            case .int64 where type == .timestamp: .timestamp
            case .int64 where type == .date: .date
            case .int64: .integer
            case .int128: .decimal
            case .double: .double
            case .bytes, .dictionary: type == .bytes ? .blob : .text
            case .hash: .nothing
            }
        scale = if case .decimal(_, let scale) = type { Int32(scale) } else { 0 }
        column = PlainColumn(vector)
    }

    /// The cell of a row.
    ///
    /// - Parameters:
    ///   - texts: Where text is rendered.
    ///   - clock: Of this column alone.
    @inline(__always)
    func cell(_ row: Int, _ texts: ByteBuffer, _ clock: inout TimestampText) -> CellValue {
        guard !column.isNull(row) else { return .null }
        switch kind {
        case .boolean: return CellValue(column.value(row, as: Bool.self) ? Int64(1) : 0)
        case .integer: return CellValue(column.value(row, as: Int64.self))
        case .double: return CellValue(column.value(row, as: Double.self))
        case .text: return CellValue(column.text(row), .text)
        case .blob: return CellValue(column.text(row), .blob)
        case .nothing: return .null
        case .timestamp: return clock.text(of: column.value(row, as: Int64.self), in: texts)
        case .date:
            let start = texts.count
            TextFormat.writeDate(column.value(row, as: Int64.self), to: texts)
            return CellValue(textAt: start..<texts.count)
        case .decimal:
            let start = texts.count
            TextFormat.writeDecimal(column.value(row, as: Int128.self), scale: Int(scale), to: texts)
            return CellValue(textAt: start..<texts.count)
        }
    }
}
