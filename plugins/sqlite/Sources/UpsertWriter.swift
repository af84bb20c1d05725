internal import DataPath
internal import Diagnostics
internal import PluginAPI
internal import SQLiteClient

/// Keeps the rows of one table until they are upserted, in the order of its key. Threads: the connection's.
final class UpsertWriter {
    let table: TableDefinition
    let waiting: WaitingRows
    private let connection: SQLiteConnection
    private let component: String
    private let upsert: SQLiteStatement
    /// Of a table whose rows replace those inside their windows.
    private let deletion: SQLiteStatement?
    private let inside: InsideFilter?
    /// Whether another connection may have written, and whether the filter can know the table from now on.
    private let looks: (version: SQLiteStatement, isBare: SQLiteStatement)?
    /// Positions of the columns of the key.
    private let key: [Int]
    private let savepoint: (begin: SQLiteStatement, undo: SQLiteStatement, end: SQLiteStatement)

    /// - Parameter component: Whom errors name.
    init(_ table: TableDefinition, _ connection: SQLiteConnection, component: String) throws {
        self.table = table
        self.connection = connection
        self.component = component
        waiting = WaitingRows(table.columns)
        key = table.key.compactMap { name in table.columns.firstIndex { $0.name == name } }
        let name = SQLText.waitingRows(table)
        try connection.attach(waiting, as: name)
        upsert = try connection.prepare(SQLText.upsert(table, from: name))
        deletion = table.replacesInside ? try connection.prepare(SQLText.deleteInside(table, from: name)) : nil
        inside = InsideFilter(table)
        looks =
            inside == nil
            ? nil : (try connection.prepare("PRAGMA data_version"), try connection.prepare(SQLText.isBare(table)))
        savepoint = (
            try connection.prepare("SAVEPOINT _streamplat_piece"),
            try connection.prepare("ROLLBACK TO _streamplat_piece"), try connection.prepare("RELEASE _streamplat_piece")
        )
    }

    /// What is found out about the rows that wait before the database is locked.
    struct Order {
        /// In the order of the key.
        fileprivate var places: [WaitingRows.Place]
        fileprivate var windows: InsideFilter.Rows?
    }

    func order() -> Order {
        Order(places: KeyOrder.places(waiting.batches, key: key), windows: inside?.look(at: waiting.batches))
    }

    /// Upserts every row that waits and that the table takes, in this order; gives the others. All of them go on waiting
    /// until ``end(_:)``.
    func write(_ order: Order) throws -> [RefusedBatch] {
        var places = order.places
        try lookAtTable()
        waiting.sort(places)
        var refused: [Int: String] = [:]
        try waiting.forEachPiece(columns: Array(table.columns.indices)) { rows in
            guard try refusal() != nil else { return }
            for row in rows {
                waiting.range = row..<row + 1
                guard let error = try refusal() else { continue }
                refused[row] = error.isRaised ? "a trigger or function of the database refuses the row" : error.message
            }
        }
        let refusedBatches = batches(refused, places)
        if let deletion {
            // Behind all rows: in the order of the key one that a later row replaced may come after that.
            if !refused.isEmpty { places = places.indices.filter { refused[$0] == nil }.map { places[$0] } }
            if let inside, let windows = order.windows {
                places = inside.wanted(places, windows, of: waiting.batches)
            }
            waiting.sort(places)
            try waiting.forEachPiece(columns: key) { _ in
                do {
                    try run(deletion)
                } catch let error as SQLiteError where error.isAboutRow {
                    throw failure(
                        "rows inside a longer session cannot be deleted", error,
                        hint: "drop or change the trigger or foreign key that says so")
                }
            }
        }
        return refusedBatches
    }

    /// The rows are written, and wait no more.
    func end(_ order: Order) {
        if let windows = order.windows { inside?.note(windows, of: waiting.batches) }
        waiting.removeAll()
    }

    private func lookAtTable() throws {
        guard let inside, inside.isOn, let looks else { return }
        let version = try number(looks.version)
        guard let version, !inside.knowsTable(version: version) else { return }
        if try number(looks.isBare) == 1 { inside.begin(version: version) } else { inside.turnOff() }
    }

    private func number(_ statement: SQLiteStatement) throws -> Int64? {
        defer { statement.reset() }
        guard try statement.step(), case .integer(let value) = statement.value(0) else { return nil }
        return value
    }

    /// Upserts the rows that can be read now, or none of them; gives why.
    ///
    /// SQLite undoes by itself what a failed statement did, but not after `RAISE(FAIL)`: the rows before would be written
    /// again, with all that triggers make of them.
    private func refusal() throws -> SQLiteError? {
        try run(savepoint.begin)
        do {
            try run(upsert)
        } catch let error as SQLiteError where error.isAboutRow {
            // What came behind would be a transaction of its own for each row, without a look at who may write.
            guard connection.isInTransaction else {
                throw failure(
                    "the whole transaction was rolled back", error,
                    hint: "drop or change the trigger or constraint that says so: RAISE(ABORT, …) refuses only the row")
            }
            try run(savepoint.undo)
            try run(savepoint.end)
            return error
        }
        try run(savepoint.end)
        return nil
    }

    /// In the database's or the trigger's own words, as somebody has to find that trigger.
    ///
    /// - Parameter hint: What to do before the next run.
    private func failure(_ what: String, _ error: SQLiteError, hint: String) -> PipelineError {
        PipelineError(
            .sinkFailed, "table '\(table.name)': \(what): \(error.message)",
            hint:
                "\(hint); then run again. Until then a run fails here. No row is lost: it goes on from the last checkpoint",
            component: component)
    }

    private func run(_ statement: SQLiteStatement) throws {
        defer { statement.reset() }
        while try statement.step() {}
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
