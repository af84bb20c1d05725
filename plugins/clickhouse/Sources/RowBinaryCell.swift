internal import DataPath

/// Where the values of one column of a batch are, and how they are written. Its pointers live as long as the batch.
struct RowBinaryCell {
    enum Kind {
        case byte, int32, eightBytes, float32, bytes, uuid
        /// The width in bytes: 4, 8 or 16.
        case decimal(UInt8)
        /// JSON text that becomes an array or a map.
        case nested
    }

    let kind: Kind
    let isNullable: Bool
    let hasNulls: Bool
    let nulls: UnsafePointer<Bool>
    /// Fixed-width values, codes of a dictionary, or the arena of texts.
    let values: UnsafeRawPointer
    private let offsets: UnsafePointer<UInt32>?
    private let dictionary: StringDictionary?

    /// No value takes more bytes, its null flag included; of texts only the length counts.
    static let widest = 17

    init(_ spec: ColumnSpec, _ form: ColumnForm, _ vector: ColumnVector) throws {
        isNullable = spec.isNullable
        let nullCount: Int
        switch vector {
        case .boolean(let column): (values, nulls, nullCount) = Self.parts(column)
        case .int64(let column): (values, nulls, nullCount) = Self.parts(column)
        case .int128(let column): (values, nulls, nullCount) = Self.parts(column)
        case .double(let column): (values, nulls, nullCount) = Self.parts(column)
        case .dictionary(let codes, _): (values, nulls, nullCount) = Self.parts(codes)
        case .bytes(let column):
            (values, nulls, nullCount) = (UnsafeRawPointer(column.arena), UnsafePointer(column.nulls), column.nullCount)
        case .hash: throw RowBinaryEncoder.misfit("column '\(spec.name)' holds hashes, not values")
        }
        if case .bytes(let column) = vector { offsets = UnsafePointer(column.offsets) } else { offsets = nil }
        if case .dictionary(_, let strings) = vector { dictionary = strings } else { dictionary = nil }
        guard let kind = Self.kind(form, vector) else {
            throw RowBinaryEncoder.misfit("column '\(spec.name)' is laid out for another type")
        }
        self.kind = kind
        hasNulls = nullCount > 0
    }

    /// The bytes of a text.
    @inline(__always)
    func text(_ row: Int) -> UnsafeRawBufferPointer {
        if let offsets {
            let start = Int(offsets[row])
            return UnsafeRawBufferPointer(start: values + start, count: Int(offsets[row &+ 1]) &- start)
        }
        guard let dictionary else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return dictionary[values.load(fromByteOffset: row &* 4, as: UInt32.self)]
    }

    static func decimalWidth(_ precision: Int) -> UInt8 { precision <= 9 ? 4 : precision <= 18 ? 8 : 16 }

    private static func parts<Element>(
        _ vector: FixedVector<Element>
    ) -> (values: UnsafeRawPointer, nulls: UnsafePointer<Bool>, nullCount: Int) {
        (UnsafeRawPointer(vector.values), UnsafePointer(vector.nulls), vector.nullCount)
    }

    private static func kind(_ form: ColumnForm, _ vector: ColumnVector) -> Kind? {
        guard case .scalar(let type) = form else {
            return switch vector {
            case .bytes, .dictionary: .nested
            default: nil
            }
        }
        return switch (type, vector) {
        case (.boolean, .boolean): .byte
        case (.int, .int64), (.date, .int64): .int32
        case (.long, .int64), (.timestamp, .int64), (.double, .double): .eightBytes
        case (.float, .double): .float32
        case (.decimal(let precision, _), .int128): .decimal(decimalWidth(precision))
        case (.uuid, .bytes), (.uuid, .dictionary): .uuid
        case (.string, .bytes), (.string, .dictionary), (.json, .bytes), (.json, .dictionary),
            (.bytes, .bytes), (.bytes, .dictionary):
            .bytes
        default: nil
        }
    }
}
