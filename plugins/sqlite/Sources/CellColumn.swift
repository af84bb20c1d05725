internal import DataPath

/// One column of a batch as plain pointers. Valid as long as its batch.
struct CellColumn: BitwiseCopyable {
    private enum Kind: UInt8 {
        case boolean, integer, timestamp, date, decimal, double, text, blob, code, blobCode, nothing
    }

    private let kind: Kind
    /// Of decimals.
    private let scale: Int32
    private let nulls: UnsafePointer<Bool>
    /// Values of fixed width, codes, or the arena of bytes.
    private let values: UnsafeRawPointer
    private let offsets: UnsafePointer<UInt32>?
    private let dictionary: Unmanaged<StringDictionary>?

    init(_ vector: ColumnVector, _ type: LogicalType) {
        func fixed<Element>(_ vector: FixedVector<Element>) -> (UnsafeRawPointer, UnsafePointer<Bool>) {
            (UnsafeRawPointer(vector.values), UnsafePointer(vector.nulls))
        }
        var (scale, offsets) = (Int32(0), UnsafePointer<UInt32>?.none)
        var dictionary: Unmanaged<StringDictionary>?
        switch vector {
        case .boolean(let vector):
            kind = .boolean
            (values, nulls) = fixed(vector)
        case .int64(let vector):
            kind =
                switch type {
                case .timestamp: .timestamp
                case .date: .date
                default: .integer
                }
            (values, nulls) = fixed(vector)
        case .int128(let vector):
            kind = .decimal
            (values, nulls) = fixed(vector)
            if case .decimal(_, let declared) = type { scale = Int32(declared) }
        case .double(let vector):
            kind = .double
            (values, nulls) = fixed(vector)
        case .bytes(let vector):
            kind = type == .bytes ? .blob : .text
            (values, nulls) = (UnsafeRawPointer(vector.arena), UnsafePointer(vector.nulls))
            offsets = UnsafePointer(vector.offsets)
        case .dictionary(let codes, let strings):
            kind = type == .bytes ? .blobCode : .code
            (values, nulls) = fixed(codes)
            dictionary = .passUnretained(strings)
        case .hash(let vector):
            kind = .nothing
            (values, nulls) = fixed(vector)
        }
        (self.scale, self.offsets, self.dictionary) = (scale, offsets, dictionary)
    }

    /// The cell of a row.
    ///
    /// - Parameters:
    ///   - texts: Where text is rendered.
    ///   - clock: Of this column alone.
    @inline(__always)
    func cell(_ row: Int, _ texts: ByteBuffer, _ clock: inout TimestampText) -> CellValue {
        guard !nulls[row] else { return .null }
        switch kind {
        case .boolean: return CellValue(value(row, as: Bool.self) ? Int64(1) : 0)
        case .integer: return CellValue(value(row, as: Int64.self))
        case .double: return CellValue(value(row, as: Double.self))
        case .text: return CellValue(bytes(row), .text)
        case .blob: return CellValue(bytes(row), .blob)
        case .code: return CellValue(string(row), .text)
        case .blobCode: return CellValue(string(row), .blob)
        case .nothing: return .null
        case .timestamp: return clock.text(of: value(row, as: Int64.self), in: texts)
        case .date:
            let start = texts.count
            TextFormat.writeDate(value(row, as: Int64.self), to: texts)
            return CellValue(textAt: start..<texts.count)
        case .decimal:
            let start = texts.count
            TextFormat.writeDecimal(value(row, as: Int128.self), scale: Int(scale), to: texts)
            return CellValue(textAt: start..<texts.count)
        }
    }

    @inline(__always)
    private func value<Value: BitwiseCopyable>(_ row: Int, as type: Value.Type) -> Value {
        values.load(fromByteOffset: row &* MemoryLayout<Value>.stride, as: type)
    }

    @inline(__always)
    private func bytes(_ row: Int) -> UnsafeRawBufferPointer {
        guard let offsets else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let start = Int(offsets[row])
        return UnsafeRawBufferPointer(start: values + start, count: Int(offsets[row + 1]) - start)
    }

    private func string(_ row: Int) -> UnsafeRawBufferPointer {
        guard let dictionary else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return dictionary._withUnsafeGuaranteedRef { $0[value(row, as: UInt32.self)] }
    }
}
