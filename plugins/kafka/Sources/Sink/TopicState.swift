import DataPath

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
