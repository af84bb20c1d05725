internal import DataPath

/// One column of a batch as plain pointers, for the loop over rows. Valid as long as its batch.
struct CopyColumn: BitwiseCopyable {
    enum Kind: UInt8 {
        case boolean, integer, bigint, real, double, date, timestamp, numeric, text, bytea, uuid, jsonb, array

        init(_ type: PostgresType) {
            self =
                switch type {
                case .boolean: .boolean
                case .integer: .integer
                case .bigint: .bigint
                case .real: .real
                case .double: .double
                case .date: .date
                case .timestamp: .timestamp
                case .numeric: .numeric
                case .text: .text
                case .bytea: .bytea
                case .uuid: .uuid
                case .jsonb: .jsonb
                case .array: .array
                }
        }
    }

    let kind: Kind
    /// Of numerics.
    let scale: Int
    let nulls: UnsafePointer<Bool>
    /// Values of fixed width, or codes.
    private let values: UnsafeRawPointer
    private let arena: UnsafePointer<UInt8>?
    private let offsets: UnsafePointer<UInt32>?
    private let dictionary: Unmanaged<StringDictionary>?

    /// Nil when the vector does not hold what the type needs: only hashes.
    init?(_ vector: ColumnVector, _ type: PostgresType) {
        kind = Kind(type)
        scale = if case .numeric(_, let scale) = type { scale } else { 0 }
        func fixed<Element>(_ vector: FixedVector<Element>) -> (UnsafeRawPointer, UnsafePointer<Bool>) {
            (UnsafeRawPointer(vector.values), UnsafePointer(vector.nulls))
        }
        var bytes: BytesVector?
        var codes: StringDictionary?
        switch vector {
        case .boolean(let vector): (values, nulls) = fixed(vector)
        case .int64(let vector): (values, nulls) = fixed(vector)
        case .int128(let vector): (values, nulls) = fixed(vector)
        case .double(let vector): (values, nulls) = fixed(vector)
        case .bytes(let vector):
            (values, nulls) = (UnsafeRawPointer(vector.arena), UnsafePointer(vector.nulls))
            bytes = vector
        case .dictionary(let vector, let dictionary):
            (values, nulls) = fixed(vector)
            codes = dictionary
        case .hash: return nil
        }
        arena = bytes.map { UnsafePointer($0.arena) }
        offsets = bytes.map { UnsafePointer($0.offsets) }
        dictionary = codes.map { Unmanaged.passUnretained($0) }
    }

    @inline(__always)
    func value<Value: BitwiseCopyable>(_ row: Int, as type: Value.Type) -> Value {
        values.load(fromByteOffset: row &* MemoryLayout<Value>.stride, as: type)
    }

    @inline(__always)
    func bytes(_ row: Int) -> UnsafeRawBufferPointer {
        if let arena, let offsets {
            let start = Int(offsets[row])
            return UnsafeRawBufferPointer(start: arena + start, count: Int(offsets[row + 1]) - start)
        }
        guard let dictionary else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let code = value(row, as: UInt32.self)
        return dictionary._withUnsafeGuaranteedRef { $0[code] }
    }
}
