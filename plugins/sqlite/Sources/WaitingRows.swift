internal import DataPath
internal import SQLiteClient

/// Batches of one table as the rows that SQLite reads, in an order of their own. Threads: the connection's.
final class WaitingRows: SQLiteRows {
    /// A row of a batch.
    struct Place: BitwiseCopyable {
        var batch: UInt32
        var row: UInt32
    }

    /// Rows that can be read at once.
    static let pieceRows = 1024

    private let table: [ColumnSpec]
    private(set) var batches: [RecordBatch] = []
    private(set) var byteCount = 0
    private(set) var rowCount = 0
    private var order: [Place] = []

    /// By batch, then column.
    private var columns: [CellColumn] = []
    /// Of the rows that are read: by row, then column.
    private let cells: UnsafeMutablePointer<CellValue>
    private let texts = ByteBuffer()
    private var first = 0

    init(_ columns: [ColumnSpec]) {
        table = columns
        let capacity = Self.pieceRows * columns.count
        cells = .allocate(capacity: capacity)
        cells.initialize(repeating: .null, count: capacity)
        super.init(columns: columns.map(SQLText.column))
    }

    deinit { cells.deallocate() }

    /// Takes a batch, which must not change any more.
    func append(_ rows: RecordBatch) {
        batches.append(rows)
        byteCount += rows.memoryBytes
        rowCount += rows.rowCount
    }

    func removeAll() { (batches, byteCount, rowCount, order, columns, range) = ([], 0, 0, [], [], 0..<0) }

    /// Sets which rows there are to read, and their order.
    func sort(_ places: [Place]) {
        order = places
        columns = batches.flatMap { batch in
            zip(batch.columns, table).map { CellColumn($0, $1.type) }
        }
    }

    /// Calls `body` for one piece of the rows after the other, which statements then read.
    ///
    /// - Parameter positions: The columns that they read.
    func forEachPiece(columns positions: [Int], _ body: (Range<Int>) throws -> Void) rethrows {
        defer { range = 0..<0 }
        for start in stride(from: 0, to: order.count, by: Self.pieceRows) {
            let rows = start..<min(start + Self.pieceRows, order.count)
            load(rows, positions)
            range = rows
            try body(rows)
        }
    }

    /// Neighbours lie in memory far from each other: read one by one, each would be waited for. A loop over a column has
    /// many of them on their way at once.
    private func load(_ rows: Range<Int>, _ positions: [Int]) {
        first = rows.lowerBound
        texts.removeAll()
        order.withUnsafeBufferPointer { order in
            columns.withUnsafeBufferPointer { columns in
                for position in positions {
                    var clock = TimestampText()
                    var cell = cells + position
                    for row in rows {
                        let place = order[row]
                        cell.pointee = columns[Int(place.batch) &* table.count &+ position].cell(
                            Int(place.row), texts, &clock)
                        cell += table.count
                    }
                    guard table[position].type.physical == .bytes else { continue }
                    cell = cells + position
                    for _ in rows {
                        cell.pointee = cell.pointee.near(in: texts)
                        cell += table.count
                    }
                }
            }
        }
    }

    override func give(row: Int, column: Int, to cell: Cell) {
        let value = cells[(row &- first) &* table.count &+ column]
        switch value.kind {
        case .null: cell.null()
        case .integer: cell.integer(value.integer)
        case .double: cell.double(value.double)
        case .text: cell.text(value.bytes)
        case .blob: cell.blob(value.bytes)
        case .nearText: cell.text(value.nearBytes(in: texts))
        }
    }
}
