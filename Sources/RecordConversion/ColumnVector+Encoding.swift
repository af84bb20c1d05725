internal import DataPath

extension ColumnVector {
    /// Appends the first `rows` rows of a plain column, in the encoding that this one has.
    func append(_ plain: ColumnVector, rows: Int, hashKey: HashKey) {
        switch (self, plain) {
        case (.boolean(let to), .boolean(let from)): to.append(from, rows: rows)
        case (.int64(let to), .int64(let from)): to.append(from, rows: rows)
        case (.int128(let to), .int128(let from)): to.append(from, rows: rows)
        case (.double(let to), .double(let from)): to.append(from, rows: rows)
        case (.bytes(let to), .bytes(let from)):
            for row in 0..<rows {
                if from.nulls[row] { to.appendNull() } else { to.append(from[row]) }
            }
        case (.dictionary(let to, let dictionary), .bytes(let from)):
            for row in 0..<rows {
                if from.nulls[row] { to.appendNull() } else { to.append(dictionary.code(for: from[row])) }
            }
        case (.hash(let to), .bytes(let from)):
            for row in 0..<rows {
                if from.nulls[row] { to.appendNull() } else { to.append(sipHash128(from[row], key: hashKey)) }
            }
        default: preconditionFailure("the columns have different types")
        }
    }
}

extension FixedVector {
    fileprivate func append(_ other: FixedVector, rows: Int) {
        reserve(count + rows)
        (values + count).update(from: other.values, count: rows)
        (nulls + count).update(from: other.nulls, count: rows)
        for row in 0..<rows where other.nulls[row] { nullCount += 1 }
        count += rows
    }
}
