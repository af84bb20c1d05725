import DataPath
import Testing

@Suite("State in parts: all of it, then what changed")
struct StatePartsTests {
    struct Story: CustomStringConvertible, Sendable {
        var stream: StreamCase
        var mode: EmissionMode
        var description: String { "\(stream.kind) \(stream) \(mode)" }
    }

    static let stories: [Story] = (0..<2).flatMap { round in
        [
            (WindowSpec.Kind.sliding, 20, 20, EmissionMode.updates), (.sliding, 20, 20, .final),
            (.sliding, 20, 5, .corrected), (.sliding, 60, 20, .updates), (.cumulate, 20, 5, .updates),
            (.cumulate, 30, 10, .final), (.session, 12, 12, .updates), (.session, 6, 6, .final),
            (.session, 40, 40, .updates),
        ].enumerated().map { number, window in
            Story(
                stream: StreamCase(
                    seed: UInt64(round * 100 + number + 1), duration: window.1, slide: window.2,
                    delay: [3, 30, 100][(round + number) % 3], lateness: number % 2 == 0 ? 0 : 9,
                    partitions: round % 2 + 1, batchSize: 0, shards: round % 3 + 1, extractEvery: 0, kind: window.0),
                mode: window.3)
        }
    }

    /// Two runs of one history: one writes parts, the other everything each time. Whenever state is written, what the parts
    /// give to any number of shards is what the whole gives.
    @Test("parts give the state that the whole gives, whatever happened between them", arguments: stories)
    func equality(_ story: Story) throws {
        var random = SeededGenerator(state: story.stream.seed)
        let (own, twin) = (try StateHistory(story.stream), try StateHistory(story.stream))
        var rows = story.stream.rows(count: 220)[...]
        var parts: [[[[UInt8]]]] = []
        var longest = 0
        while !rows.isEmpty {
            let batch = Array(rows.prefix(Int.random(in: 1...25, using: &random)))
            rows = rows.dropFirst(batch.count)
            for history in [own, twin] { try history.add(batch) }
            if Int.random(in: 0..<3, using: &random) > 0 {
                let (rows, expected) = (try own.emit(story.mode), try twin.emit(story.mode))
                #expect(rows == expected)
            }
            guard Int.random(in: 0..<2, using: &random) == 0 else { continue }
            let beginsAnew = parts.count > Int.random(in: 3...9, using: &random)
            if beginsAnew { parts = [] }
            let pieceSize = [1, 3, 1 << 14].randomElement(using: &random) ?? 1
            parts.append(try own.save(onlyChanges: !beginsAnew, groupsPerPiece: pieceSize))
            longest = max(longest, parts.count)
            let whole = try twin.save(onlyChanges: false)
            let count = Int.random(in: 1...3, using: &random)
            let restored = try own.restored(from: parts, shardCount: count)
            let expected = try twin.restored(from: [whole], shardCount: count)
            let images = try [restored, expected].map { try StateHistory.image(of: $0, own.spec) }
            // Not the images themselves: they are long.
            let isEqual = images[0] == images[1]
            try #require(isEqual, "\(parts.count) parts, \(rows.count) rows left")
            if Int.random(in: 0..<6, using: &random) == 0 {
                try own.restart(from: parts, shardCount: count)
                try twin.restart(from: [whole], shardCount: count)
                parts = []
            }
        }
        #expect(longest > 3)
    }

    //   pane   [ A B C . . D . . . E )      all of it is saved
    //   then   A, B and C close: the pane is made anew without them; D closes, and stays in the pane until it is made anew
    @Test("a session that closed stays closed, also in a pane that was made anew since it was written")
    func closedAfterCopy() throws {
        var stream = Self.stream
        stream.delay = 0
        func row(_ country: String, _ time: Int64) -> TestRow {
            TestRow(partition: 0, time: time, country: country, shop: nil, amount: nil, units: nil, user: nil)
        }
        let images = try [true, false].map { onlyChanges in
            let history = try StateHistory(stream)
            try history.add([row("A", 1), row("B", 2), row("C", 3), row("D", 7), row("E", 11)])
            _ = try history.emit(.updates)
            let whole = try history.save(onlyChanges: false)
            for time in [15, 19] as [Int64] {
                try history.add([row("later", time)])
                _ = try history.emit(.updates)
            }
            let last = try history.save(onlyChanges: onlyChanges)
            let shards = try history.restored(from: onlyChanges ? [whole, last] : [last], shardCount: 1)
            #expect(shards[0].openGroups == 2)
            return try StateHistory.image(of: shards, history.spec)
        }
        let isEqual = images[0] == images[1]
        #expect(isEqual)
    }

    @Test("a part is as large as what changed: 1 of 100 groups take less than 5 of 100 bytes")
    func size() throws {
        let feed = try MemoryTests.Feed()
        try feed.add(0..<100_000)
        let whole = try written(feed, onlyChanges: false)
        try feed.add(50_000..<51_000)
        let changes = try written(feed, onlyChanges: true)
        #expect(changes * 20 < whole, "\(changes) bytes of \(whole)")
        let nothing = try written(feed, onlyChanges: true)
        #expect(nothing < 300)
    }

    private func written(_ feed: MemoryTests.Feed, onlyChanges: Bool) throws -> Int {
        var bytes = 0
        try feed.shard.serialize(fingerprint: "f", onlyChanges: onlyChanges) { bytes += $0.count }
        return bytes
    }

    /// Counts distinct values in one group, which it writes part by part.
    private final class DistinctFeed {
        let spec: AggregationSpec
        let shard: ShardAggregator
        private let column = ColumnSpec("x", .long)
        private let local: LocalAggregator
        private let input: Int
        private(set) var parts: [[[UInt8]]] = []

        init() throws {
            spec = AggregationCoverageTests.spec(column, grouped: false)
            local = try LocalAggregator(spec: spec, hashKey: AggregationCoverageTests.key)
            shard = try ShardAggregator(spec: spec, hashKey: AggregationCoverageTests.key)
            input = try local.bind(AggregationCoverageTests.batch(column, []).schema)
        }

        func add(_ values: Range<Int>) throws {
            let batch = AggregationCoverageTests.batch(column, Array(values))
            let maxima = [Int64](repeating: .min, count: values.count)
            try local.update(input: input, batch: batch, runningMax: maxima)
            for case let partial? in try local.extract(shardCount: 1) { try shard.merge(partial) }
        }

        /// Gives the bytes of the part.
        func save() throws -> Int {
            parts.append([])
            try shard.serialize(fingerprint: "f", onlyChanges: true) { parts[parts.count - 1].append(Array($0)) }
            return parts[parts.count - 1].reduce(0) { $0 + $1.count }
        }
    }

    @Test("of a large set of distinct values those are written that came; all of them when they are many")
    func distinctValues() throws {
        let feed = try DistinctFeed()
        func bytes(_ values: Range<Int>) throws -> Int {
            try feed.add(values)
            return try feed.save()
        }
        #expect(try bytes(0..<40_000) > 40_000 * 16)
        // Ten that are new, a thousand that are not.
        #expect(try bytes(39_000..<40_010) < 1000)
        #expect(try bytes(40_000..<40_001) < 500)
        #expect(try bytes(40_010..<60_000) > 60_000 * 16)
        #expect(try bytes(60_000..<60_010) < 1000)
        let other = try ShardAggregator(spec: feed.spec, hashKey: AggregationCoverageTests.key)
        try StateRestorer(other, fingerprint: "f").restore(parts: feed.parts.count) { part, take in
            for piece in feed.parts[part] { try piece.withUnsafeBytes(take) }
        }
        #expect(try AggregationCoverageTests.open([other], feed.spec) == ["61011,60010,0,60009"])
    }

    @Test("values that came are counted as memory until they are written, and an eighth of the set at most is kept")
    func memory() throws {
        let feed = try DistinctFeed()
        for values in [0..<49_990, 49_990..<50_000] { try feed.add(values) }
        _ = try feed.save()
        let before = feed.shard.memoryBytes
        try feed.add(49_000..<50_000)
        #expect(feed.shard.memoryBytes == before)
        try feed.add(50_000..<51_000)
        let listed = feed.shard.memoryBytes - before
        #expect(listed >= 1000 * 16 && listed < 4000 * 16)
        _ = try feed.save()
        #expect(feed.shard.memoryBytes == before)
        // The set has room for them.
        try feed.add(51_000..<61_000)
        #expect(feed.shard.memoryBytes == before)
    }

    // MARK: What does not belong together.

    private static let stream = StreamCase(
        seed: 77, duration: 12, slide: 12, delay: 30, lateness: 0, partitions: 1, batchSize: 0, shards: 1,
        extractEvery: 0, kind: .session)

    /// A whole and three parts of changes.
    private func parts() throws -> (history: StateHistory, parts: [[[[UInt8]]]]) {
        let history = try StateHistory(Self.stream)
        let rows = Self.stream.rows(count: 32)
        let parts = try (0..<4).map { number in
            try history.add(Array(rows[number * 8..<number * 8 + 8]))
            _ = try history.emit(.updates)
            return try history.save(onlyChanges: true)
        }
        return (history, parts)
    }

    @Test(
        "parts that are missing, doubled, or in another order are refused",
        arguments: [[1, 2, 3], [0, 1, 3], [0, 2, 3], [0, 1, 1, 2, 3], [0, 2, 1, 3], [3, 2, 1, 0], [1], [0, 0]])
    func order(_ order: [Int]) throws {
        let (history, parts) = try parts()
        #expect(throws: AggregationError.corruptState(reason: "its parts do not belong together")) {
            try history.restored(from: order.map { parts[$0] }, shardCount: 1)
        }
        // Fewer of them are the state of before.
        _ = try history.restored(from: [parts[0], parts[1]], shardCount: 2)
    }

    @Test("a part without a piece is refused")
    func empty() throws {
        let (history, parts) = try parts()
        #expect(throws: AggregationError.corruptState(reason: "a part of it is empty")) {
            try history.restored(from: [parts[0], [[]]], shardCount: 1)
        }
    }

    @Test("changes are not read as a whole")
    func partAlone() throws {
        let (history, parts) = try parts()
        let shard = try ShardAggregator(spec: history.spec, hashKey: StateHistory.key)
        #expect(throws: AggregationError.self) {
            try parts[1][0][0].withUnsafeBytes { try shard.restore(from: $0, fingerprint: "f") }
        }
    }

    @Test("a part with any byte changed is refused or read, and never crashes", arguments: [1, 3])
    func damage(_ part: Int) throws {
        let (history, whole) = try parts()
        let bytes = whole[part][0][0]
        for position in bytes.indices {
            var damaged = Array(whole[...part])
            damaged[part][0][0][position] ^= position % 2 == 0 ? 1 : 0x80
            do {
                let shards = try history.restored(from: damaged, shardCount: 1)
                let out = RecordBatch(schema: ShardAggregator.resultSchema(history.spec))
                shards[0].advance(watermark: 1 << 50)
                try shards[0].takeDue(.updates, into: out)
                _ = try history.image()
            } catch is AggregationError {
                continue
            }
        }
    }
}
