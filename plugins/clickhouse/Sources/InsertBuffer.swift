internal import DataPath
internal import Diagnostics
internal import PluginAPI

/// Rows of one table that the server does not have yet.
final class InsertBuffer {
    let statement: String
    private let table: TableDefinition
    private(set) var bytes = ByteBuffer()
    private(set) var rowCount = 0
    private let encoder: RowBinaryEncoder
    /// The same rows as they came, with the version of the first: what the server refuses is told by them.
    private var batches: [(rows: RecordBatch, firstVersion: UInt64)] = []

    /// A buffer that held more gives its memory back.
    private static let keptCapacity = 16 << 20

    init(_ table: TableDefinition, _ sql: SQLText) {
        self.table = table
        statement = sql.insert(table)
        encoder = RowBinaryEncoder(table.columns, sql.version)
    }

    /// A name for these very rows in this table: 128 bits of the statement and the body, versions included. So the same
    /// token means the same bytes, and a row that comes again with a new version has a token of its own.
    func deduplicationToken(_ bytes: ByteBuffer) -> String {
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
        batches.append((rows, firstVersion))
        rowCount += rows.rowCount
    }

    /// Sends all rows; those that a constraint refuses are given back, and all others are sent.
    ///
    /// Rows of a refused insert are tried in halves: about 2 · log2(rows) inserts for each one refused. Rows that come twice
    /// keep their versions, so they replace themselves.
    func send(_ insert: (ByteBuffer) throws -> Void) throws -> [RefusedBatch] {
        do {
            try insert(bytes)
            return []
        } catch is ViolatedConstraint {
            return try batches.compactMap { batch in
                let rows = try sift(batch, insert)
                return rows.isEmpty
                    ? nil
                    : RefusedBatch(
                        table: table, rows: batch.rows, refused: RefusedRows(code: .clickHouseRefused, rows: rows))
            }
        }
    }

    private func sift(
        _ batch: (rows: RecordBatch, firstVersion: UInt64), _ insert: (ByteBuffer) throws -> Void
    ) throws -> [RefusedRows.Row] {
        var refused: [RefusedRows.Row] = []
        var parts = [0..<batch.rows.rowCount]
        let body = ByteBuffer()
        while let part = parts.popLast() {
            body.removeAll()
            try encoder.append(batch.rows, part: part, firstVersion: batch.firstVersion, to: body)
            do {
                try insert(body)
            } catch let violation as ViolatedConstraint {
                if part.count == 1 {
                    refused.append(.init(row: part.lowerBound, column: nil, reason: violation.reason))
                } else {
                    let middle = part.lowerBound + part.count / 2
                    parts += [middle..<part.upperBound, part.lowerBound..<middle]
                }
            }
        }
        return refused
    }

    func removeAll() {
        batches = []
        if bytes.capacity > Self.keptCapacity { bytes = ByteBuffer() } else { bytes.removeAll() }
        rowCount = 0
    }
}
