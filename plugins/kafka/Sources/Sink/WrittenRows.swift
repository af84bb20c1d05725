import DataPath
import PluginAPI

/// What earlier runs wrote to a table's topic behind a checkpoint: rows that the run which goes on from there will give
/// again, and that are not to be written twice.
///
/// Of an aggregation's rows the newest of each key counts: a row that equals it is there already, whatever lay between,
/// and any other one is written, so the newest record of a key is always right. Raw rows, and rows without a key, are
/// each given again as often as they were written. Rows are known by 128-bit hashes.
struct WrittenRows {
    enum Kind: UInt8 {
        /// Value by key.
        case newest
        /// Number of times by value.
        case each
    }

    /// More rows than these are not remembered: they are written again. About 150 MiB.
    static let limit = 2_000_000

    let kind: Kind
    /// Drawn by the first run, so that nobody can make rows that are taken for others.
    let hashKey: HashKey
    private(set) var rows: [Hash128: Hash128] = [:]
    /// Rows that were not remembered.
    private(set) var overflow = 0

    init(_ table: TableDefinition) {
        kind = table.content == .rawEvents || table.key.isEmpty ? .each : .newest
        hashKey = .random()
    }

    init(_ kind: Kind, _ hashKey: HashKey, rows: [Hash128: Hash128] = [:]) {
        self.kind = kind
        self.hashKey = hashKey
        self.rows = rows
    }

    var isEmpty: Bool { rows.isEmpty }

    /// Takes note of a record, in the order of its partition.
    ///
    /// - Parameter isElsewhere: The key's records go to another partition now: those there are newer.
    mutating func note(key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer, isElsewhere: Bool) {
        let content = sipHash128(value, key: hashKey)
        let name = kind == .each ? content : sipHash128(key ?? value, key: hashKey)
        guard let known = rows[name] else {
            if rows.count < Self.limit {
                rows[name] = kind == .each ? Hash128(low: 1, high: 0) : content
            } else {
                overflow += 1
            }
            return
        }
        switch kind {
        case .each: rows[name] = Hash128(low: known.low + 1, high: 0)
        case .newest: if !isElsewhere { rows[name] = content }
        }
    }

    /// Whether a row that is given now is there already. Whatever the answer, it is given once.
    mutating func takes(key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer) -> Bool {
        guard !rows.isEmpty else { return false }
        let content = sipHash128(value, key: hashKey)
        switch kind {
        case .newest:
            guard let newest = rows.removeValue(forKey: sipHash128(key ?? value, key: hashKey)) else { return false }
            return newest == content
        case .each:
            guard let count = rows[content]?.low else { return false }
            rows[content] = count > 1 ? Hash128(low: count - 1, high: 0) : nil
            return true
        }
    }
}

/// What a checkpoint keeps of a table's topic: where it ended, and what still lay before that which the run had not given
/// again.
struct TopicState {
    /// By partition.
    var ends: [Int64]
    var written: WrittenRows

    private static let version: UInt8 = 1

    var bytes: [UInt8] {
        var bytes = [Self.version, written.kind.rawValue]
        bytes.reserveCapacity(40 + 8 * ends.count + 32 * written.rows.count)
        func put(_ word: UInt64) { withUnsafeBytes(of: word.littleEndian) { bytes += $0 } }
        put(written.hashKey.k0)
        put(written.hashKey.k1)
        put(UInt64(ends.count))
        for end in ends { put(UInt64(bitPattern: end)) }
        put(UInt64(written.rows.count))
        for (name, content) in written.rows {
            for hash in [name, content] {
                put(hash.low)
                put(hash.high)
            }
        }
        return bytes
    }

    init(ends: [Int64], written: WrittenRows) {
        self.ends = ends
        self.written = written
    }

    /// Nil when the bytes are not what ``bytes`` gives.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 2, bytes[0] == Self.version, let kind = WrittenRows.Kind(rawValue: bytes[1]),
            (bytes.count - 2) % 8 == 0
        else { return nil }
        let words = bytes.withUnsafeBytes { raw in
            stride(from: 2, to: raw.count, by: 8).map {
                UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: $0, as: UInt64.self))
            }
        }
        var cursor = 0
        func word() -> UInt64? {
            guard cursor < words.count else { return nil }
            defer { cursor += 1 }
            return words[cursor]
        }
        guard let k0 = word(), let k1 = word(), let partitions = word(), partitions <= UInt64(words.count) else {
            return nil
        }
        ends = (0..<Int(partitions)).compactMap { _ in word().map(Int64.init(bitPattern:)) }
        guard ends.count == Int(partitions), let count = word(), count <= UInt64(words.count),
            words.count - cursor == 4 * Int(count)
        else { return nil }
        var rows: [Hash128: Hash128] = [:]
        rows.reserveCapacity(Int(count))
        for start in stride(from: cursor, to: words.count, by: 4) {
            rows[Hash128(low: words[start], high: words[start + 1])] =
                Hash128(low: words[start + 2], high: words[start + 3])
        }
        written = WrittenRows(kind, HashKey(k0: k0, k1: k1), rows: rows)
    }
}
