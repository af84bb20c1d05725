/// Encodes the rows of a batch as Avro messages, following an ``EncodePlan``. Threads: one at a time.
public final class AvroEncoder {
    public let plan: EncodePlan

    public init(plan: EncodePlan) { self.plan = plan }

    /// Appends one entry per row to the block: value = wire header (with a `schemaID`) and datum; key = the bytes of the
    /// key column (whole numbers as decimal text), none if it is null; timestamp = the timestamp column's milliseconds.
    ///
    /// A row that does not fit the schema adds nothing and is reported with its index.
    public func encode(
        _ batch: RecordBatch, schemaID: Int32?, keyColumn: Int?, timestampColumn: Int, into block: RecordBlock,
        onError: (Int, AvroEncodeError) -> Void
    ) {
        block.entries.reserveCapacity(block.count + batch.rowCount)
        guard case .int64(let times) = batch.columns[timestampColumn] else {
            preconditionFailure("the timestamp column does not hold milliseconds")
        }
        for row in 0..<batch.rowCount {
            let start = block.byteCount
            if times.nulls[row] {
                onError(
                    row, AvroEncodeError(reason: .nullNotAllowed, field: plan.columns.columns[timestampColumn].name))
                continue
            }
            let keyLength = keyColumn.map { putKey(batch.columns[$0], row, block) } ?? -1
            let valueStart = block.byteCount
            if let schemaID {
                block.reserve(WireFormat.headerLength)
                WireFormat.write(schemaID: schemaID, to: block.bytes + valueStart)
                block.byteCount += WireFormat.headerLength
            }
            if let error = encodeRow(batch, row, block) {
                block.byteCount = start
                onError(row, error)
                continue
            }
            block.entries.append(
                RecordBlock.Entry(
                    offset: 0, timestamp: times.values[row], keyStart: start, keyLength: keyLength,
                    valueStart: valueStart, valueLength: block.byteCount - valueStart))
        }
    }

    private func putKey(_ column: ColumnVector, _ row: Int, _ block: RecordBlock) -> Int {
        switch column {
        case .bytes(let vector):
            guard !vector.nulls[row] else { return -1 }
            return put(vector[row], block)
        case .dictionary(let vector, let dictionary):
            guard !vector.nulls[row] else { return -1 }
            return put(dictionary[vector.values[row]], block)
        case .int64(let vector):
            guard !vector.nulls[row] else { return -1 }
            var text = String(vector.values[row])
            return text.withUTF8 { put(UnsafeRawBufferPointer($0), block) }
        default: return -1
        }
    }

    @discardableResult
    @inline(__always)
    private func put(_ bytes: UnsafeRawBufferPointer, _ block: RecordBlock) -> Int {
        block.reserve(bytes.count)
        if let base = bytes.baseAddress {
            UnsafeMutableRawPointer(block.bytes + block.byteCount).copyMemory(from: base, byteCount: bytes.count)
        }
        block.byteCount += bytes.count
        return bytes.count
    }

    private func isNull(_ column: ColumnVector, _ row: Int) -> Bool {
        switch column {
        case .boolean(let vector): vector.nulls[row]
        case .int64(let vector): vector.nulls[row]
        case .int128(let vector): vector.nulls[row]
        case .double(let vector): vector.nulls[row]
        case .bytes(let vector): vector.nulls[row]
        case .dictionary(let vector, _): vector.nulls[row]
        case .hash(let vector): vector.nulls[row]
        }
    }

    private func encodeRow(_ batch: RecordBatch, _ row: Int, _ block: RecordBlock) -> AvroEncodeError? {
        var index = 0
        while index < plan.operations.count {
            let operation = plan.operations[index]
            index += 1
            // Room for the branch and any scalar.
            block.reserve(32)
            var cursor = block.bytes + block.byteCount
            if operation.action == .enterRecord || operation.column >= 0 {
                let null: Bool
                if operation.action == .enterRecord {
                    let inner = plan.operations[index..<index + operation.argument]
                    null = inner.allSatisfy { $0.column < 0 || isNull(batch.columns[$0.column], row) }
                } else {
                    null = isNull(batch.columns[operation.column], row)
                }
                if null {
                    guard operation.isUnion, operation.nullBranch >= 0 else {
                        return AvroEncodeError(reason: .nullNotAllowed, field: plan.paths[index - 1])
                    }
                    AvroVarint.write(Int64(operation.nullBranch), &cursor)
                    block.byteCount = cursor - block.bytes
                    if operation.action == .enterRecord { index += operation.argument }
                    continue
                }
                if operation.isUnion {
                    AvroVarint.write(Int64(operation.valueBranch), &cursor)
                    block.byteCount = cursor - block.bytes
                }
            }
            if let reason = putValue(operation, batch, row, block) {
                return AvroEncodeError(reason: reason, field: plan.paths[index - 1])
            }
        }
        return nil
    }

    private func putValue(
        _ operation: EncodePlan.Operation, _ batch: RecordBatch, _ row: Int, _ block: RecordBlock
    ) -> AvroEncodeError.Reason? {
        if operation.action == .enterRecord { return nil }
        if operation.action == .putConstant {
            plan.constants[operation.argument].withUnsafeBytes { _ = put($0, block) }
            return nil
        }
        var cursor = block.bytes + block.byteCount
        switch batch.columns[operation.column] {
        case .boolean(let vector):
            cursor[0] = vector.values[row] ? 1 : 0
            cursor += 1
        case .int64(let vector):
            var value = vector.values[row]
            if operation.action == .putInt, Int32(exactly: value) == nil { return .outOfRange }
            if operation.action == .putMicros {
                let (micros, overflow) = value.multipliedReportingOverflow(by: 1000)
                if overflow { return .outOfRange }
                value = micros
            }
            AvroVarint.write(value, &cursor)
        case .double(let vector):
            let value = vector.values[row]
            if operation.action == .putFloat {
                UnsafeMutableRawPointer(cursor).storeBytes(of: Float(value).bitPattern.littleEndian, as: UInt32.self)
                cursor += 4
            } else {
                UnsafeMutableRawPointer(cursor).storeBytes(of: value.bitPattern.littleEndian, as: UInt64.self)
                cursor += 8
            }
        case .int128(let vector):
            let value = vector.values[row]
            if let limit = AvroDecimal.limit(precision: operation.precision), value >= limit || value <= -limit {
                return .outOfRange
            }
            var count = AvroDecimal.byteCount(value)
            if operation.action == .putFixedDecimal {
                guard count <= operation.argument else { return .outOfRange }
                count = operation.argument
                block.reserve(count)
                cursor = block.bytes + block.byteCount
            } else {
                AvroVarint.write(Int64(count), &cursor)
            }
            AvroDecimal.write(value, count: count, &cursor)
        case .bytes(let vector): return putBytes(vector[row], operation, block)
        case .dictionary(let vector, let dictionary):
            return putBytes(dictionary[vector.values[row]], operation, block)
        case .hash: preconditionFailure("the plan's compiler refuses hash columns")
        }
        block.byteCount = cursor - block.bytes
        return nil
    }

    private func putBytes(
        _ bytes: UnsafeRawBufferPointer, _ operation: EncodePlan.Operation, _ block: RecordBlock
    ) -> AvroEncodeError.Reason? {
        var cursor = block.bytes + block.byteCount
        switch operation.action {
        case .putSymbol:
            let symbols = plan.symbols[operation.argument]
            guard let index = symbols.firstIndex(where: { $0.elementsEqual(bytes) }) else { return .unknownSymbol }
            AvroVarint.write(Int64(index), &cursor)
            block.byteCount = cursor - block.bytes
        case .putFixed:
            guard bytes.count == operation.argument else { return .wrongLength }
            put(bytes, block)
        default:
            AvroVarint.write(Int64(bytes.count), &cursor)
            block.byteCount = cursor - block.bytes
            put(bytes, block)
        }
        return nil
    }
}
