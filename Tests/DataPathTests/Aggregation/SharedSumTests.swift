import DataPath
import Testing

@Suite("Sums and averages of one column")
struct SharedSumTests {
    private static let key = HashKey(k0: 5, k1: 6)
    private static let columns = [
        ColumnSpec("amount", .double, isNullable: true), ColumnSpec("units", .long, isNullable: true),
        ColumnSpec("price", .decimal(precision: 38, scale: 2), isNullable: true),
    ]

    private static func measures(of column: ColumnSpec) -> [MeasureSpec] {
        func measure(
            _ name: String, _ function: AggregateFunction, _ result: LogicalType, isFiltered: Bool = false
        ) -> MeasureSpec {
            MeasureSpec(
                name: "\(name)_\(column.name)", function: function, column: column.name, inputType: column.type,
                resultType: result, isFiltered: isFiltered)
        }
        let average: LogicalType = column.name == "price" ? .decimal(precision: 38, scale: 6) : .double
        return [
            measure("some", .sum, column.type, isFiltered: true), measure("avg", .avg, average),
            measure("sum", .sum, column.type), measure("again", .sum, column.type),
            measure("few", .avg, average, isFiltered: true),
        ]
    }

    /// Rows of the panes of a sliding window, counted by two threads, saved and read again in between.
    private func table(_ measures: [MeasureSpec]) throws -> [String] {
        let spec = AggregationSpec(
            name: "t", window: WindowSpec(durationMilliseconds: 50, slideMilliseconds: 10),
            groups: [ColumnSpec("group", .long)], measures: measures, watermarkDelayMilliseconds: 1000)
        let schema = BatchSchema([ColumnSpec("timestamp", .timestamp), ColumnSpec("group", .long)] + Self.columns)
        var shard = try ShardAggregator(spec: spec, hashKey: Self.key)
        let batch = RecordBatch(schema: schema)
        for part in 0..<4 {
            batch.removeAll()
            var filtered: [Int32] = []
            for row in 0..<50 {
                let number = Int64(part * 50 + row)
                guard case .int64(let times) = batch.columns[0], case .int64(let groups) = batch.columns[1],
                    case .double(let amounts) = batch.columns[2], case .int64(let units) = batch.columns[3],
                    case .int128(let prices) = batch.columns[4]
                else { return [] }
                times.append(number * 7 % 200)
                groups.append(number % 3)
                if number % 11 == 0 { amounts.appendNull() } else { amounts.append(number % 5 == 0 ? 1e300 : 0.1) }
                if number % 13 == 0 { units.appendNull() } else { units.append(number - 90) }
                prices.append(Int128(number) * 101)
                if number % 4 == 0 { filtered.append(Int32(row)) }
            }
            batch.rowCount = 50
            let local = try LocalAggregator(spec: spec, hashKey: Self.key)
            let input = try local.bind(schema)
            try filtered.withUnsafeBufferPointer { filtered in
                _ = try local.update(
                    input: input, batch: batch, measureSelections: measures.map { $0.isFiltered ? filtered : nil },
                    runningMax: [Int64](repeating: .min, count: 50))
            }
            for partial in try local.extract(shardCount: 1) { if let partial { try shard.merge(partial) } }
            var bytes: [UInt8] = []
            try shard.serialize(into: &bytes, fingerprint: "f")
            shard = try ShardAggregator(spec: spec, hashKey: Self.key)
            try bytes.withUnsafeBytes { try shard.restore(from: $0, fingerprint: "f") }
        }
        let out = RecordBatch(schema: ShardAggregator.resultSchema(spec))
        try shard.takeOpen(into: out)
        let key = (0..<out.rowCount).map { row in
            out.columns[..<3].map { StreamCase.cell($0, row) }.joined(separator: " ")
        }
        return measures.indices.flatMap { measure in
            (0..<out.rowCount).map { row in
                "\(measures[measure].name) \(key[row]) \(StreamCase.cell(out.columns[3 + measure], row))"
            }
        }.sorted()
    }

    @Test("they are those of each measure alone, filtered or not")
    func alone() throws {
        let all = Self.columns.flatMap(Self.measures)
        let together = try table(all)
        #expect(together.count > 1000)
        #expect(try together == all.flatMap { try table([$0]) }.sorted())
    }

    @Test("an average beside a sum takes no memory")
    func memory() throws {
        func bytes(_ functions: [AggregateFunction]) throws -> Int {
            let spec = AggregationSpec(
                name: "t", window: WindowSpec(durationMilliseconds: 1000), groups: [ColumnSpec("x", .double)],
                measures: functions.map {
                    MeasureSpec(name: "\($0)", function: $0, column: "x", inputType: .double, resultType: .double)
                }, watermarkDelayMilliseconds: 0)
            let schema = BatchSchema([ColumnSpec("timestamp", .timestamp), ColumnSpec("x", .double)])
            let (times, values) = (FixedVector<Int64>(), FixedVector<Double>())
            for number in 0..<1000 {
                times.append(1)
                values.append(Double(number))
            }
            let local = try LocalAggregator(spec: spec, hashKey: Self.key)
            let shard = try ShardAggregator(spec: spec, hashKey: Self.key)
            _ = try local.update(
                input: local.bind(schema),
                batch: RecordBatch(schema: schema, columns: [.int64(times), .double(values)], rowCount: 1000),
                runningMax: [Int64](repeating: .min, count: 1000))
            for partial in try local.extract(shardCount: 1) { if let partial { try shard.merge(partial) } }
            return shard.memoryBytes
        }
        #expect(try bytes([.sum, .avg]) == bytes([.sum]))
    }

    @Test("a result that does not fit names its own measure")
    func overflow() throws {
        let spec = AggregationSpec(
            name: "t", window: WindowSpec(durationMilliseconds: 1000), groups: [],
            measures: [
                MeasureSpec(name: "mean", function: .avg, column: "x", inputType: .long, resultType: .double),
                MeasureSpec(name: "total", function: .sum, column: "x", inputType: .long, resultType: .long),
            ], watermarkDelayMilliseconds: 0)
        let schema = BatchSchema([ColumnSpec("timestamp", .timestamp), ColumnSpec("x", .long)])
        let (times, values) = (FixedVector<Int64>(), FixedVector<Int64>())
        for _ in 0..<2 {
            times.append(1)
            values.append(.max)
        }
        let local = try LocalAggregator(spec: spec, hashKey: Self.key)
        let shard = try ShardAggregator(spec: spec, hashKey: Self.key)
        _ = try local.update(
            input: local.bind(schema),
            batch: RecordBatch(schema: schema, columns: [.int64(times), .int64(values)], rowCount: 2),
            runningMax: [.min, .min])
        for partial in try local.extract(shardCount: 1) { if let partial { try shard.merge(partial) } }
        #expect(throws: AggregationError.overflow(measure: "total")) {
            try shard.takeOpen(into: RecordBatch(schema: ShardAggregator.resultSchema(spec)))
        }
    }
}
