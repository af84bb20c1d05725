internal import CSQLite

/// A prepared statement. It keeps its connection alive. Threads: the connection's.
public final class SQLiteStatement {
    private let handle: OpaquePointer
    private let connection: SQLiteConnection

    init(_ handle: OpaquePointer, of connection: SQLiteConnection) {
        self.handle = handle
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    // MARK: Parameters, numbered from 1.

    public func bind(_ index: Int32, _ value: Int64) throws(SQLiteError) {
        try check(sqlite3_bind_int64(handle, index, value))
    }

    /// Binds a copy of UTF-8 text.
    public func bindCopiedText(_ index: Int32, _ bytes: UnsafeRawBufferPointer) throws(SQLiteError) {
        // A nil pointer would bind null; empty text needs a pointer.
        let base = bytes.baseAddress ?? UnsafeRawPointer(emptyText)
        try check(
            sp_sqlite3_bind_text_copied(
                handle, index, base.assumingMemoryBound(to: CChar.self), UInt64(bytes.count)))
    }

    // MARK: Rows.

    /// Moves to the next row; false after the last.
    public func step() throws(SQLiteError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let error = connection.error()
            sqlite3_reset(handle)
            throw error
        }
    }

    /// Makes the statement ready to run again; bindings stay.
    public func reset() { sqlite3_reset(handle) }

    public var columnCount: Int32 { sqlite3_column_count(handle) }
    /// True when the statement changes nothing.
    public var isReadOnly: Bool { sqlite3_stmt_readonly(handle) != 0 }

    public func columnName(_ index: Int32) -> String { String(cString: sqlite3_column_name(handle, index)) }

    public enum Value: Hashable, Sendable {
        case null
        case integer(Int64)
        case double(Double)
        case text(String)
        case blob([UInt8])
    }

    /// The value of a column of the current row.
    public func value(_ index: Int32) -> Value {
        switch sqlite3_column_type(handle, index) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(handle, index))
        case SQLITE_FLOAT: return .double(sqlite3_column_double(handle, index))
        case SQLITE_TEXT:
            let bytes = UnsafeRawBufferPointer(
                start: sqlite3_column_text(handle, index), count: Int(sqlite3_column_bytes(handle, index)))
            return .text(String(decoding: bytes, as: UTF8.self))
        case SQLITE_BLOB:
            let bytes = UnsafeRawBufferPointer(
                start: sqlite3_column_blob(handle, index), count: Int(sqlite3_column_bytes(handle, index)))
            return .blob(Array(bytes))
        default: return .null
        }
    }

    private func check(_ code: Int32) throws(SQLiteError) {
        guard code == SQLITE_OK else { throw connection.error() }
    }
}

/// One byte that is never read, for the address of empty values.
nonisolated(unsafe) let emptyText = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
