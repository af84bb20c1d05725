internal import DataPath
internal import Diagnostics
internal import PluginAPI
internal import SQLiteClient

/// Keeps the rows of one table until they are upserted, in the order of its key. Threads: the connection's.
final class UpsertWriter {
    let table: TableDefinition
    let waiting: WaitingRows
    private let upsert: SQLiteStatement
    /// Of a table whose rows replace those inside their windows.
    private let deletion: SQLiteStatement?
    /// Positions of the columns of the key.
    private let key: [Int]

    init(_ table: TableDefinition, _ connection: SQLiteConnection) throws {
        self.table = table
        waiting = WaitingRows(table.columns)
        key = table.key.compactMap { name in table.columns.firstIndex { $0.name == name } }
        let name = SQLText.waitingRows(table)
        try connection.attach(waiting, as: name)
        upsert = try connection.prepare(SQLText.upsert(table, from: name))
        deletion = table.replacesInside ? try connection.prepare(SQLText.deleteInside(table, from: name)) : nil
    }

    /// The places of the rows that wait, in the order of the key: found before the database is locked.
    func order() -> [WaitingRows.Place] { KeyOrder.places(waiting.batches, key: key) }

    /// Upserts every row that waits and that the table takes, in this order; gives the others. All of them go on waiting.
    func write(_ order: [WaitingRows.Place]) throws -> [RefusedBatch] {
        var places = order
        waiting.sort(places)
        var refused: [Int: String] = [:]
        try waiting.forEachPiece(columns: Array(table.columns.indices)) { rows in
            do {
                try run(upsert)
            } catch let error as SQLiteError where error.isAboutRow {
                try writeOneByOne(rows, refused: &refused)
            }
        }
        let refusedBatches = batches(refused, places)
        if let deletion {
            // Behind all rows: in the order of the key one that a later row replaced may come after that.
            if !refused.isEmpty {
                places = places.indices.filter { refused[$0] == nil }.map { places[$0] }
                waiting.sort(places)
            }
            try waiting.forEachPiece(columns: key) { _ in try run(deletion) }
        }
        return refusedBatches
    }

    private func run(_ statement: SQLiteStatement) throws {
        defer { statement.reset() }
        while try statement.step() {}
    }

    private func writeOneByOne(_ rows: Range<Int>, refused: inout [Int: String]) throws {
        for row in rows {
            waiting.range = row..<row + 1
            do {
                try run(upsert)
            } catch let error as SQLiteError where error.isAboutRow {
                refused[row] = error.isRaised ? "a trigger or function of the database refuses the row" : error.message
            }
        }
    }

    private func batches(_ refused: [Int: String], _ places: [WaitingRows.Place]) -> [RefusedBatch] {
        Dictionary(grouping: refused, by: { places[$0.key].batch }).sorted { $0.key < $1.key }.map { batch, rows in
            let rows = rows.map { row, reason in
                RefusedRows.Row(
                    row: Int(places[row].row), column: nil, reason: "table '\(table.name)': \(reason)")
            }
            return RefusedBatch(
                table: table, rows: waiting.batches[Int(batch)],
                refused: RefusedRows(code: .sinkFailed, rows: rows.sorted { $0.row < $1.row }))
        }
    }
}
