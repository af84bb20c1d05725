internal import DataPath

/// One cell as SQLite takes it. Valid as long as the batch and the texts that it was made from.
struct CellValue: BitwiseCopyable {
    enum Kind: UInt8 {
        case null, integer, double, text, blob
        /// Text at an offset of the buffer of texts.
        case nearText
    }

    let kind: Kind
    let byteCount: Int
    private let bits: UInt64

    static let null = CellValue(kind: .null, byteCount: 0, bits: 0)

    private init(kind: Kind, byteCount: Int, bits: UInt64) {
        (self.kind, self.byteCount, self.bits) = (kind, byteCount, bits)
    }

    init(_ value: Int64) { self.init(kind: .integer, byteCount: 0, bits: UInt64(bitPattern: value)) }

    init(_ value: Double) { self.init(kind: .double, byteCount: 0, bits: value.bitPattern) }

    /// - Parameter kind: Text or blob.
    init(_ bytes: UnsafeRawBufferPointer, _ kind: Kind) {
        self.init(kind: kind, byteCount: bytes.count, bits: UInt64(UInt(bitPattern: bytes.baseAddress)))
    }

    /// - Parameter place: In the buffer of texts.
    init(textAt place: Range<Int>) {
        self.init(kind: .nearText, byteCount: place.count, bits: UInt64(place.lowerBound))
    }

    var integer: Int64 { Int64(bitPattern: bits) }
    var double: Double { Double(bitPattern: bits) }
    /// Of text and blobs.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: UInt(bits)), count: byteCount)
    }

    func nearBytes(in texts: ByteBuffer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: texts.bytes + Int(bits), count: byteCount)
    }

    /// The same text in `texts`, unless it is long.
    func near(in texts: ByteBuffer) -> CellValue {
        guard kind == .text, byteCount <= Self.longestNear else { return self }
        let start = texts.count
        texts.append(bytes)
        return CellValue(textAt: start..<texts.count)
    }

    private static let longestNear = 128
}
