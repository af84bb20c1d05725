extension RecordBatch {
    /// Appends rows (nil = all) of a batch of the same schema.
    public func append(_ other: RecordBatch, rows: UnsafeBufferPointer<Int32>? = nil) {
        let count = rows?.count ?? other.rowCount
        for (target, source) in zip(columns, other.columns) {
            switch (target, source) {
            case (.boolean(let to), .boolean(let from)): to.append(from, rows, count)
            case (.int64(let to), .int64(let from)): to.append(from, rows, count)
            case (.int128(let to), .int128(let from)): to.append(from, rows, count)
            case (.double(let to), .double(let from)): to.append(from, rows, count)
            case (.hash(let to), .hash(let from)): to.append(from, rows, count)
            case (.bytes(let to), .bytes(let from)):
                for index in 0..<count {
                    let row = rows.map { Int($0[index]) } ?? index
                    if from.nulls[row] { to.appendNull() } else { to.append(from[row]) }
                }
            case (.dictionary(let to, let codes), .dictionary(let from, let otherCodes)):
                for index in 0..<count {
                    let row = rows.map { Int($0[index]) } ?? index
                    if from.nulls[row] {
                        to.appendNull()
                    } else {
                        to.append(codes.code(for: otherCodes[from.values[row]]))
                    }
                }
            default: preconditionFailure("the batches have different schemas")
            }
        }
        rowCount += count
    }
}

extension FixedVector {
    fileprivate func append(_ other: FixedVector, _ rows: UnsafeBufferPointer<Int32>?, _ added: Int) {
        reserve(count + added)
        if let rows {
            for index in 0..<added {
                let row = Int(rows[index])
                values[count + index] = other.values[row]
                nulls[count + index] = other.nulls[row]
                if other.nulls[row] { nullCount += 1 }
            }
        } else {
            (values + count).update(from: other.values, count: added)
            (nulls + count).update(from: other.nulls, count: added)
            nullCount += other.nullCount
        }
        count += added
    }
}
