import DataPath
import Testing

@Suite("Aggregation: types, edges and damage")
struct AggregationCoverageTests {
    static let key = HashKey(k0: 5, k1: 6)

    /// One value as a cell of a column of the type.
    static func put(_ value: Int, _ column: ColumnVector) {
        switch column {
        case .boolean(let vector): vector.append(value % 2 == 0)
        case .int64(let vector): vector.append(Int64(value))
        case .int128(let vector): vector.append(Int128(value) << 70)
        case .double(let vector): vector.append(Double(value) / 4)
        case .bytes(let vector): vector.append(text(value))
        case .dictionary(let vector, let dictionary):
            vector.append(Array(text(value).utf8).withUnsafeBytes { dictionary.code(for: $0) })
        case .hash(let vector):
            vector.append(Array(text(value).utf8).withUnsafeBytes { sipHash128($0, key: key) })
        }
    }

    static func text(_ value: Int) -> String { value % 7 == 0 ? "" : "text-\(value + 1000)" }

    /// The cell as ``StreamCase/cell(_:_:)`` writes it.
    static func cell(_ value: Int, _ type: LogicalType) -> String {
        switch type.physical {
        case .boolean: "\(value % 2 == 0)"
        case .int64: "\(value)"
        case .int128: "\(Int128(value) << 70)"
        case .double: "\(Double(value) / 4)"
        case .bytes: text(value)
        }
    }

    static func spec(
        _ column: ColumnSpec, _ window: WindowSpec = WindowSpec(durationMilliseconds: 1000), grouped: Bool
    ) -> AggregationSpec {
        func measure(_ name: String, _ function: AggregateFunction, _ type: LogicalType) -> MeasureSpec {
            MeasureSpec(name: name, function: function, column: "x", inputType: column.type, resultType: type)
        }
        let extremes = [measure("lo", .min, column.type), measure("hi", .max, column.type)]
        return AggregationSpec(
            name: "t", window: window, groups: grouped ? [column] : [],
            measures: [measure("n", .count, .long), measure("u", .countDistinct, .long)]
                + (column.encoding == .hash ? [] : extremes),
            watermarkDelayMilliseconds: 0)
    }

    static func batch(_ column: ColumnSpec, _ values: [Int], times: (Int) -> Int64 = { _ in 5 }) -> RecordBatch {
        let batch = RecordBatch(schema: BatchSchema([ColumnSpec("timestamp", .timestamp), column]))
        guard case .int64(let time) = batch.columns[0] else { return batch }
        for (index, value) in values.enumerated() {
            time.append(times(index))
            put(value, batch.columns[1])
        }
        batch.rowCount = values.count
        return batch
    }

    /// The open windows' rows, without the window's bounds.
    static func open(_ shards: [ShardAggregator], _ spec: AggregationSpec) throws -> [String] {
        let out = RecordBatch(schema: ShardAggregator.resultSchema(spec))
        for shard in shards { try shard.takeOpen(into: out) }
        return (0..<out.rowCount).map { row in
            out.columns[2...].map { StreamCase.cell($0, row) }.joined(separator: ",")
        }.sorted()
    }

    static let columns = [
        ColumnSpec("x", .boolean), ColumnSpec("x", .date), ColumnSpec("x", .decimal(precision: 38, scale: 2)),
        ColumnSpec("x", .double), ColumnSpec("x", .string), ColumnSpec("x", .string, encoding: .dictionary),
    ]

    @Test("groups, minima, maxima and distinct values of every type, in bulk", arguments: columns, [1, 3])
    func everyType(_ column: ColumnSpec, _ shardCount: Int) throws {
        var random = SeededGenerator(state: 9)
        for grouped in [true, false] {
            let spec = Self.spec(column, grouped: grouped)
            let local = try LocalAggregator(spec: spec, hashKey: Self.key)
            let shards = try (0..<shardCount).map { _ in try ShardAggregator(spec: spec, hashKey: Self.key) }
            var rows: [String: [Int]] = [:]
            var input: Int?
            for _ in 0..<3 {
                let values = (0..<700).map { _ in Int.random(in: -300...300, using: &random) }
                let batch = Self.batch(column, values)
                for value in values { rows[grouped ? Self.cell(value, column.type) : "", default: []].append(value) }
                let number = try input ?? local.bind(batch.schema)
                input = number
                let maxima = [Int64](repeating: .min, count: values.count)
                try local.update(input: number, batch: batch, runningMax: maxima)
                for (shard, partial) in zip(shards, try local.extract(shardCount: shardCount)) {
                    if let partial { try shard.merge(partial) }
                }
            }
            let expected = rows.map { group, values in
                let cells = values.map { Self.cell($0, column.type) }
                func least(_ isBefore: (Int, Int) -> Bool) -> String {
                    switch column.type.physical {
                    case .bytes: (isBefore(0, 1) ? cells.min() : cells.max()) ?? ""
                    case .boolean:
                        (isBefore(0, 1) ? cells.contains("false") : !cells.contains("true")) ? "false" : "true"
                    default: values.min(by: isBefore).map { Self.cell($0, column.type) } ?? ""
                    }
                }
                return ((grouped ? [group] : []) + ["\(cells.count)", "\(Set(cells).count)", least(<), least(>)])
                    .joined(separator: ",")
            }
            #expect(try Self.open(shards, spec) == expected.sorted())
        }
    }

    @Test("a column of hashes and the strings themselves count the same values")
    func hashes() throws {
        let values = (0..<20_000).map { $0 &* 7919 % 6001 }
        let column = ColumnSpec("x", .string, encoding: .hash)
        let spec = Self.spec(column, grouped: false)
        let local = try LocalAggregator(spec: spec, hashKey: Self.key)
        let shard = try ShardAggregator(spec: spec, hashKey: Self.key)
        for column in [column, ColumnSpec("x", .string)] {
            let batch = Self.batch(column, values)
            let maxima = [Int64](repeating: .min, count: values.count)
            try local.update(input: try local.bind(batch.schema), batch: batch, runningMax: maxima)
            for partial in try local.extract(shardCount: 1) { if let partial { try shard.merge(partial) } }
        }
        #expect(try Self.open([shard], spec) == ["40000,\(Set(values.map(Self.text)).count)"])
    }

    @Test("windows that were read while open are read again, whole, when they close; gaps between windows hold nothing")
    func openThenClosed() throws {
        // |--10--|          |--10--|      every 25
        let column = ColumnSpec("x", .long)
        let spec = Self.spec(
            column, WindowSpec(durationMilliseconds: 10, slideMilliseconds: 25), grouped: false)
        let local = try LocalAggregator(spec: spec, hashKey: Self.key)
        let shard = try ShardAggregator(spec: spec, hashKey: Self.key)
        let batch = Self.batch(column, Array(0..<20)) { Int64($0) }
        let input = try local.bind(batch.schema)
        for round in 1...2 {
            let maxima = [Int64](repeating: .min, count: 20)
            let counts = try local.update(input: input, batch: batch, runningMax: maxima)
            #expect(counts.outside == 10)
            for partial in try local.extract(shardCount: 1) { if let partial { try shard.merge(partial) } }
            #expect(try Self.open([shard], spec) == ["\(10 * round),10,0,9"])
        }
        let out = RecordBatch(schema: ShardAggregator.resultSchema(spec))
        shard.advance(watermark: 10)
        try shard.takeDue(.final, into: out)
        #expect(out.rowCount == 1)
        #expect(shard.openGroups == 0)
    }

    @Test("times at the limit are counted, those beyond are untimed", arguments: [1, -1])
    func extremeTimes(_ sign: Int64) throws {
        let column = ColumnSpec("x", .long)
        let spec = Self.spec(column, WindowSpec(durationMilliseconds: 20, slideMilliseconds: 5), grouped: false)
        let local = try LocalAggregator(spec: spec, hashKey: Self.key)
        let limit = WindowCalendar.timeLimit
        let times = [limit * sign, (limit + 1) * sign, sign < 0 ? .min : .max]
        let batch = Self.batch(column, [1, 2, 3]) { times[$0] }
        let maxima = [Int64](repeating: .min, count: 3)
        let counts = try local.update(input: try local.bind(batch.schema), batch: batch, runningMax: maxima)
        #expect(counts.counted == 1 && counts.untimed == 2)
    }

    @Test("state of before allowed lateness is read; a version that is not known is refused")
    func earlierState() throws {
        let column = ColumnSpec("x", .string)
        let spec = Self.spec(column, grouped: true)
        let local = try LocalAggregator(spec: spec, hashKey: Self.key)
        let shard = try ShardAggregator(spec: spec, hashKey: Self.key)
        let batch = Self.batch(column, [1, 2, 3, 7])
        let maxima = [Int64](repeating: .min, count: 4)
        try local.update(input: try local.bind(batch.schema), batch: batch, runningMax: maxima)
        for partial in try local.extract(shardCount: 1) { if let partial { try shard.merge(partial) } }
        var bytes: [UInt8] = []
        try shard.serialize(into: &bytes, fingerprint: "f")
        let rows = try Self.open([shard], spec)
        // Up to the boundary of final windows: magic, version, fingerprint, measures, watermark, closed-before. Behind it the
        // part's number and the count of removed panes.
        let header =
            4 + 4 + (4 + 1) + 4 + 16
            + spec.measures.reduce(0) { $0 + 4 + "\($1.function.rawValue) \($1.name)".utf8.count }
        for version in [2, 3] as [UInt8] {
            var earlier = bytes
            earlier[4] = version
            earlier.removeSubrange(header + 8..<header + 20)
            if version == 2 { earlier.removeSubrange(header..<header + 8) }
            let other = try ShardAggregator(spec: spec, hashKey: Self.key)
            try earlier.withUnsafeBytes { try other.restore(from: $0, fingerprint: "f") }
            #expect(try Self.open([other], spec) == rows)
        }
        let other = try ShardAggregator(spec: spec, hashKey: Self.key)
        for version in [0, 1, 5, 255] as [UInt8] {
            bytes[4] = version
            #expect(throws: AggregationError.otherState(reason: "format version \(version)")) {
                try bytes.withUnsafeBytes { try other.restore(from: $0, fingerprint: "f") }
            }
        }
    }

    @Test(
        "state with any byte changed is refused or read, and never crashes",
        arguments: [WindowSpec(durationMilliseconds: 1000), .session(gapMilliseconds: 1000)])
    func damage(_ window: WindowSpec) throws {
        let column = ColumnSpec("x", .string)
        let spec = Self.spec(column, window, grouped: true)
        let local = try LocalAggregator(spec: spec, hashKey: Self.key)
        let shard = try ShardAggregator(spec: spec, hashKey: Self.key)
        let batch = Self.batch(column, [1, 2, 3, 7])
        let maxima = [Int64](repeating: .min, count: 4)
        try local.update(input: try local.bind(batch.schema), batch: batch, runningMax: maxima)
        for partial in try local.extract(shardCount: 1) { if let partial { try shard.merge(partial) } }
        var bytes: [UInt8] = []
        try shard.serialize(into: &bytes, fingerprint: "f")
        for length in 0..<bytes.count {
            #expect(throws: AggregationError.self) {
                let other = try ShardAggregator(spec: spec, hashKey: Self.key)
                try bytes[..<length].withUnsafeBytes { try other.restore(from: $0, fingerprint: "f") }
            }
        }
        for position in bytes.indices {
            for flip in [1, 0x80, 0xFF] as [UInt8] {
                var damaged = bytes
                damaged[position] ^= flip
                let other = try ShardAggregator(spec: spec, hashKey: Self.key)
                do {
                    try damaged.withUnsafeBytes { try other.restore(from: $0, fingerprint: "f") }
                    _ = try Self.open([other], spec)
                    other.advance(watermark: 1 << 50)
                    try other.takeDue(.updates, into: RecordBatch(schema: ShardAggregator.resultSchema(spec)))
                } catch is AggregationError {
                    continue
                }
            }
        }
    }
}
