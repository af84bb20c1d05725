import DataPath

/// Strings in one run of bytes, for copying into columns. Immutable, so any thread may read.
final class TextTable: @unchecked Sendable {
    let count: Int
    /// Bytes of the longest text.
    let longest: Int
    private let bytes: UnsafeMutablePointer<UInt8>
    private let offsets: UnsafeMutablePointer<Int>

    init(_ texts: [String]) {
        count = texts.count
        longest = texts.reduce(0) { max($0, $1.utf8.count) }
        offsets = .allocate(capacity: count + 1)
        bytes = .allocate(capacity: max(texts.reduce(0) { $0 + $1.utf8.count }, 1))
        var end = 0
        offsets[0] = 0
        for (index, text) in texts.enumerated() {
            for byte in text.utf8 {
                bytes[end] = byte
                end += 1
            }
            offsets[index + 1] = end
        }
    }

    deinit {
        bytes.deallocate()
        offsets.deallocate()
    }

    /// Copies a text and returns its length.
    @inline(__always)
    func copy(_ index: Int, to out: UnsafeMutablePointer<UInt8>) -> Int {
        let start = offsets[index]
        let length = offsets[index &+ 1] &- start
        out.update(from: bytes + start, count: length)
        return length
    }

    @inline(__always)
    subscript(index: Int) -> UnsafeRawBufferPointer {
        let start = offsets[index]
        return UnsafeRawBufferPointer(start: bytes + start, count: offsets[index + 1] - start)
    }
}

/// Which entry of a list a row gets.
enum Selection {
    case weighted(AliasTable, SeedScope, salt: UInt64)
    /// The entity's or product's own number.
    case entityNumber
    case productNumber
}

/// Text from a list.
struct PickText: ValueProvider {
    let table: TextTable
    let selection: Selection

    func fill(_ rows: GeneratedRows, into column: ColumnVector) {
        let vector = column.text
        switch selection {
        case .weighted(let alias, let scope, let salt):
            let seeds = rows.seeds(scope)
            vector.fill(rows, byteBound: table.longest) { row, out in
                table.copy(alias.pick(mix64(seeds[row] ^ salt)), to: out)
            }
        case .entityNumber: fill(rows, numbers: rows.entities, vector)
        case .productNumber: fill(rows, numbers: rows.products, vector)
        }
    }

    private func fill(_ rows: GeneratedRows, numbers: UnsafePointer<UInt32>, _ vector: BytesVector) {
        vector.fill(rows, byteBound: table.longest) { row, out in
            table.copy(Int(numbers[row]) % table.count, to: out)
        }
    }
}

/// Values of fixed width from a list.
struct PickFixed<Element: BitwiseCopyable>: ValueProvider {
    let values: [Element]
    let selection: Selection
    let vector: (ColumnVector) -> FixedVector<Element>?

    func fill(_ rows: GeneratedRows, into column: ColumnVector) {
        guard let vector = vector(column) else { preconditionFailure("a list of another type than its column's") }
        let out = vector.fillSlots(rows.count)
        values.withUnsafeBufferPointer { values in
            switch selection {
            case .weighted(let alias, let scope, let salt):
                let seeds = rows.seeds(scope)
                for row in 0..<rows.count { out[row] = values[alias.pick(mix64(seeds[row] ^ salt))] }
            case .entityNumber:
                for row in 0..<rows.count { out[row] = values[Int(rows.entities[row]) % values.count] }
            case .productNumber:
                for row in 0..<rows.count { out[row] = values[Int(rows.products[row]) % values.count] }
            }
        }
    }
}
