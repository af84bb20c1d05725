/// A column of a batch, ready to be written as JSON: raw pointers, so that no cell costs a count of references.
///
/// Valid as long as the batch is neither changed nor freed. Threads: one at a time.
struct JSONColumn {
    private enum Form: UInt8 {
        case boolean, integer, timestamp, double, text, json, code, other
    }

    private let form: Form
    private let nulls: UnsafePointer<Bool>
    /// The values, or the offsets of texts.
    private let values: UnsafeRawPointer
    private let arena: UnsafePointer<UInt8>?
    private let dictionary: Unmanaged<StringDictionary>?
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
        cell = rare.map { .passUnretained($0) }
        var (arena, dictionary): (UnsafePointer<UInt8>?, Unmanaged<StringDictionary>?)
        switch vector {
        case .boolean(let column):
            (form, nulls, values) = (.boolean, UnsafePointer(column.nulls), UnsafeRawPointer(column.values))
        case .int64(let column):
            form = type == .timestamp ? .timestamp : type == .date ? .other : .integer
            (nulls, values) = (UnsafePointer(column.nulls), UnsafeRawPointer(column.values))
        case .double(let column):
            form = type == .float ? .other : .double
            (nulls, values) = (UnsafePointer(column.nulls), UnsafeRawPointer(column.values))
        case .bytes(let column):
            form = type == .bytes ? .other : type == .json ? .json : .text
            (nulls, values) = (UnsafePointer(column.nulls), UnsafeRawPointer(column.offsets))
            arena = UnsafePointer(column.arena)
        case .dictionary(let codes, let strings):
            form = type == .bytes || type == .json ? .other : .code
            (nulls, values) = (UnsafePointer(codes.nulls), UnsafeRawPointer(codes.values))
            dictionary = .passUnretained(strings)
        case .int128(let column):
            (form, nulls, values) = (.other, UnsafePointer(column.nulls), UnsafeRawPointer(column.values))
        case .hash(let column):
            (form, nulls, values) = (.other, UnsafePointer(column.nulls), UnsafeRawPointer(column.values))
        }
        (self.arena, self.dictionary) = (arena, dictionary)
    }

    func isNull(_ row: Int) -> Bool { nulls[row] }

    /// Appends the cell of a row. What `out` holds since the first call must still be there.
    @inline(__always)
    mutating func write(_ row: Int, to out: ByteBuffer) {
        guard !nulls[row] else { return out.append("null") }
        switch form {
        case .boolean: out.append(value(row, of: Bool.self) ? "true" : "false")
        case .integer: TextFormat.writeInteger(value(row, of: Int64.self), to: out)
        case .timestamp:
            out.append(UInt8(ascii: "\""))
            timestamps.write(value(row, of: Int64.self), to: out)
            out.append(UInt8(ascii: "\""))
        case .double:
            let value = value(row, of: Double.self)
            if value.isFinite { TextFormat.writeDouble(value, to: out) } else { out.append("null") }
        case .text: TextFormat.writeJSONString(text(row), to: out)
        case .json: out.append(text(row))
        case .code:
            guard let dictionary else { return }
            let code = value(row, of: UInt32.self)
            dictionary._withUnsafeGuaranteedRef { TextFormat.writeJSONString($0[code], to: out) }
        case .other: cell?._withUnsafeGuaranteedRef { $0.text.writeJSON(row, to: out) }
        }
    }

    private func value<Value: BitwiseCopyable>(_ row: Int, of type: Value.Type) -> Value {
        values.load(fromByteOffset: row &* MemoryLayout<Value>.stride, as: type)
    }

    private func text(_ row: Int) -> UnsafeRawBufferPointer {
        let start = Int(value(row, of: UInt32.self))
        let end = Int(value(row &+ 1, of: UInt32.self))
        return UnsafeRawBufferPointer(start: arena.map { $0 + start }, count: end &- start)
    }
}
