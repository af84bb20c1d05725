import Testing

@testable import DataPath

@Suite("Distinct values, strictly")
struct StrictDistinctTests {
    private static let key = HashKey(k0: 5, k1: 6)
    private static let values = ["", "a", "b", "ab", "ba", "a\u{0}", String(repeating: "long", count: 20)]

    private static func states(strict: Bool) throws -> any MeasureStates {
        try MeasureSpec(
            name: "m", function: .countDistinct, column: "x", inputType: .string, resultType: .long, isStrict: strict
        ).makeStates(hashKey: key)
    }

    /// Counts every value twice in each of three groups, the first of which gets all of them, the second one less, and so on. All
    /// values have the same hash.
    private static func fill(_ states: any MeasureStates) throws {
        let dictionary = StringDictionary()
        let codes = FixedVector<UInt32>()
        var rows: [Int32] = []
        var groups: [Int32] = []
        for group in 0..<3 {
            for value in values.dropLast(group) + values.dropLast(group) {
                rows.append(Int32(codes.count))
                groups.append(Int32(group))
                codes.append(Array(value.utf8).withUnsafeBytes { dictionary.code(for: $0) })
            }
        }
        states.resize(to: 3)
        let hashes = [Hash128](repeating: Hash128(low: 1, high: 2), count: values.count)
        try hashes.withUnsafeBufferPointer { hashes in
            let column = MeasureColumn(vector: .dictionary(codes, dictionary), codeHashes: hashes.baseAddress)
            try rows.withUnsafeBufferPointer { rows in
                try groups.withUnsafeBufferPointer { groups in
                    guard let rows = rows.baseAddress, let groups = groups.baseAddress else { return }
                    try states.update(column, RowGroups(rows: rows, groups: groups, count: codes.count))
                }
            }
        }
    }

    private static func counts(_ states: any MeasureStates) throws -> [Int64] {
        let result = FixedVector<Int64>()
        try (0..<Int32(states.count)).map { $0 }.withUnsafeBufferPointer { try states.finish($0, into: .int64(result)) }
        return (0..<result.count).map { result.values[$0] }
    }

    @Test("values with the same hash are two, where hashes alone see one")
    func collisions() throws {
        let strict = try Self.states(strict: true)
        try Self.fill(strict)
        #expect(try Self.counts(strict) == [7, 6, 5])
        let hashed = try Self.states(strict: false)
        try Self.fill(hashed)
        hashed.settle()
        #expect(try Self.counts(hashed) == [1, 1, 1])
    }

    @Test("the values of groups go with them: merged, divided, written and read")
    func movements() throws {
        let strict = try Self.states(strict: true)
        try Self.fill(strict)
        // Twice the same, the groups in another order and one left out.
        let merged = try Self.states(strict: true)
        merged.resize(to: 3)
        for _ in 0..<2 { try merged.merge(strict, map: [2, -1, 0]) }
        #expect(try Self.counts(merged) == [5, 0, 7])

        let parts = [try Self.states(strict: true), try Self.states(strict: true)]
        parts[0].resize(to: 1)
        parts[1].resize(to: 2)
        try strict.split(into: parts, part: [1, 0, 1], index: [1, 0, 0])
        #expect(try parts.map(Self.counts) == [[6], [5, 7]])

        let writer = StateWriter()
        try ([0, 2] as [Int32]).withUnsafeBufferPointer {
            strict.serialize(GroupRun(first: 0, groups: $0, numbers: nil), into: writer)
        }
        let read = try Self.states(strict: true)
        read.resize(to: 2)
        var reader = StateReader(writer.bytes)
        try read.restore(from: &reader)
        #expect(reader.isAtEnd)
        #expect(try Self.counts(read) == [7, 5])
        // What was read is the same values: nothing is added. Their hashes are those of the key now.
        var again = StateReader(writer.bytes)
        try read.restore(from: &again)
        #expect(try Self.counts(read) == [7, 5])
    }

    @Test("a group that is written is not there in memory after all is forgotten")
    func forgetting() throws {
        let strict = try Self.states(strict: true)
        try Self.fill(strict)
        #expect(strict.keptValues == 18)
        strict.removeAll()
        #expect(strict.keptValues == 0 && strict.count == 0)
        try Self.fill(strict)
        #expect(try Self.counts(strict) == [7, 6, 5])
    }

    @Test("state of hashes is not read as values, nor the other way round")
    func otherState() throws {
        func shard(_ strict: Bool) throws -> ShardAggregator {
            try ShardAggregator(
                spec: AggregationSpec(
                    name: "t", window: WindowSpec(durationMilliseconds: 10), groups: [],
                    measures: [
                        MeasureSpec(
                            name: "m", function: .countDistinct, column: "x", inputType: .string, resultType: .long,
                            isStrict: strict)
                    ], watermarkDelayMilliseconds: 0), hashKey: Self.key)
        }
        for strict in [true, false] {
            var bytes: [UInt8] = []
            try shard(strict).serialize(into: &bytes, fingerprint: "f")
            #expect(throws: AggregationError.self) {
                try bytes.withUnsafeBytes { try shard(!strict).restore(from: $0, fingerprint: "f") }
            }
        }
    }
}
