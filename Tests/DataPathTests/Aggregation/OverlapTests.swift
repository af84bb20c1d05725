import DataPath
import Glibc
import Testing

@Suite(
    "Overlapping windows",
    .enabled(if: getenv("STREAMPLAT_MEASURE") != nil, "a measurement: STREAMPLAT_MEASURE=1 makes it"))
struct OverlapTests {
    /// Processor time, in milliseconds, of a stream through windows of `overlap` minutes, one a minute; and the rows.
    private func cost(overlap: Int64, _ mode: EmissionMode) throws -> (milliseconds: Double, rows: Int) {
        let spec = AggregationSpec(
            name: "t", window: WindowSpec(durationMilliseconds: overlap * 60_000, slideMilliseconds: 60_000),
            groups: [ColumnSpec("shop", .long)],
            measures: [
                MeasureSpec(name: "n", function: .count, column: nil, inputType: nil, resultType: .long),
                MeasureSpec(name: "s", function: .sum, column: "amount", inputType: .long, resultType: .long),
                MeasureSpec(name: "m", function: .max, column: "amount", inputType: .long, resultType: .long),
                MeasureSpec(name: "u", function: .countDistinct, column: "user", inputType: .long, resultType: .long),
            ], watermarkDelayMilliseconds: 0)
        let key = HashKey(k0: 1, k1: 2)
        let (local, shard) = (
            try LocalAggregator(spec: spec, hashKey: key), try ShardAggregator(spec: spec, hashKey: key)
        )
        let schema = BatchSchema(
            ["timestamp", "shop", "amount", "user"].map { ColumnSpec($0, $0 == "timestamp" ? .timestamp : .long) })
        let input = try local.bind(schema)
        let batch = RecordBatch(schema: schema)
        var random = SeededGenerator(state: 5)
        var rows = 0
        var clock: Int64 = 0
        let begin = Self.processorTime()
        // Twelve hours, handed over every half hour.
        for _ in 0..<24 {
            batch.removeAll()
            var maxima: [Int64] = []
            for _ in 0..<2500 {
                maxima.append(clock)
                clock += 720
                let values = [
                    clock, Int64.random(in: 0..<20, using: &random), 1, Int64.random(in: 0..<500, using: &random),
                ]
                for (column, value) in zip(batch.columns, values) {
                    if case .int64(let vector) = column { vector.append(value) }
                }
            }
            batch.rowCount = 2500
            try local.update(input: input, batch: batch, runningMax: maxima)
            for case let partial? in try local.extract(shardCount: 1) { try shard.merge(partial) }
            shard.advance(watermark: clock)
            let out = RecordBatch(schema: ShardAggregator.resultSchema(spec))
            try shard.takeDue(mode, into: out)
            rows += out.rowCount
        }
        return (Self.processorTime() - begin, rows)
    }

    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1_000_000
    }

    // Of updates 60 windows have more rows than 10; a closed window has its rows once, however many overlap.
    @Test("60 overlapping windows cost less than twice what 10 do")
    func cost() throws {
        _ = try cost(overlap: 10, .final)
        let ten = try (0..<3).map { _ in try cost(overlap: 10, .final) }
        let sixty = try (0..<3).map { _ in try cost(overlap: 60, .final) }
        let (small, large) = (ten.map(\.milliseconds).min() ?? 0, sixty.map(\.milliseconds).min() ?? 0)
        print("10 windows: \(small) ms, 60 windows: \(large) ms")
        #expect(ten[0].rows > 600 * 20 && sixty[0].rows > 600 * 20)
        #expect(large < small * 2, "10 windows: \(small) ms, 60 windows: \(large) ms")
    }
}
