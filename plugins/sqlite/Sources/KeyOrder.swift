internal import DataPath

/// Sorts rows as the table's tree has them, as far as 128 bits of their keys tell.
///
/// Rows in the order of the key fill page after page; in any other order each of them touches a page of its own, which is
/// written once for every transaction, and read again when it was forgotten. Only speed depends on the order, but rows of
/// one key stay in the order in which they came: the last of them counts.
struct KeyOrder: ~Copyable {
    private struct Entry: BitwiseCopyable {
        var key: UInt128 = 0
        var place: WaitingRows.Place
    }

    private let batches: [RecordBatch]
    private var entries: UnsafeMutableBufferPointer<Entry>
    private var bitsLeft = UInt128.bitWidth

    /// The rows of `batches` in the order of the columns at `key`.
    static func places(_ batches: [RecordBatch], key: [Int]) -> [WaitingRows.Place] {
        var order = KeyOrder(batches)
        for column in key where order.bitsLeft > 0 { order.add(column) }
        order.entries.sort {
            if $0.key != $1.key { return $0.key < $1.key }
            return $0.place.batch != $1.place.batch
                ? $0.place.batch < $1.place.batch : $0.place.row < $1.place.row
        }
        return order.entries.map(\.place)
    }

    private init(_ batches: [RecordBatch]) {
        self.batches = batches
        entries = .allocate(capacity: batches.reduce(0) { $0 + $1.rowCount })
        var next = 0
        for (number, batch) in batches.enumerated() {
            for row in 0..<batch.rowCount {
                entries.initializeElement(
                    at: next, to: Entry(place: .init(batch: UInt32(number), row: UInt32(row))))
                next += 1
            }
        }
    }

    deinit { entries.deallocate() }

    private mutating func add(_ column: Int) {
        addNulls(column)
        switch batches.first?.columns[column] {
        case .boolean:
            append(bits: 1, column) { column, row in
                if case .boolean(let vector) = column, !vector.nulls[row], vector.values[row] { 1 } else { 0 }
            }
        case .int64: addIntegers(column)
        case .bytes, .dictionary: addTexts(column)
        default:
            // Decimals are text, whose order is not theirs; the others are rare as keys.
            bitsLeft = 0
        }
    }

    private mutating func addNulls(_ column: Int) {
        guard batches.contains(where: { $0.columns[column].hasNulls }) else { return }
        append(bits: 1, column) { $0.isNull($1) ? 1 : 0 }
    }

    /// Numbers and times as what they are above the least of them.
    private mutating func addIntegers(_ column: Int) {
        var (low, high) = (Int64.max, Int64.min)
        for case (.int64(let vector), let count) in batches.map({ ($0.columns[column], $0.rowCount) }) {
            let (values, nulls) = (vector.values, vector.nulls)
            for row in 0..<count where !nulls[row] { (low, high) = (min(low, values[row]), max(high, values[row])) }
        }
        guard low < high else { return }
        let least = UInt64(bitPattern: low)
        let width = UInt64.bitWidth - (UInt64(bitPattern: high) &- least).leadingZeroBitCount
        append(bits: width, column) {
            guard case .int64(let vector) = $0, !vector.nulls[$1] else { return 0 }
            return UInt128(UInt64(bitPattern: vector.values[$1]) &- least)
        }
    }

    /// Texts as their first bytes behind those that all of them share.
    private mutating func addTexts(_ column: Int) {
        var (first, shared, longest) = (UnsafeRawBufferPointer?.none, 0, 0)
        for batch in batches {
            let vector = batch.columns[column]
            for row in 0..<batch.rowCount where !vector.isNull(row) {
                let text = vector.text(row)
                longest = max(longest, text.count)
                guard let first else {
                    (first, shared) = (text, text.count)
                    continue
                }
                shared = min(shared, text.count)
                var same = 0
                while same < shared, first[same] == text[same] { same += 1 }
                shared = same
            }
        }
        let byteCount = min(longest - shared, UInt128.bitWidth / 8)
        guard byteCount > 0 else { return }
        append(bits: byteCount * 8, column) {
            guard !$0.isNull($1) else { return 0 }
            let text = $0.text($1)
            var bits: UInt128 = 0
            let end = min(text.count, shared + byteCount)
            for index in shared..<end { bits = bits &<< 8 | UInt128(text[index]) }
            return bits << UInt128((byteCount - (end - shared)) * 8)
        }
    }

    /// Appends `bits` bits of each row, or as many of the highest of them as there is room for.
    @inline(__always)
    private mutating func append(bits: Int, _ column: Int, _ value: (ColumnVector, Int) -> UInt128) {
        let width = min(bits, bitsLeft)
        let surplus = UInt128(bits - width)
        var next = 0
        for batch in batches {
            let vector = batch.columns[column]
            for row in 0..<batch.rowCount {
                entries[next].key = entries[next].key << UInt128(width) | value(vector, row) >> surplus
                next += 1
            }
        }
        bitsLeft -= width
    }
}

extension ColumnVector {
    fileprivate var hasNulls: Bool {
        switch self {
        case .boolean(let vector): vector.nullCount > 0
        case .int64(let vector): vector.nullCount > 0
        case .bytes(let vector): vector.nullCount > 0
        case .dictionary(let codes, _): codes.nullCount > 0
        case .int128, .double, .hash: false
        }
    }

    @inline(__always)
    fileprivate func isNull(_ row: Int) -> Bool {
        switch self {
        case .boolean(let vector): vector.nulls[row]
        case .int64(let vector): vector.nulls[row]
        case .bytes(let vector): vector.nulls[row]
        case .dictionary(let codes, _): codes.nulls[row]
        case .int128, .double, .hash: false
        }
    }

    /// Of a column of bytes.
    @inline(__always)
    fileprivate func text(_ row: Int) -> UnsafeRawBufferPointer {
        switch self {
        case .bytes(let vector): vector[row]
        case .dictionary(let codes, let dictionary): dictionary[codes.values[row]]
        case .boolean, .int64, .int128, .double, .hash: UnsafeRawBufferPointer(start: nil, count: 0)
        }
    }
}
