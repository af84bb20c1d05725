extension AvroDecoder {
    /// Fills the columns that the writer's schema lacks, once a batch.
    func fillConstants(_ batch: RecordBatch, from first: Int, to end: Int) {
        for (column, constant) in plan.constants {
            let target = targets[column]
            if case .bytes(let vector) = batch.columns[column] {
                for _ in first..<end {
                    if case .bytes(let bytes) = constant {
                        bytes.withUnsafeBytes { vector.append($0) }
                    } else {
                        vector.appendNull()
                    }
                }
                continue
            }
            for row in first..<end {
                if case .null = constant {
                    target.nulls?[row] = true
                    continue
                }
                target.nulls?[row] = false
                switch constant {
                case .null: break
                case .boolean(let value): put(value, target, row)
                case .integer(let value): put(value, target, row)
                case .double(let value): put(value, target, row)
                case .decimal(let value): put(value, target, row)
                case .bytes(let value):
                    value.withUnsafeBytes { bytes in
                        if let dictionary = target.dictionary {
                            put(dictionary._withUnsafeGuaranteedRef { $0.code(for: bytes) }, target, row)
                        } else {
                            put(sipHash128(bytes, key: key), target, row)
                        }
                    }
                }
            }
        }
    }

    private func put<T: BitwiseCopyable>(_ value: T, _ target: Target, _ row: Int) {
        target.values?.storeBytes(of: value, toByteOffset: row * MemoryLayout<T>.stride, as: T.self)
    }
}
