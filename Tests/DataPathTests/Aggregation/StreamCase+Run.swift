import DataPath
import Testing

extension StreamCase {
    enum Mode: CaseIterable, Sendable { case final, corrected, updates, restored }

    /// Runs the engine; a final row that appears twice is reported as `twice`.
    func run(_ rows: [TestRow], mode: Mode) throws -> (table: ResultTable, late: Int, twice: Int, lateRecords: Set<Int>)
    {
        let emission: EmissionMode =
            switch mode {
            case .updates: .updates
            case .corrected: .corrected
            case .final, .restored: .final
            }
        let mayComeTwice = mode == .updates || mode == .corrected && lateness > 0
        var lateRecords: Set<Int> = []
        let key = HashKey(k0: 1, k1: 2)
        let spec = spec
        var shards = try (0..<shards).map { _ in try ShardAggregator(spec: spec, hashKey: key) }
        let local = try LocalAggregator(spec: spec, hashKey: key)
        let columns: [ColumnSpec] = [
            ColumnSpec("timestamp", .timestamp), ColumnSpec("shop", .long, isNullable: true),
            ColumnSpec("amount", .double, isNullable: true), ColumnSpec("units", .long, isNullable: true),
        ]
        // Three inputs: strings as codes, as bytes, and the counted one as hashes where no maximum needs it.
        let coded =
            columns + [
                ColumnSpec("country", .string, isNullable: true, encoding: .dictionary),
                ColumnSpec("user", .string, isNullable: true, encoding: .dictionary),
            ]
        let plain =
            [
                ColumnSpec("user", .string, isNullable: true), ColumnSpec("country", .string, isNullable: true),
            ] + columns
        let schemas = [BatchSchema(coded), BatchSchema(plain)]
        for schema in schemas { _ = try local.bind(schema) }
        let batches = schemas.map { RecordBatch(schema: $0) }
        var highest = [Int64](repeating: .min, count: partitions)
        var table: ResultTable = [:]
        var (late, twice) = (0, 0)
        var batchNumber = 0

        func collect(_ batch: RecordBatch) {
            for (key, value) in Self.read(batch) {
                if !mayComeTwice, table[key] != nil { twice += 1 }
                if kind == .session, mode == .updates {
                    // As a sink does it.
                    let window = Self.window(key)
                    for other in table.keys where Self.window(other).group == window.group {
                        let inner = Self.window(other)
                        if inner.start >= window.start, inner.end <= window.end { table[other] = nil }
                    }
                }
                table[key] = value
            }
        }
        func collectLate(_ shard: ShardAggregator) {
            let records = shard.takeLateRecords().map { Int($0[0]) << 8 | Int($0[1]) }
            for record in records where !lateRecords.insert(record).inserted { twice += 1 }
        }
        func pass(watermark: Int64, onlyClosed: Bool = false) throws {
            for (index, partial) in try local.extract(shardCount: shards.count).enumerated() {
                guard let partial else { continue }
                // Every other case goes as between processes.
                if seed % 2 == 0 {
                    try partial.encoded().withUnsafeBytes { try shards[index].merge(encoded: $0) }
                } else {
                    try shards[index].merge(partial)
                }
            }
            for shard in shards {
                let out = RowOutput(schema: ShardAggregator.resultSchema(spec)) { collect($0) }
                shard.advance(watermark: watermark)
                try shard.takeDue(emission, onlyClosed: onlyClosed, into: out)
                out.finish()
                collectLate(shard)
            }
        }
        var position = 0
        while position < rows.count {
            let slice = rows[position..<min(position + batchSize, rows.count)]
            position += slice.count
            let input = batchNumber % 2
            let batch = batches[input]
            batch.removeAll()
            var maxima: [Int64] = []
            var selection: [Int32] = []
            for row in slice {
                maxima.append(highest[row.partition])
                highest[row.partition] = max(highest[row.partition], row.time)
                if let units = row.units, units > 10 { selection.append(Int32(maxima.count - 1)) }
                for (index, column) in batch.schema.columns.enumerated() {
                    switch column.name {
                    case "timestamp": Self.put(row.time, batch.columns[index])
                    case "shop": Self.put(row.shop, batch.columns[index])
                    case "units": Self.put(row.units, batch.columns[index])
                    case "amount": Self.put(row.amount, batch.columns[index])
                    case "country": Self.put(row.country, batch.columns[index])
                    default: Self.put(row.user, batch.columns[index])
                    }
                }
            }
            batch.rowCount = slice.count
            late += try selection.withUnsafeBufferPointer { filtered in
                try local.update(
                    input: input, batch: batch,
                    measureSelections: [nil, nil, nil, nil, nil, nil, nil, nil, nil, filtered], runningMax: maxima
                ).late
            }
            #expect(local.lateRows.count <= slice.count)
            for maybe in local.maybeLateRows {
                let number = position - slice.count + Int(maybe.row)
                local.keep([UInt8(number >> 8), UInt8(number & 255)], of: maybe)
            }
            batchNumber += 1
            if batchNumber % extractEvery == 0 {
                let lowest = highest.min() ?? .min
                try pass(
                    watermark: lowest == .min ? .min : lowest - delay, onlyClosed: batchNumber / extractEvery % 3 == 1)
                if mode == .restored, batchNumber % (extractEvery * 3) == 0 {
                    // Dealt to another number of shards each time.
                    let count = shards.count % 3 + 1
                    late += shards.reduce(0) { $0 + $1.lateCount }
                    let saved = try shards.map { shard in
                        var bytes: [UInt8] = []
                        try shard.serialize(into: &bytes, fingerprint: "f")
                        return bytes
                    }
                    shards = try (0..<count).map { number in
                        let shard = try ShardAggregator(spec: spec, hashKey: key)
                        for bytes in saved {
                            try bytes.withUnsafeBytes {
                                try shard.restore(from: $0, fingerprint: "f") {
                                    LocalAggregator.shard(of: $0, count: count) == number
                                }
                            }
                        }
                        return shard
                    }
                }
            }
        }
        try pass(watermark: .max)
        #expect(shards.allSatisfy { $0.openGroups == 0 && ($0.lateCount == 0 || kind == .session) })
        late += shards.reduce(0) { $0 + $1.lateCount }
        return (table, late, twice, lateRecords)
    }

    static func put<T>(_ value: T?, _ column: ColumnVector) {
        switch (column, value) {
        case (.int64(let vector), let value as Int64): vector.append(value)
        case (.double(let vector), let value as Double): vector.append(value)
        case (.bytes(let vector), let value as String): vector.append(value)
        case (.dictionary(let vector, let dictionary), let value as String):
            vector.append(Array(value.utf8).withUnsafeBytes { dictionary.code(for: $0) })
        case (.int64(let vector), _): vector.appendNull()
        case (.double(let vector), _): vector.appendNull()
        case (.bytes(let vector), _): vector.appendNull()
        case (.dictionary(let vector, _), _): vector.appendNull()
        default: Issue.record("no such column")
        }
    }

    static func read(_ batch: RecordBatch) -> [(String, String)] {
        (0..<batch.rowCount).map { row in
            let cells = batch.columns.map { cell($0, row) }
            return (cells[..<4].joined(separator: "|"), cells[4...].joined(separator: ","))
        }
    }

    static func window(_ key: String) -> (start: Int64, end: Int64, group: String) {
        let parts = key.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false)
        return (Int64(parts[0]) ?? 0, Int64(parts[1]) ?? 0, String(parts[2]))
    }

    static func cell(_ column: ColumnVector, _ row: Int) -> String {
        switch column {
        case .int64(let vector): vector.nulls[row] ? "null" : "\(vector.values[row])"
        case .int128(let vector): vector.nulls[row] ? "null" : "\(vector.values[row])"
        case .double(let vector): vector.nulls[row] ? "null" : "\(vector.values[row])"
        case .boolean(let vector): vector.nulls[row] ? "null" : "\(vector.values[row])"
        case .bytes(let vector): vector.nulls[row] ? "null" : vector.string(row)
        default: "?"
        }
    }
}
