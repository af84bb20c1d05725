import DataPath
import Testing

@Suite("Memory of state")
struct MemoryTests {
    static let spec = AggregationSpec(
        name: "t", window: WindowSpec(durationMilliseconds: 1000), groups: [ColumnSpec("key", .long)],
        measures: [
            MeasureSpec(name: "n", function: .count, column: nil, inputType: nil, resultType: .long),
            MeasureSpec(name: "u", function: .countDistinct, column: "key", inputType: .long, resultType: .long),
        ], watermarkDelayMilliseconds: 0)
    static let key = HashKey(k0: 1, k1: 2)

    /// A shard, and what feeds it groups of these keys in a window.
    final class Feed {
        let shard: ShardAggregator
        private let local: LocalAggregator
        private let batch = RecordBatch(
            schema: BatchSchema([ColumnSpec("timestamp", .timestamp), ColumnSpec("key", .long)]))
        private let input: Int

        init(_ budget: MemoryBudget? = nil) throws {
            shard = try ShardAggregator(spec: spec, hashKey: key, account: budget?.account(of: 0))
            local = try LocalAggregator(spec: spec, hashKey: key, account: budget?.account(of: 0))
            input = try local.bind(batch.schema)
        }

        func add(_ keys: Range<Int64>, time: Int64 = 5, extracts: Bool = true) throws {
            batch.removeAll()
            guard case .int64(let times) = batch.columns[0], case .int64(let values) = batch.columns[1] else { return }
            for key in keys {
                times.append(time)
                values.append(key)
            }
            batch.rowCount = keys.count
            try local.update(
                input: input, batch: batch, runningMax: [Int64](repeating: .min, count: keys.count))
            guard extracts else { return }
            for case let partial? in try local.extract(shardCount: 1) { try shard.merge(partial) }
        }
    }

    @Test("what is held grows with groups, and is given back when their window closes")
    func growsAndShrinks() throws {
        let budget = MemoryBudget(limitBytes: 1 << 30, names: ["t"])
        let feed = try Feed(budget)
        try feed.add(0..<1000)
        let few = budget.heldBytes
        for number in 1..<40 { try feed.add(Int64(number) * 1000..<Int64(number + 1) * 1000) }
        let many = budget.heldBytes
        // Key, hash, count, pair of the set: no less than 60 bytes each.
        #expect(many - few > 39_000 * 60)
        #expect(many - few < 39_000 * 400)
        feed.shard.advance(watermark: 1_000_000)
        try feed.shard.takeDue(.final, into: RecordBatch(schema: ShardAggregator.resultSchema(Self.spec)))
        #expect(budget.heldBytes < many - 39_000 * 60)
    }

    @Test("what is held is what the shard has, however batches meet", arguments: 0..<6)
    func heldIsKept(seed: Int) throws {
        var random = SeededGenerator(state: UInt64(seed))
        let budget = MemoryBudget(limitBytes: 1 << 30, names: ["t"])
        let feed = try Feed(budget)
        try feed.add(0..<2000)
        // What the local tables hold does not grow any more.
        let others = budget.heldBytes - feed.shard.memoryBytes
        for _ in 0..<30 {
            let first = Int64.random(in: 0..<3000, using: &random)
            try feed.add(
                first..<first + .random(in: 1...900, using: &random), time: 1000 * .random(in: 0...4, using: &random))
            #expect(budget.heldBytes - feed.shard.memoryBytes == others)
        }
    }

    @Test("rows that go to and fro between hundreds of panes are in their own")
    func manyPanes() throws {
        let feed = try Feed()
        for number in 0..<3000 {
            try feed.add(0..<1, time: Int64(number * 7919 % 1000) * 1000, extracts: number % 500 == 499)
        }
        feed.shard.advance(watermark: .max)
        let rows = RecordBatch(schema: ShardAggregator.resultSchema(Self.spec))
        try feed.shard.takeDue(.final, into: rows)
        guard case .int64(let starts) = rows.columns[0], case .int64(let counts) = rows.columns[rows.columns.count - 2]
        else { return }
        #expect((0..<rows.rowCount).map { starts.values[$0] } == (0..<1000).map { $0 * 1000 })
        #expect((0..<rows.rowCount).allSatisfy { counts.values[$0] == 3 })
    }

    @Test("everything is given back with its owners")
    func givenBack() throws {
        let budget = MemoryBudget(limitBytes: 1 << 30, names: ["t"])
        do {
            let feed = try Feed(budget)
            try feed.add(0..<5000)
            #expect(budget.heldBytes > 0)
        }
        #expect(budget.heldBytes == 0)
    }

    @Test("the limit stops before memory is taken, and says who holds it", arguments: [1 << 21, 5_000_000, 1 << 23])
    func limit(_ limit: Int) throws {
        let budget = MemoryBudget(limitBytes: limit, names: ["t"])
        let feed = try Feed(budget)
        var shortage: MemoryShortage?
        do {
            for number in 0..<1000 {
                try feed.add(Int64(number) * 1000..<Int64(number + 1) * 1000)
                #expect(budget.heldBytes <= limit)
            }
        } catch AggregationError.memoryLimit(let found) {
            shortage = found
        }
        let found = try #require(shortage)
        #expect(feed.shard.memoryBytes <= limit && feed.shard.memoryBytes > limit / 5)
        #expect(found.limitBytes == limit && found.heldBytes <= limit && found.heldBytes + found.missingBytes > limit)
        #expect(found.holders.map(\.name) == ["t"])
        #expect(found.description.contains("aggregation 't' holds \(found.holders[0].groups) groups in "))
        #expect(found.description.contains(" of \(limit == 5_000_000 ? "4883 KiB" : "\(limit >> 10) KiB") allowed"))
    }

    @Test(
        "pieces are the state, in whatever order and to how many shards they are given",
        arguments: [1, 7, 300, 1 << 14])
    func pieces(_ groupsPerPiece: Int) throws {
        let feed = try Feed()
        for time in [5, 1005, 2005] as [Int64] { for _ in 0..<2 { try feed.add(0..<300, time: time) } }
        var pieces: [[UInt8]] = []
        try feed.shard.serialize(fingerprint: "f", groupsPerPiece: groupsPerPiece) { pieces.append(Array($0)) }
        #expect(pieces.count == (900 + groupsPerPiece - 1) / groupsPerPiece || groupsPerPiece == 7)
        let shards = try (0..<2).map { number in
            let shard = try ShardAggregator(spec: Self.spec, hashKey: Self.key)
            for piece in pieces.reversed() {
                try piece.withUnsafeBytes {
                    try shard.restore(from: $0, fingerprint: "f") { LocalAggregator.shard(of: $0, count: 2) == number }
                }
            }
            return shard
        }
        #expect(shards.reduce(0) { $0 + $1.openGroups } == 900)
        let expected = (0..<300).flatMap { key in Array(repeating: "\(key),2,1", count: 3) }.sorted()
        #expect(try AggregationCoverageTests.open(shards, Self.spec) == expected)
    }

    @Test("state without groups is a piece too: its watermarks")
    func emptyState() throws {
        let feed = try Feed()
        feed.shard.advance(watermark: 77)
        var pieces: [[UInt8]] = []
        try feed.shard.serialize(fingerprint: "f") { pieces.append(Array($0)) }
        let other = try ShardAggregator(spec: Self.spec, hashKey: Self.key)
        for piece in pieces { try piece.withUnsafeBytes { try other.restore(from: $0, fingerprint: "f") } }
        #expect(pieces.count == 1 && other.watermark == 77)
    }

    @Test("state that does not fit is refused when it is read")
    func restoreLimit() throws {
        let feed = try Feed()
        for number in 0..<20 { try feed.add(Int64(number) * 1000..<Int64(number + 1) * 1000) }
        let budget = MemoryBudget(limitBytes: 1 << 20, names: ["t"])
        let other = try ShardAggregator(spec: Self.spec, hashKey: Self.key, account: budget.account(of: 0))
        #expect(throws: AggregationError.self) {
            try feed.shard.serialize(fingerprint: "f", groupsPerPiece: 512) {
                try other.restore(from: $0, fingerprint: "f")
            }
        }
        #expect(other.memoryBytes <= 1 << 20)
    }

    @Test("rows come in batches of bounded size")
    func rowBatches() throws {
        let feed = try Feed()
        for number in 0..<20 { try feed.add(Int64(number) * 1000..<Int64(number + 1) * 1000) }
        var counts: [Int] = []
        let rows = RowOutput(schema: ShardAggregator.resultSchema(Self.spec), rowLimit: 6000) {
            counts.append($0.rowCount)
        }
        try feed.shard.takeDue(.updates, into: rows)
        rows.finish()
        #expect(counts.reduce(0, +) == 20_000)
        #expect(counts == [8192, 8192, 3616])
    }

    @Test("a small limit on bytes cuts batches too")
    func byteBatches() throws {
        let feed = try Feed()
        for number in 0..<20 { try feed.add(Int64(number) * 1000..<Int64(number + 1) * 1000) }
        var largest = 0
        let rows = RowOutput(schema: ShardAggregator.resultSchema(Self.spec), byteLimit: 100_000) {
            largest = max(largest, $0.rowCount)
        }
        try feed.shard.takeDue(.updates, into: rows)
        #expect(largest == RowOutputStep.rows)
    }

    /// Groups between two looks at the size of a batch.
    private enum RowOutputStep { static let rows = 4096 }
}
