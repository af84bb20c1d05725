/// Decodes Avro datums into the columns of a batch, following a ``DecodePlan``.
///
/// All reads are checked against the end of the record: no bytes can make it crash. Strings are handed on as the bytes
/// that they are, valid UTF-8 or not (checking would cost as much as decoding); who turns them into text repairs them,
/// as `String(decoding:)` does. Text of `json` columns is always valid. Booleans, enum indices and union branches of
/// skipped simple fields are stepped over, not judged.
/// Threads: one at a time.
public final class AvroDecoder {
    public let plan: DecodePlan
    let key: HashKey
    let text = OutputBuffer()
    let operations: UnsafeMutablePointer<DecodePlan.Operation>
    let operationCount: Int
    let targets: UnsafeMutablePointer<Target>
    /// Every value of a column's decimal type is smaller in magnitude.
    let decimalLimits: [Int128?]

    /// Where a column's values go, as plain pointers for the duration of one call.
    struct Target {
        var values: UnsafeMutableRawPointer?
        var nulls: UnsafeMutablePointer<Bool>?
        var plain: Unmanaged<BytesVector>?
        var dictionary: Unmanaged<StringDictionary>?
        var isNullable = false
    }

    /// `key` is that of the pipeline's hash columns.
    public init(plan: DecodePlan, key: HashKey) {
        self.plan = plan
        self.key = key
        operationCount = plan.operations.count
        operations = .allocate(capacity: max(operationCount, 1))
        for (index, operation) in plan.operations.enumerated() { (operations + index).initialize(to: operation) }
        targets = .allocate(capacity: max(plan.columns.count, 1))
        targets.initialize(repeating: Target(), count: max(plan.columns.count, 1))
        decimalLimits = plan.columns.map {
            if case .decimal(let precision, _) = $0.type { AvroDecimal.limit(precision: precision) } else { nil }
        }
    }

    deinit {
        operations.deallocate()
        targets.deallocate()
    }

    /// Appends the records `entries` of the block as rows, in order.
    ///
    /// `batch` must have the plan's columns; a dictionary column keeps the dictionary that it has. `prefixBytes` at the
    /// front of each value are stepped over (5 for ``WireFormat``). A bad record leaves no row in any column (a
    /// dictionary may keep one of its strings) and is reported with its index in `block.entries`.
    /// Returns the number of rows added.
    @discardableResult
    public func decode(
        _ block: RecordBlock, entries: Range<Int>, prefixBytes: Int, into batch: RecordBatch,
        onError: (Int, AvroDecodeError) -> Void
    ) -> Int {
        let firstRow = batch.rowCount
        prepare(batch, rows: firstRow + entries.count)
        var row = firstRow
        for index in entries {
            let entry = block.entries[index]
            guard entry.valueLength >= prefixBytes else {
                onError(index, AvroDecodeError(entry.valueLength < 0 ? .noValue : .truncated))
                continue
            }
            let start = UnsafePointer(block.bytes) + entry.valueStart
            let fault = decodeRecord(start + prefixBytes, start + entry.valueLength, row)
            if fault == 0 {
                row += 1
            } else {
                rollBack(batch, to: row)
                onError(index, error(fault))
            }
        }
        finish(batch, from: firstRow, to: row)
        return row - firstRow
    }

    /// A fault as ``decodeRecord`` packs it: reason in the low byte, operation + 1 above it.
    private func error(_ fault: Int) -> AvroDecodeError {
        let reason = AvroDecodeError.Reason(rawValue: UInt8(truncatingIfNeeded: fault)) ?? .truncated
        let operation = fault >> 8 - 1
        return AvroDecodeError(reason, field: operation >= 0 ? plan.paths[operation] : nil)
    }

    private func prepare(_ batch: RecordBatch, rows: Int) {
        precondition(batch.columns.count == plan.columns.count, "the batch has other columns than the plan")
        for (index, column) in batch.columns.enumerated() {
            var target = Target(isNullable: plan.columns[index].isNullable)
            switch column {
            case .boolean(let vector): point(&target, vector, rows)
            case .int64(let vector): point(&target, vector, rows)
            case .int128(let vector): point(&target, vector, rows)
            case .double(let vector): point(&target, vector, rows)
            case .hash(let vector): point(&target, vector, rows)
            case .bytes(let vector): target.plain = .passUnretained(vector)
            case .dictionary(let vector, let dictionary):
                point(&target, vector, rows)
                target.dictionary = .passUnretained(dictionary)
            }
            targets[index] = target
        }
    }

    private func point<T>(_ target: inout Target, _ vector: FixedVector<T>, _ rows: Int) {
        vector.reserve(rows)
        target.values = UnsafeMutableRawPointer(vector.values)
        target.nulls = vector.nulls
    }

    /// Fixed-width columns are simply overwritten by the next record; byte columns may have one row too many.
    private func rollBack(_ batch: RecordBatch, to row: Int) {
        for case .bytes(let vector) in batch.columns { vector.truncate(to: min(row, vector.count)) }
    }

    private func finish(_ batch: RecordBatch, from first: Int, to end: Int) {
        fillConstants(batch, from: first, to: end)
        for column in batch.columns {
            switch column {
            case .boolean(let vector): settle(vector, first, end)
            case .int64(let vector): settle(vector, first, end)
            case .int128(let vector): settle(vector, first, end)
            case .double(let vector): settle(vector, first, end)
            case .hash(let vector): settle(vector, first, end)
            case .dictionary(let vector, _): settle(vector, first, end)
            case .bytes: break
            }
        }
        batch.rowCount = end
    }

    private func settle<T>(_ vector: FixedVector<T>, _ first: Int, _ end: Int) {
        var nulls = 0
        for row in first..<end { nulls &+= vector.nulls[row] ? 1 : 0 }
        vector.count = end
        vector.nullCount += nulls
    }
}
