internal import CSQLite

/// A connection to one SQLite database file. Threads: one at a time.
public final class SQLiteConnection {
    public enum Mode: Sendable {
        case readOnly
        /// Reads without locks and without the files beside the database that even a reader makes: only while nobody
        /// writes, which the caller has to know.
        case immutable
        case readWrite
    }

    let handle: OpaquePointer
    private let busyWait: BusyWait

    /// The version of the SQLite library, such as `3.40.1`.
    public static var libraryVersion: String { String(cString: sqlite3_libversion()) }

    /// Opens `path`; ``Mode/readWrite`` creates it. Waits up to `busyTimeoutMilliseconds` for other processes' locks.
    public init(path: String, mode: Mode = .readWrite, busyTimeoutMilliseconds: Int32 = 10_000) throws(SQLiteError) {
        var opened: OpaquePointer?
        let flags =
            switch mode {
            case .readOnly: SQLITE_OPEN_READONLY
            case .immutable: SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
            case .readWrite: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            }
        let name = mode == .immutable ? "file:\(Self.uriEscaped(path))?immutable=1" : path
        let code = sqlite3_open_v2(name, &opened, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let opened else {
            let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
            // A handle is given even on failure and is ours to close.
            sqlite3_close_v2(opened)
            throw SQLiteError(code: code, message: message)
        }
        handle = opened
        busyWait = BusyWait(limitMilliseconds: busyTimeoutMilliseconds)
        sqlite3_extended_result_codes(handle, 1)
        busyWait.attach(to: handle)
    }

    deinit { sqlite3_close_v2(handle) }

    /// Source: sqlite.org/uri.html: `?`, `#` and `%` must be escaped; other bytes may be.
    private static func uriEscaped(_ path: String) -> String {
        var escaped: [UInt8] = []
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "?"): escaped += Array("%3f".utf8)
            case UInt8(ascii: "#"): escaped += Array("%23".utf8)
            case UInt8(ascii: "%"): escaped += Array("%25".utf8)
            default: escaped.append(byte)
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }

    /// Runs one or more statements that give no rows.
    public func execute(_ sql: String) throws(SQLiteError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw error() }
    }

    /// Prepares one statement; text after it is an error.
    public func prepare(_ sql: String) throws(SQLiteError) -> SQLiteStatement {
        var statement: OpaquePointer?
        var trailing = ""
        let code = sql.withCString { text in
            var tail: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v2(handle, text, -1, &statement, &tail)
            trailing = tail.map { String(cString: $0) } ?? ""
            return code
        }
        guard code == SQLITE_OK else { throw error() }
        guard let statement else { throw SQLiteError(code: SQLITE_MISUSE, message: "the statement is empty") }
        let prepared = SQLiteStatement(statement, of: self)
        guard trailing.allSatisfy({ $0.isWhitespace || $0 == ";" }) else {
            throw SQLiteError(code: SQLITE_MISUSE, message: "only one statement at a time")
        }
        return prepared
    }

    /// Lets statements of this connection read `rows` as a table of this name. A table of the database with the same name
    /// goes first; rows named so before are forgotten.
    public func attach(_ rows: SQLiteRows, as name: String) throws(SQLiteError) {
        guard rows.attach(to: handle, as: name) == SQLITE_OK else { throw error() }
    }

    /// False again when an error has ended the transaction, as `RAISE(ROLLBACK)` does.
    public var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Runs `body` in one immediate transaction, which is rolled back when it throws.
    public func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        try execute("BEGIN IMMEDIATE")
        do {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            // The failed statement may have rolled back already; then there is nothing left to undo.
            if isInTransaction { try execute("ROLLBACK") }
            throw error
        }
    }

    func error() -> SQLiteError {
        SQLiteError(code: sqlite3_extended_errcode(handle), message: String(cString: sqlite3_errmsg(handle)))
    }
}
