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
        do {
            for piece in lengthPrefixed(contents) {
                try framed(piece, spec, part: 0).withUnsafeBytes {
                    try whole.restore(from: $0, fingerprint: fingerprint)
                }
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

    /// Several parts of a shard's state, whole and then what changed, each after its length (two bytes): restored together
    /// or refused; saved again they are the same state, also when more changes and is saved as a further part. The first byte
    /// chooses the window. The target puts the header before each part.
    static let parts = FuzzTarget("parts") { input in
        guard let (variant, contents) = input.variant else { return }
        let spec = FuzzAggregation.spec(variant)
        let first = try shard(spec)
        let given = lengthPrefixed(contents)
        do {
            try restore(try given.enumerated().map { try framed($1, spec, part: UInt32($0)) }, into: first)
        } catch is AggregationError {
            return
        }
        let groups = first.openGroups
        var saved: [[UInt8]] = [[]]
        try first.serialize(into: &saved[0], fingerprint: fingerprint)
        // Nothing has changed since: a further part says so.
        saved.append([])
        try first.serialize(fingerprint: fingerprint, onlyChanges: true) { saved[1] = Array($0) }
        for count in 1...2 {
            let second = try shard(spec)
            try restore(Array(saved.prefix(count)), into: second)
            try promise(second.openGroups == groups, "\(groups) groups, then \(second.openGroups) of \(count) parts")
            let (expected, found) = (rows([try restored(saved[0], spec)]), rows([second]))
            try promise(found == expected, "other rows after a second restore from \(count) parts")
        }
    }

    private static func restored(_ saved: [UInt8], _ spec: AggregationSpec) throws -> ShardAggregator {
        let shard = try shard(spec)
        try saved.withUnsafeBytes { try shard.restore(from: $0, fingerprint: fingerprint) }
        return shard
    }

    private static func restore(_ parts: [[UInt8]], into shard: ShardAggregator) throws {
        try StateRestorer(shard, fingerprint: fingerprint).restore(parts: parts.count) { part, take in
            try parts[part].withUnsafeBytes { try take($0) }
        }
    }

    private static let fingerprint = "f"

    private static func shard(_ spec: AggregationSpec) throws -> ShardAggregator {
        try ShardAggregator(spec: spec, hashKey: HashKey(k0: 1, k1: 2))
    }

    /// A piece as it is saved, its three clocks and what follows them given: what stands before them, and the number of
    /// the part, are right.
    private static func framed(_ piece: [UInt8], _ spec: AggregationSpec, part: UInt32) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try shard(spec).serialize(into: &bytes, fingerprint: fingerprint)
        // Of state without anything: three clocks, the part's number, and how many panes were removed and are there.
        let header = bytes.dropLast(3 * 8 + 4 + 2 * 8)
        return header + piece.prefix(3 * 8) + withUnsafeBytes(of: part.littleEndian, Array.init)
            + piece.dropFirst(3 * 8)
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
