import DataPath
import Testing

@Suite("Measures")
struct MeasureTests {
    /// Aggregates one column in one tumbling window without groups and returns the results as text.
    func results(
        _ function: AggregateFunction, of values: ColumnVector, _ type: LogicalType, to result: LogicalType,
        groups: Bool = false
    ) throws -> [String] {
        let spec = AggregationSpec(
            name: "t", window: WindowSpec(durationMilliseconds: 1000),
            groups: groups ? [ColumnSpec("x", type, isNullable: true)] : [],
            measures: [MeasureSpec(name: "m", function: function, column: "x", inputType: type, resultType: result)],
            watermarkDelayMilliseconds: 0)
        let key = HashKey(k0: 3, k1: 4)
        let local = try LocalAggregator(spec: spec, hashKey: key)
        let shard = try ShardAggregator(spec: spec, hashKey: key)
        let schema = BatchSchema([ColumnSpec("timestamp", .timestamp), ColumnSpec("x", type, isNullable: true)])
        let times = FixedVector<Int64>()
        for _ in 0..<values.count { times.append(5) }
        let batch = RecordBatch(schema: schema, columns: [.int64(times), values], rowCount: values.count)
        let input = try local.bind(schema)
        for row in 0..<Int32(values.count) {
            // Row by row, extracted each time, so that merging is what is tested.
            try [row].withUnsafeBufferPointer {
                _ = try local.update(
                    input: input, batch: batch, selection: $0,
                    runningMax: [Int64](repeating: .min, count: values.count))
            }
            for partial in try local.extract(shardCount: 1) { if let partial { try shard.merge(partial) } }
        }
        let out = RecordBatch(schema: ShardAggregator.resultSchema(spec))
        try shard.takeOpen(into: out)
        let column = out.columns[out.columns.count - 1]
        return (0..<out.rowCount).map { StreamCase.cell(column, $0) }
    }

    func doubles(_ values: [Double]) -> ColumnVector {
        let vector = FixedVector<Double>()
        for value in values { vector.append(value) }
        return .double(vector)
    }

    func decimals(_ values: [Int128]) -> ColumnVector {
        let vector = FixedVector<Int128>()
        for value in values { vector.append(value) }
        return .int128(vector)
    }

    @Test(
        "a double sum is the exact one, rounded once",
        arguments: [
            ([1e308, 1e308, -1e308, -1e308, 1e-308], 1e-308),
            ([1e308, 1e308], .infinity),
            ([1e16, 1, -1e16], 1),
            ([1, 1e100, 1, -1e100], 2),
            ([0.1, 0.2, 0.3, -0.6], 2.7755575615628914e-17),
            ([5e-324, 5e-324, 1e308, -1e308], 1e-323),
            ([1, 0x1p-53, 0x1p-1074], 1.0000000000000002),
            ([-1, -0x1p-53, -0x1p-1074], -1.0000000000000002),
            ([1, 0x1p-53], 1),
            ([.infinity, 1e308, 1e308], .infinity),
        ] as [([Double], Double)])
    func exactSum(_ values: [Double], _ sum: Double) throws {
        #expect(try results(.sum, of: doubles(values), .double, to: .double) == ["\(sum)"])
        #expect(try results(.sum, of: doubles(values.reversed()), .double, to: .double) == ["\(sum)"])
    }

    @Test("both infinities, or a NaN, sum to NaN")
    func notANumber() throws {
        #expect(try results(.sum, of: doubles([.infinity, 1, -.infinity]), .double, to: .double) == ["nan"])
        #expect(try results(.sum, of: doubles([.nan, 1]), .double, to: .double) == ["nan"])
    }

    @Test("the two zeros are one group and value, and so are all NaNs")
    func zerosAndNaNs() throws {
        let values = doubles([0.0, -0.0, .nan, -.nan, .signalingNaN, 1])
        #expect(try results(.countDistinct, of: values, .double, to: .long) == ["3"])
        #expect(try results(.count, of: values, .double, to: .long, groups: true).sorted() == ["1", "2", "3"])
        #expect(try results(.max, of: values, .double, to: .double) == ["nan"])
        #expect(try results(.min, of: values, .double, to: .double) == ["0.0"])
    }

    @Test("a long sum that does not fit is an error, and one that comes back into range is not")
    func longOverflow() throws {
        let vector = FixedVector<Int64>()
        for value in [Int64.max, 1] { vector.append(value) }
        #expect(throws: AggregationError.overflow(measure: "m")) {
            try results(.sum, of: .int64(vector), .long, to: .long)
        }
        vector.append(-1)
        #expect(try results(.sum, of: .int64(vector), .long, to: .long) == ["\(Int64.max)"])
    }

    @Test("a decimal sum may leave 128 bits on the way, not at the end")
    func decimalOverflow() throws {
        let big = decimalLimit - 1
        let type = LogicalType.decimal(precision: 38, scale: 2)
        #expect(
            try results(.sum, of: decimals([big, big, -big, -big, 7]), type, to: type) == ["7"])
        #expect(throws: AggregationError.overflow(measure: "m")) {
            try results(.sum, of: decimals([big, 1]), type, to: type)
        }
    }

    @Test(
        "a decimal average is rounded half to even",
        arguments: [
            ([1, 2], 15000), ([1, 0, 0], 3333), ([2, 0, 0], 6667), ([-1, 0, 0], -3333),
        ] as [([Int128], Int128)])
    func decimalAverage(_ values: [Int128], _ average: Int128) throws {
        let type = LogicalType.decimal(precision: 38, scale: 2)
        #expect(
            try results(.avg, of: decimals(values), type, to: .decimal(precision: 38, scale: 6)) == ["\(average)"])
    }

    private var decimalLimit: Int128 { (0..<38).reduce(Int128(1)) { power, _ in power * 10 } }

    @Test("damaged or foreign state is refused, never trusted")
    func damagedState() throws {
        let stream = StreamCase(
            seed: 5, duration: 20, slide: 5, delay: 5, lateness: 0, partitions: 1, batchSize: 1, shards: 1,
            extractEvery: 1)
        let key = HashKey(k0: 1, k1: 2)
        let shard = try ShardAggregator(spec: stream.spec, hashKey: key)
        var bytes: [UInt8] = []
        try shard.serialize(into: &bytes, fingerprint: "one")
        #expect(throws: AggregationError.otherState(reason: "fingerprint")) {
            try bytes.withUnsafeBytes { try shard.restore(from: $0, fingerprint: "two") }
        }
        for length in 0..<bytes.count {
            #expect(throws: AggregationError.self) {
                try bytes[..<length].withUnsafeBytes { try shard.restore(from: $0, fingerprint: "one") }
            }
        }
    }
}
