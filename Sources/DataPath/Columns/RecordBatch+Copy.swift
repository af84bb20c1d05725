extension RecordBatch {
    /// A batch of its own with some of the columns and rows: nothing in it is shared, so it may go to another thread.
    ///
    /// Values of dictionary columns are looked up. Cost: one pass over each column.
    ///
    /// - Parameters:
    ///   - columns: Their positions in this batch; none is held as hashes.
    ///   - schema: What the copies are called; of the same types, plain.
    ///   - rows: Ascending; nil = all.
    public func copy(columns positions: [Int], as schema: BatchSchema, rows: Selection?) -> RecordBatch {
        let count = rows?.count ?? rowCount
        let picked = rows.map { UnsafePointer($0.rows) }
        let copies: [ColumnVector] = positions.map { position in
            switch columns[position] {
            case .boolean(let vector): .boolean(vector.copy(picked, count))
            case .int64(let vector): .int64(vector.copy(picked, count))
            case .int128(let vector): .int128(vector.copy(picked, count))
            case .double(let vector): .double(vector.copy(picked, count))
            case .bytes(let vector): .bytes(vector.copy(picked, count))
            case .dictionary(let codes, let dictionary): .bytes(dictionary.values(of: codes, picked, count))
            case .hash: preconditionFailure("a column that is copied is not held as hashes")
            }
        }
        return RecordBatch(schema: schema, columns: copies, rowCount: count)
    }
}

extension FixedVector {
    fileprivate func copy(_ rows: UnsafePointer<Int32>?, _ count: Int) -> FixedVector {
        let result = FixedVector(capacity: count)
        result.count = count
        guard let rows else {
            result.values.update(from: values, count: count)
            result.nulls.update(from: nulls, count: count)
            result.nullCount = nullCount
            return result
        }
        let (from, to) = (values, result.values)
        for index in 0..<count { to[index] = from[Int(rows[index])] }
        guard nullCount > 0 else { return result }
        let (mask, copied) = (nulls, result.nulls)
        var found = 0
        for index in 0..<count {
            let isNull = mask[Int(rows[index])]
            copied[index] = isNull
            found &+= isNull ? 1 : 0
        }
        result.nullCount = found
        return result
    }
}

extension BytesVector {
    fileprivate func copy(_ rows: UnsafePointer<Int32>?, _ count: Int) -> BytesVector {
        let (offsets, nulls, arena) = (offsets, nulls, arena)
        var bytes = 0
        if let rows {
            for index in 0..<count {
                let row = Int(rows[index])
                bytes &+= Int(offsets[row &+ 1] &- offsets[row])
            }
        } else {
            bytes = Int(offsets[count])
        }
        let result = BytesVector(capacity: count, arenaCapacity: bytes)
        let slots = result.slots(rows: count, byteBound: bytes)
        var end = 0
        var nullsFound = 0
        for index in 0..<count {
            let row = rows.map { Int($0[index]) } ?? index
            let start = Int(offsets[row])
            let length = Int(offsets[row &+ 1]) &- start
            (slots.arena + end).update(from: arena + start, count: length)
            end &+= length
            slots.offsets[index &+ 1] = UInt32(truncatingIfNeeded: end)
            slots.nulls[index] = nulls[row]
            nullsFound &+= nulls[row] ? 1 : 0
        }
        result.commit(rows: count, nulls: nullsFound)
        return result
    }
}

extension StringDictionary {
    /// The strings of codes, in rows of their own.
    fileprivate func values(
        of codes: FixedVector<UInt32>, _ rows: UnsafePointer<Int32>?, _ count: Int
    ) -> BytesVector {
        let result = BytesVector(capacity: count)
        for index in 0..<count {
            let row = rows.map { Int($0[index]) } ?? index
            if codes.nulls[row] { result.appendNull() } else { result.append(self[codes.values[row]]) }
        }
        return result
    }
}
