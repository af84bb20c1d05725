internal import DataPath
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
        try connection.execute(sql.merge(from: stage))
        if table.replacesInside { try connection.execute(sql.deleteInside(from: stage)) }
    }

    func removeAll() {
        buffer.removeAll()
        rowCount = 0
    }
}
