import DataPath
import Testing

@Suite("Aggregation against a naive reference")
struct AggregationTests {
    // Windows 20 long; sliding by 5, by 15 (panes of 5), tumbling:
    //
    //     tumbling      |---------|---------|
    //     slide 5       |---------|
    //                      |---------|
    //     slide 15      |---------|
    //                           |---------|        (overlap of one pane)
    static let cases: [StreamCase] = [1, 7, 1024].flatMap { batch in
        [(20, 20, 10, 0, 1), (20, 5, 10, 0, 3), (20, 15, 5, 7, 2), (20, 5, 0, 3, 2)].enumerated().map { number, w in
            StreamCase(
                seed: UInt64(number + 1), duration: w.0, slide: w.1, delay: w.2, lateness: w.3, partitions: w.4,
                batchSize: batch, shards: number % 3 + 1, extractEvery: batch == 1 ? 9 : number % 2 + 1,
                isStrict: batch == 7)
        }
    }

    /// Windows of 20 that grow by 5, as above; the last with panes that grow by 10 and allowed lateness.
    static let cumulating: [StreamCase] = [1, 7, 1024].flatMap { batch in
        [(20, 5, 10, 0, 1), (20, 5, 0, 0, 3), (30, 10, 3, 9, 2)].enumerated().map { number, w in
            StreamCase(
                seed: UInt64(number + 11), duration: w.0, slide: w.1, delay: w.2, lateness: w.3, partitions: w.4,
                batchSize: batch, shards: number % 3 + 1, extractEvery: batch == 1 ? 9 : number % 2 + 1,
                kind: .cumulate,
                isStrict: batch == 7)
        }
    }

    @Test(
        "any split, shard count and cadence gives the reference's rows", arguments: cases + cumulating,
        StreamCase.Mode.allCases)
    func matchesReference(_ stream: StreamCase, _ mode: StreamCase.Mode) throws {
        let rows = stream.rows(count: 400)
        let expected = stream.expected(rows)
        let result = try stream.run(rows, mode: mode)
        #expect(result.late == expected.late)
        #expect(result.twice == 0)
        let wrong = Set(expected.table.keys).union(result.table.keys).filter { expected.table[$0] != result.table[$0] }
        let first = wrong.sorted().first
        #expect(
            wrong.isEmpty,
            "\(wrong.count) of \(expected.table.count): \(first ?? ""): \(first.flatMap { expected.table[$0] } ?? "-") / \(first.flatMap { result.table[$0] } ?? "-")"
        )
    }
}
