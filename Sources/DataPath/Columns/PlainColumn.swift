/// A column of a batch as plain pointers, for loops over rows: no cell costs a count of references.
///
/// What the values are, the column's ``ColumnVector`` says: whoever loops over them looks at it once. Valid as long as the
/// batch is neither changed nor freed.
public struct PlainColumn: BitwiseCopyable {
    @usableFromInline let nulls: UnsafePointer<Bool>
    /// Values of fixed width, codes, or the arena of texts.
    @usableFromInline let values: UnsafeRawPointer
    /// Of texts in an arena.
    @usableFromInline let offsets: UnsafePointer<UInt32>?
    /// Of codes.
    @usableFromInline let dictionary: Unmanaged<StringDictionary>?

    public init(_ vector: ColumnVector) {
        switch vector {
        case .boolean(let vector): self.init(vector)
        case .int64(let vector): self.init(vector)
        case .int128(let vector): self.init(vector)
        case .double(let vector): self.init(vector)
        case .hash(let vector): self.init(vector)
        case .dictionary(let codes, let dictionary): self.init(codes, dictionary)
        case .bytes(let vector): self.init(vector)
        }
    }

    private init(_ vector: BytesVector) {
        (nulls, values) = (UnsafePointer(vector.nulls), UnsafeRawPointer(vector.arena))
        (offsets, dictionary) = (UnsafePointer(vector.offsets), nil)
    }

    private init<Element>(_ vector: FixedVector<Element>, _ dictionary: StringDictionary? = nil) {
        (nulls, values) = (UnsafePointer(vector.nulls), UnsafeRawPointer(vector.values))
        (offsets, self.dictionary) = (nil, dictionary.map { .passUnretained($0) })
    }

    @inlinable
    @inline(__always)
    public func isNull(_ row: Int) -> Bool { nulls[row] }

    /// The value of a row, which must not be null; `type` is the vector's.
    @inlinable
    @inline(__always)
    public func value<Value: BitwiseCopyable>(_ row: Int, as type: Value.Type) -> Value {
        values.load(fromByteOffset: row &* MemoryLayout<Value>.stride, as: type)
    }

    /// The bytes of a row, which must not be null, in an arena or by their code; nothing for values of fixed width.
    @inlinable
    @inline(__always)
    public func text(_ row: Int) -> UnsafeRawBufferPointer {
        if let offsets {
            let start = Int(offsets[row])
            return UnsafeRawBufferPointer(start: values + start, count: Int(offsets[row &+ 1]) &- start)
        }
        guard let dictionary else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let code = value(row, as: UInt32.self)
        return dictionary._withUnsafeGuaranteedRef { $0[code] }
    }
}
