internal import DataPath
internal import Diagnostics
internal import PluginAPI
internal import SQLiteClient

/// Upserts batches into one table by one prepared statement. Threads: the connection's.
final class UpsertWriter {
    private let statement: SQLiteStatement
    /// Of a table whose rows replace those inside their windows, and the columns that it names.
    private let deletion: SQLiteStatement?
    private let deletionColumns: [Int]
    private let table: String
    private let columns: [ColumnSpec]
    /// Rendered cells of the row that is being bound; SQLite reads them until `step` returns.
    private let scratch: ByteBuffer

    /// No timestamp, date or decimal is longer.
    private static let longestScalar = 64

    init(_ table: TableDefinition, _ connection: SQLiteConnection) throws {
        statement = try connection.prepare(SQLText.upsert(table))
        deletion = table.replacesInside ? try connection.prepare(SQLText.deleteInside(table)) : nil
        deletionColumns = table.columns.indices.filter { table.key.contains(table.columns[$0].name) }
        columns = table.columns
        self.table = table.name
        scratch = ByteBuffer(capacity: Self.longestScalar * table.columns.count)
    }

    /// Upserts every row that the table takes; ``RefusedRows`` names the others, after the last row.
    func write(_ rows: RecordBatch) throws {
        var refused: [RefusedRows.Row] = []
        for row in 0..<rows.rowCount {
            do {
                try upsert(row, of: rows)
            } catch let error as SQLiteError where error.isAboutRow {
                let reason = error.isRaised ? "a trigger or function of the database refuses the row" : error.message
                refused.append(.init(row: row, column: nil, reason: "table '\(table)': \(reason)"))
                continue
            }
            if let deletion { try deleteInside(deletion, rows, row) }
        }
        if !refused.isEmpty { throw RefusedRows(code: .sinkFailed, rows: refused) }
    }

    private func upsert(_ row: Int, of rows: RecordBatch) throws {
        scratch.removeAll()
        // Reserved as a whole: bound pointers must not move while the row's other cells are rendered.
        scratch.reserve(Self.longestScalar * columns.count)
        for index in columns.indices {
            try bind(statement, Int32(index + 1), rows.columns[index], columns[index].type, row)
        }
        _ = try statement.step()
        statement.reset()
    }

    private func deleteInside(_ deletion: SQLiteStatement, _ rows: RecordBatch, _ row: Int) throws {
        scratch.removeAll()
        scratch.reserve(Self.longestScalar * columns.count)
        for index in deletionColumns {
            try bind(deletion, Int32(index + 1), rows.columns[index], columns[index].type, row)
        }
        _ = try deletion.step()
        deletion.reset()
    }

    private func bind(
        _ statement: SQLiteStatement, _ index: Int32, _ column: ColumnVector, _ type: LogicalType, _ row: Int
    ) throws {
        switch column {
        case .boolean(let vector):
            if vector.nulls[row] { return try statement.bindNull(index) }
            try statement.bind(index, vector.values[row] ? Int64(1) : Int64(0))
        case .int64(let vector):
            if vector.nulls[row] { return try statement.bindNull(index) }
            switch type {
            case .timestamp:
                try bindRendered(statement, index) {
                    TextFormat.writeTimestamp(vector.values[row], style: .sqlite, to: $0)
                }
            case .date: try bindRendered(statement, index) { TextFormat.writeDate(vector.values[row], to: $0) }
            default: try statement.bind(index, vector.values[row])
            }
        case .int128(let vector):
            if vector.nulls[row] { return try statement.bindNull(index) }
            var scale = 0
            if case .decimal(_, let declared) = type { scale = declared }
            try bindRendered(statement, index) { TextFormat.writeDecimal(vector.values[row], scale: scale, to: $0) }
        case .double(let vector):
            if vector.nulls[row] { return try statement.bindNull(index) }
            try statement.bind(index, vector.values[row])
        case .bytes(let vector):
            if vector.nulls[row] { return try statement.bindNull(index) }
            try bindBytes(statement, index, vector[row], type)
        case .dictionary(let codes, let dictionary):
            if codes.nulls[row] { return try statement.bindNull(index) }
            try bindBytes(statement, index, dictionary[codes.values[row]], type)
        case .hash:
            try statement.bindNull(index)
        }
    }

    private func bindBytes(
        _ statement: SQLiteStatement, _ index: Int32, _ bytes: UnsafeRawBufferPointer, _ type: LogicalType
    ) throws {
        if type == .bytes {
            try statement.bindBlob(index, bytes)
        } else {
            try statement.bindText(index, bytes)
        }
    }

    private func bindRendered(
        _ statement: SQLiteStatement, _ index: Int32, _ render: (ByteBuffer) -> Void
    ) throws {
        let start = scratch.count
        render(scratch)
        try statement.bindText(
            index, UnsafeRawBufferPointer(start: scratch.bytes + start, count: scratch.count - start))
    }
}
