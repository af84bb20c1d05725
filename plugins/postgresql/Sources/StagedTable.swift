internal import DataPath
internal import Diagnostics
internal import PluginAPI
internal import PostgresClient

/// The rows of one table that are not yet committed, as the data of a binary COPY. Threads: one at a time.
final class StagedTable {
    let table: TableDefinition
    let number: Int
    /// The temporary table of the session, the same name in every session.
    private let stage: String
    private let sql: SQLText
    private let encoder: CopyEncoder
    private let buffer = ByteBuffer()
    /// The same rows as they came: what the server refuses is told by them.
    private var batches: [(first: Int64, rows: RecordBatch)] = []
    private var rowCount: Int64 = 0
    /// The session that has the temporary table.
    private weak var preparedFor: PostgresConnection?

    init(_ table: TableDefinition, number: Int, schema: String, replacesText: Bool) {
        self.table = table
        self.number = number
        stage = "streamplat_stage_\(number)"
        sql = SQLText(table, schema: schema)
        encoder = CopyEncoder(table.columns, replacesText: replacesText)
    }

    var isEmpty: Bool { rowCount == 0 }
    var byteCount: Int { rowCount == 0 ? 0 : buffer.count }

    func append(_ rows: RecordBatch) throws {
        if rowCount == 0 {
            buffer.removeAll()
            CopyEncoder.appendHeader(to: buffer)
        }
        try encoder.append(rows, firstNumber: rowCount, to: buffer)
        batches.append((rowCount, rows))
        rowCount += Int64(rows.rowCount)
    }

    /// Creates the temporary table if the session lacks it. Outside a transaction, which could take it back.
    func prepare(on connection: PostgresConnection) throws(PostgresError) {
        guard preparedFor !== connection else { return }
        try connection.execute("DROP TABLE IF EXISTS pg_temp.\(stage)")
        try connection.execute(sql.createStage(stage))
        preparedFor = connection
    }

    /// Sends the rows into the temporary table, inside a transaction. They stay here until ``removeAll()``.
    func copy(on connection: PostgresConnection) throws(PostgresError) {
        CopyEncoder.appendTrailer(to: buffer)
        defer { buffer.count -= 2 }
        try connection.copyIn(sql.copy(into: stage), buffer.contents)
    }

    /// Merges what was sent into the table, inside the same transaction.
    func merge(on connection: PostgresConnection) throws(PostgresError) {
        try merge(0..<rowCount, on: connection)
    }

    private func merge(_ rows: Range<Int64>, on connection: PostgresConnection) throws(PostgresError) {
        try connection.execute(sql.merge(from: stage, rows: rows))
        if table.replacesInside { try connection.execute(sql.deleteInside(from: stage, rows: rows)) }
    }

    /// Merges every row that the server takes, inside the same transaction, and gives the numbers of the others with the
    /// server's reasons. Rows are tried in halves: about 2 · log2(rows) statements for each one refused.
    func sift(on connection: PostgresConnection) throws(PostgresError) -> [(number: Int64, error: PostgresError)] {
        var refused: [(number: Int64, error: PostgresError)] = []
        // In the order of their numbers, as the last row of a key counts.
        var parts = [0..<rowCount]
        while let part = parts.popLast() {
            try connection.execute("SAVEPOINT streamplat_part")
            do {
                try merge(part, on: connection)
                try connection.execute("RELEASE SAVEPOINT streamplat_part")
            } catch  where PostgresFailure.isAboutRow(error) {
                try connection.execute("ROLLBACK TO SAVEPOINT streamplat_part")
                if part.count == 1 {
                    refused.append((part.lowerBound, error))
                } else {
                    let middle = part.lowerBound + Int64(part.count / 2)
                    parts += [middle..<part.upperBound, part.lowerBound..<middle]
                }
            }
        }
        return refused
    }

    /// Refused rows as the batches that they came in; the reason is `words` of the error.
    func batches(
        of refused: [(number: Int64, error: PostgresError)], words: (PostgresError) -> String
    ) -> [RefusedBatch] {
        batches.compactMap { batch in
            let end = batch.first + Int64(batch.rows.rowCount)
            let rows = refused.filter { $0.number >= batch.first && $0.number < end }.map { row in
                RefusedRows.Row(row: Int(row.number - batch.first), column: row.error.column, reason: words(row.error))
            }
            return rows.isEmpty
                ? nil
                : RefusedBatch(table: table, rows: batch.rows, refused: RefusedRows(code: .postgresValue, rows: rows))
        }
    }

    func removeAll() {
        batches = []
        buffer.removeAll()
        rowCount = 0
    }
}
