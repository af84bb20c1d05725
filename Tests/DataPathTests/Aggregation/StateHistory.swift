import DataPath

/// Feeds rows to shards, batch by batch, as a worker does. Threads: one.
final class StateHistory {
    static let key = HashKey(k0: 1, k1: 2)

    let spec: AggregationSpec
    var shards: [ShardAggregator]
    private let delay: Int64
    private let local: LocalAggregator
    private let batch: RecordBatch
    private let input: Int
    private var highest: [Int64]
    private var number = 0

    init(_ stream: StreamCase) throws {
        spec = stream.spec
        delay = stream.delay
        let spec = spec
        shards = try (0..<stream.shards).map { _ in try ShardAggregator(spec: spec, hashKey: Self.key) }
        local = try LocalAggregator(spec: spec, hashKey: Self.key)
        batch = RecordBatch(
            schema: BatchSchema([
                ColumnSpec("timestamp", .timestamp), ColumnSpec("country", .string, isNullable: true),
                ColumnSpec("shop", .long, isNullable: true), ColumnSpec("amount", .double, isNullable: true),
                ColumnSpec("units", .long, isNullable: true), ColumnSpec("user", .string, isNullable: true),
            ]))
        input = try local.bind(batch.schema)
        highest = Array(repeating: .min, count: stream.partitions)
    }

    /// Counts rows and hands them to the shards.
    func add(_ rows: [TestRow]) throws {
        batch.removeAll()
        var (maxima, selection): ([Int64], [Int32]) = ([], [])
        for row in rows {
            if let units = row.units, units > 10 { selection.append(Int32(maxima.count)) }
            maxima.append(highest[row.partition])
            highest[row.partition] = max(highest[row.partition], row.time)
            StreamCase.put(row.time, batch.columns[0])
            StreamCase.put(row.country, batch.columns[1])
            StreamCase.put(row.shop, batch.columns[2])
            StreamCase.put(row.amount, batch.columns[3])
            StreamCase.put(row.units, batch.columns[4])
            StreamCase.put(row.user, batch.columns[5])
        }
        batch.rowCount = rows.count
        _ = try selection.withUnsafeBufferPointer { filtered in
            try local.update(
                input: input, batch: batch,
                measureSelections: [nil, nil, nil, nil, nil, nil, nil, nil, nil, filtered], runningMax: maxima)
        }
        for maybe in local.maybeLateRows {
            number += 1
            local.keep([UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)], of: maybe)
        }
        for (index, partial) in try local.extract(shardCount: shards.count).enumerated() {
            if let partial { try shards[index].merge(partial) }
        }
    }

    /// Where the watermark stands.
    var watermark: Int64 {
        let lowest = highest.min() ?? .min
        return lowest == .min ? .min : lowest - delay
    }

    /// The rows that are due, sorted.
    func emit(_ mode: EmissionMode) throws -> [String] {
        let out = RecordBatch(schema: ShardAggregator.resultSchema(spec))
        for shard in shards {
            shard.advance(watermark: watermark)
            try shard.takeDue(mode, into: out)
        }
        return Self.lines(out)
    }

    static func lines(_ batch: RecordBatch) -> [String] {
        StreamCase.read(batch).map { "\($0.0)=\($0.1)" }.sorted()
    }

    /// What each shard writes, in pieces: everything, or what changed.
    func save(onlyChanges: Bool, groupsPerPiece: Int = 1 << 14) throws -> [[[UInt8]]] {
        try shards.map { shard in
            var pieces: [[UInt8]] = []
            try shard.serialize(fingerprint: "f", onlyChanges: onlyChanges, groupsPerPiece: groupsPerPiece) {
                pieces.append(Array($0))
            }
            return pieces
        }
    }

    /// New shards that read what was saved: by part, then by the shard that wrote it.
    func restored(from parts: [[[[UInt8]]]], shardCount: Int) throws -> [ShardAggregator] {
        try (0..<shardCount).map { number in
            let shard = try ShardAggregator(spec: spec, hashKey: Self.key)
            let restorer = StateRestorer(shard, fingerprint: "f") {
                LocalAggregator.shard(of: $0, count: shardCount) == number
            }
            for writer in parts[0].indices {
                try restorer.restore(parts: parts.count) { part, take in
                    for piece in parts[part][writer].shuffled() { try piece.withUnsafeBytes(take) }
                }
            }
            return shard
        }
    }

    /// Goes on with shards that read what was saved.
    func restart(from parts: [[[[UInt8]]]], shardCount: Int) throws {
        shards = try restored(from: parts, shardCount: shardCount)
    }

    /// See ``image(of:)``.
    func image() throws -> Set<[UInt8]> { try Self.image(of: shards, spec) }

    /// All state of some shards, a piece for each group of a pane: the watermarks, and the group's bytes with the distinct
    /// values of measure `u` in their order. Shards of one image are in the same state.
    ///
    /// What each of the shards has written of changes is forgotten.
    static func image(of shards: [ShardAggregator], _ spec: AggregationSpec) throws -> Set<[UInt8]> {
        let header =
            4 + 4 + (4 + 1) + 4 + 24 + 4 + 8 + 8
            + spec.measures.reduce(0) { $0 + 4 + "\($1.function.rawValue) \($1.name)".utf8.count }
        var image: Set<[UInt8]> = []
        for shard in shards {
            try shard.serialize(fingerprint: "f", groupsPerPiece: 1) { piece in
                func number(at place: Int) -> Int { Int(piece.loadUnaligned(fromByteOffset: place, as: UInt32.self)) }
                guard piece.count > header else {
                    image.insert(Array(piece))
                    return
                }
                // Pane, count of groups, hash, flags, key; counts n and a; then the values.
                let key = header + 16 + 8 + 8 + 1
                let values = key + 4 + number(at: key) + 16
                let end = values + 8 + number(at: values) * 16
                let pairs = stride(from: values + 8, to: end, by: 16).map { Array(piece[$0..<$0 + 16]) }
                    .sorted { $0.lexicographicallyPrecedes($1) }
                image.insert(Array(piece[..<values]) + pairs.joined() + Array(piece[end...]))
            }
        }
        return image
    }
}
