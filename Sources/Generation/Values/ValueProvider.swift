import DataPath

/// Makes the values of one column, a batch at a time.
///
/// Order of calls: made once for a column, then ``fill(_:into:)`` for every batch with rows of its event type. The column
/// is empty at the call and of the layout that the provider was made for; afterwards it has `rows.count` rows. Where
/// `rows.nulls` says so a byte column gets a null; in other layouts the caller sets the mask. A value depends only on the
/// row's seeds, numbers and time, never on the batch: that is what makes the stream the same at any batch size.
protocol ValueProvider {
    func fill(_ rows: GeneratedRows, into column: ColumnVector)
}

/// What stays the same together: values drawn in a scope are equal wherever the scope is.
enum SeedScope: Int, Sendable {
    /// Drawn anew for each event.
    case event
    case session
    case entity
    /// One product within one session: what is put into the cart is what is bought.
    case item
    case product
}

/// The rows to fill: `count` entries behind each pointer, valid during the call.
struct GeneratedRows {
    let count: Int
    /// How many events of this type came before the first row.
    let ordinal: Int
    let times: UnsafePointer<Int64>
    let entities: UnsafePointer<UInt32>
    let products: UnsafePointer<UInt32>
    /// By ``SeedScope``, at a distance of `seedStride`.
    let seeds: UnsafePointer<UInt64>
    let seedStride: Int
    /// Nil = no nulls.
    let nulls: UnsafePointer<Bool>?
    /// Room for a number per row.
    let scratch: UnsafeMutablePointer<Double>
    /// Columns that are filled already.
    let batch: RecordBatch

    @inline(__always)
    func seeds(_ scope: SeedScope) -> UnsafePointer<UInt64> { seeds + scope.rawValue * seedStride }

    @inline(__always)
    func isNull(_ row: Int) -> Bool { nulls.map { $0[row] } ?? false }
}

extension ColumnVector {
    /// The byte vector; providers of text are made for byte columns only.
    var text: BytesVector {
        guard case .bytes(let vector) = self else { preconditionFailure("a text provider on a column of numbers") }
        return vector
    }
}

extension BytesVector {
    /// Appends a text a row, of at most `byteBound` bytes each: `write` puts it there and returns its length.
    @inline(__always)
    func fill(_ rows: GeneratedRows, byteBound: Int, _ write: (Int, UnsafeMutablePointer<UInt8>) -> Int) {
        let slots = slots(rows: rows.count, byteBound: rows.count * byteBound)
        var end = Int(slots.offsets[0])
        var nullCount = 0
        for row in 0..<rows.count {
            let isNull = rows.isNull(row)
            slots.nulls[row] = isNull
            if isNull { nullCount &+= 1 } else { end &+= write(row, slots.arena + end) }
            slots.offsets[row &+ 1] = UInt32(truncatingIfNeeded: end)
        }
        commit(rows: rows.count, nulls: nullCount)
    }
}

extension FixedVector {
    /// Room for `count` rows from the first on, all counted as filled and not null.
    func fillSlots(_ rows: Int) -> UnsafeMutablePointer<Element> {
        removeAll()
        reserve(rows)
        count = rows
        nulls.update(repeating: false, count: rows)
        return values
    }
}
