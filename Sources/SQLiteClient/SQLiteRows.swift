internal import CSQLite

/// Rows in memory that SQL reads as a table: one `INSERT … SELECT` takes a thousand of them, where a prepared statement a
/// row would begin and end as often.
///
/// A subclass gives the values. ``SQLiteConnection/attach(_:as:)`` names the table and keeps the object alive.
/// Threads: the connection's.
open class SQLiteRows {
    private let rows: UnsafeMutablePointer<sp_rows>
    private let schema: UnsafeMutablePointer<CChar>

    /// Takes the value of one cell.
    public struct Cell {
        private let context: OpaquePointer

        fileprivate init(_ context: OpaquePointer) { self.context = context }

        public func null() { sqlite3_result_null(context) }
        public func integer(_ value: Int64) { sqlite3_result_int64(context, value) }
        /// Not a number becomes null.
        public func double(_ value: Double) { sqlite3_result_double(context, value) }

        /// UTF-8 text that stays where it is until the statement that reads it has ended.
        public func text(_ bytes: UnsafeRawBufferPointer) {
            let base = bytes.baseAddress ?? UnsafeRawPointer(emptyText)
            sp_sqlite3_result_text_static(context, base.assumingMemoryBound(to: CChar.self), UInt64(bytes.count))
        }

        /// Bytes that stay where they are until the statement that reads them has ended.
        public func blob(_ bytes: UnsafeRawBufferPointer) {
            sp_sqlite3_result_blob_static(
                context, bytes.baseAddress ?? UnsafeRawPointer(emptyText), UInt64(bytes.count))
        }
    }

    /// - Parameter columns: In the words of `CREATE TABLE`.
    public init(columns: [String]) {
        let text = "CREATE TABLE rows (\(columns.joined(separator: ", ")))".utf8CString
        schema = .allocate(capacity: text.count)
        for (index, character) in text.enumerated() { schema[index] = character }
        rows = .allocate(capacity: 1)
        rows.initialize(to: sp_rows())
        rows.pointee.schema = UnsafePointer(schema)
        rows.pointee.state = Unmanaged.passUnretained(self).toOpaque()
        rows.pointee.cell = { state, context, column, row in
            guard let state, let context else { return }
            Unmanaged<SQLiteRows>.fromOpaque(state)._withUnsafeGuaranteedRef {
                $0.give(row: Int(row), column: Int(column), to: Cell(context))
            }
        }
    }

    deinit {
        rows.deallocate()
        schema.deallocate()
    }

    /// Gives the value of a cell; null when nothing is given.
    open func give(row: Int, column: Int, to cell: Cell) {}

    /// The rows that statements find from now on.
    public var range: Range<Int> {
        get { Int(rows.pointee.first)..<Int(rows.pointee.end) }
        set { (rows.pointee.first, rows.pointee.end) = (Int64(newValue.lowerBound), Int64(newValue.upperBound)) }
    }

    func attach(to handle: OpaquePointer, as name: String) -> Int32 {
        // Released by the connection: when it is closed, or when other rows get the name.
        _ = Unmanaged.passRetained(self)
        return sp_sqlite3_create_rows(handle, name, rows) { rows in
            guard let state = rows?.assumingMemoryBound(to: sp_rows.self).pointee.state else { return }
            Unmanaged<SQLiteRows>.fromOpaque(state).release()
        }
    }
}
