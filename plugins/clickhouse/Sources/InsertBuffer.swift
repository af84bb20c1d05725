internal import DataPath
internal import PluginAPI

/// Rows of one table that the server does not have yet.
final class InsertBuffer {
    let statement: String
    private(set) var bytes = ByteBuffer()
    private(set) var rowCount = 0
    private let encoder: RowBinaryEncoder

    /// A buffer that held more gives its memory back.
    private static let keptCapacity = 16 << 20

    init(_ table: TableDefinition, _ sql: SQLText) {
        statement = sql.insert(table)
        encoder = RowBinaryEncoder(table.columns, sql.version)
    }

    /// A name for these very rows in this table: 128 bits of the statement and the body, versions included. So the same
    /// token means the same bytes, and a row that comes again with a new version has a token of its own.
    var deduplicationToken: String {
        var statement = statement
        let table = statement.withUTF8 { sipHash128(UnsafeRawBufferPointer($0), key: HashKey(k0: 0, k1: 0)) }
        let hash = sipHash128(bytes.contents, key: HashKey(k0: table.low, k1: table.high))
        return [hash.high, hash.low].map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }.joined()
    }

    func append(_ rows: RecordBatch, firstVersion: UInt64) throws {
        try encoder.append(rows, firstVersion: firstVersion, to: bytes)
        rowCount += rows.rowCount
    }

    func removeAll() {
        if bytes.capacity > Self.keptCapacity { bytes = ByteBuffer() } else { bytes.removeAll() }
        rowCount = 0
    }
}
