internal import DataPath
internal import SQLiteClient

/// Batches of one table as the rows that SQLite reads, in an order of their own. Threads: the connection's.
final class WaitingRows: SQLiteRows {
    /// A row of a batch.
    struct Place: BitwiseCopyable {
        var batch: UInt32
        var row: UInt32
    }

    private let table: [ColumnSpec]
    private(set) var batches: [RecordBatch] = []
    private(set) var byteCount = 0
    private(set) var rowCount = 0

    /// By batch and column, and what ``order(_:)`` was given.
    private var cells: UnsafeMutablePointer<CellColumn>?
    private var places: UnsafeMutablePointer<Place>?
    private let scratch = ByteBuffer(capacity: 64)

    init(_ columns: [ColumnSpec]) { table = columns }

    deinit { release() }

    /// Takes a batch, which must not change any more.
    func append(_ rows: RecordBatch) {
        batches.append(rows)
        byteCount += rows.memoryBytes
        rowCount += rows.rowCount
    }

    func removeAll() {
        release()
        (batches, byteCount, rowCount, range) = ([], 0, 0, 0..<0)
    }

    /// Sets the rows that are read and their order.
    func order(_ rows: [Place]) {
        release()
        let places = UnsafeMutablePointer<Place>.allocate(capacity: rows.count)
        for (index, place) in rows.enumerated() { places[index] = place }
        let cells = UnsafeMutablePointer<CellColumn>.allocate(capacity: batches.count * table.count)
        for (number, batch) in batches.enumerated() {
            for column in table.indices {
                (cells + number * table.count + column).initialize(
                    to: CellColumn(batch.columns[column], table[column].type))
            }
        }
        (self.places, self.cells, range) = (places, cells, 0..<rows.count)
    }

    override func give(row: Int, column: Int, to cell: Cell) {
        guard let places, let cells else { return }
        let place = places[row]
        cells[Int(place.batch) &* table.count &+ column].give(Int(place.row), to: cell, scratch)
    }

    private func release() {
        places?.deallocate()
        cells?.deallocate()
        (places, cells) = (nil, nil)
    }
}
