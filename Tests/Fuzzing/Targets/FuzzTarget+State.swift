import DataPath

/// State of an aggregation as checkpoints hold it.
extension FuzzTarget {
    /// A shard's saved state: restored or refused; saved again it is the state that a second restore gives, and rows can
    /// be made of it. The first byte chooses the window.
    static let state = FuzzTarget("state") { input in
        guard let (variant, saved) = input.variant else { return }
        let spec = FuzzAggregation.spec(variant)
        let first = try shard(spec)
        do {
            try first.restore(from: saved, fingerprint: fingerprint)
        } catch is AggregationError {
            return
        }
        var bytes: [UInt8] = []
        try first.serialize(into: &bytes, fingerprint: fingerprint)
        let second = try shard(spec)
        try bytes.withUnsafeBytes { try second.restore(from: $0, fingerprint: fingerprint) }
        try promise(second.openGroups == first.openGroups, "\(first.openGroups) groups, then \(second.openGroups)")
        try promise(rows([first]) == rows([second]), "other rows after a second restore")
    }

    /// Several pieces of one shard's state, each after its length (two bytes): restored together or refused; saved again
    /// in other pieces they are the same state, in whatever order they are given and to however many shards. The first
    /// byte chooses the window, the second the size of the pieces. The target puts the header before each piece, so that
    /// what is behind it is reached.
    static let pieces = FuzzTarget("pieces") { input in
        guard let (variant, rest) = input.variant, let (size, contents) = rest.variant else { return }
        let spec = FuzzAggregation.spec(variant)
        let whole = try shard(spec)
        let header = try header(spec)
        do {
            for piece in lengthPrefixed(contents) {
                try (header + piece).withUnsafeBytes { try whole.restore(from: $0, fingerprint: fingerprint) }
            }
        } catch is AggregationError {
            return
        }
        var saved: [[UInt8]] = []
        try whole.serialize(fingerprint: fingerprint, groupsPerPiece: Int(size % 5) + 1) { saved.append(Array($0)) }
        let groups = whole.openGroups
        let expected = rows([whole])
        for count in 1...3 {
            let shards = try (0..<count).map { number in
                let shard = try shard(spec)
                for piece in count == 2 ? saved.reversed() : saved {
                    try piece.withUnsafeBytes { bytes in
                        try shard.restore(
                            from: bytes, fingerprint: fingerprint,
                            filter: { LocalAggregator.shard(of: $0, count: count) == number })
                    }
                }
                return shard
            }
            let dealt = shards.reduce(0) { $0 + $1.openGroups }
            try promise(dealt == groups, "\(groups) groups, then \(dealt) in \(count) shards")
            try promise(rows(shards) == expected, "other rows from \(count) shards")
        }
    }

    private static let fingerprint = "f"

    private static func shard(_ spec: AggregationSpec) throws -> ShardAggregator {
        try ShardAggregator(spec: spec, hashKey: HashKey(k0: 1, k1: 2))
    }

    /// What stands before the clocks and the panes of every piece: of state without any, all but three clocks and a count.
    private static func header(_ spec: AggregationSpec) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try shard(spec).serialize(into: &bytes, fingerprint: fingerprint)
        return bytes.dropLast(4 * 8)
    }

    /// The last one may be shorter than it says.
    private static func lengthPrefixed(_ contents: UnsafeRawBufferPointer) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = contents[...]
        while rest.count >= 2 {
            let length = Int(rest[rest.startIndex]) | Int(rest[rest.startIndex + 1]) << 8
            rest = rest.dropFirst(2)
            pieces.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return pieces
    }

    /// All rows, open windows too, sorted; one word in place of them when there are errors (a sum may be too large for its
    /// type).
    private static func rows(_ shards: [ShardAggregator]) -> [String] {
        var rows: [String] = []
        do throws(AggregationError) {
            for shard in shards {
                let batch = RecordBatch(schema: ShardAggregator.resultSchema(shard.spec))
                try shard.takeDue(.updates, into: batch)
                try shard.takeOpen(into: batch)
                rows += lines(batch).split(separator: "\n").map(String.init)
            }
        } catch {
            return ["error"]
        }
        return rows.sorted()
    }
}
