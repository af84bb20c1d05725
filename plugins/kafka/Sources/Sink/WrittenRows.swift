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
