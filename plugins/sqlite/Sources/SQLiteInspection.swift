internal import DataPath
internal import Diagnostics
internal import Glibc
internal import PluginAPI
internal import SQLiteClient

/// A SQLite database as a sink that is only looked at: no file is created or changed, not even beside the database.
///
/// A database that is not there has no tables. Threads: one.
final class SQLiteInspection: Sink {
    private let path: String

    init(path: String) { self.path = path }

    func plan(_ table: TableDefinition) throws -> TableChange {
        try reading { try TableCatalog($0).change(to: table) } ?? .create
    }

    func query(_ sql: String) throws -> QueryResult? {
        guard let result = try reading({ try SQLiteQuery.run(sql, on: $0, path: path) }) else { throw missing() }
        return result
    }

    func tables() throws -> [(name: String, rows: Int64)]? {
        guard let tables = try reading({ try TableCatalog($0).tables() }) else { throw missing() }
        return tables
    }

    func health() throws -> ComponentHealth {
        // Opening alone does not read: only a query finds out that the file is no database.
        let isThere = try reading { try $0.execute("SELECT count(*) FROM sqlite_master") } != nil
        return ComponentHealth(
            version: "SQLite \(SQLiteConnection.libraryVersion)", detail: isThere ? path : "\(path) is not there yet")
    }

    func apply(_ table: TableDefinition) throws { throw readOnly() }
    func write(_ rows: RecordBatch, to table: TableDefinition) throws { throw readOnly() }
    func flush() {}
    func close() {}

    // MARK: Reading without a trace

    private struct Look: Equatable {
        var size: Int64
        var modifiedSeconds: Int
        var modifiedNanoseconds: Int
        var file: UInt64
    }

    /// What `body` reads; nil when there is no database.
    ///
    /// A reader of a database in WAL mode makes two files beside it and, as it may not write, leaves them there. So, as
    /// long as no such files say that a program has the database open (or died with it), it is read as one that nobody
    /// changes; if it turns out that somebody did meanwhile, it is read again the usual way.
    private func reading<Result>(_ body: (SQLiteConnection) throws -> Result) throws -> Result? {
        do {
            guard let before = try look() else { return nil }
            if !isInUse {
                let result = Swift.Result { try body(SQLiteConnection(path: path, mode: .immutable)) }
                if !isInUse, try look() == before { return try result.get() }
            }
            return try body(SQLiteConnection(path: path, mode: .readOnly))
        } catch let error as SQLiteError {
            throw SQLiteSink.failure(error, path: path, opening: true)
        }
    }

    private var isInUse: Bool { ["-wal", "-journal"].contains { access(path + $0, F_OK) == 0 } }

    private func look() throws -> Look? {
        var status = stat()
        if stat(path, &status) == 0 {
            return Look(
                size: Int64(status.st_size), modifiedSeconds: status.st_mtim.tv_sec,
                modifiedNanoseconds: status.st_mtim.tv_nsec, file: UInt64(status.st_ino))
        }
        let code = errno
        if code == ENOENT { return nil }
        throw PipelineError(
            .sinkStorage, "cannot look at the file: \(String(cString: strerror(code)))",
            hint: "check who owns the file and its folder, or choose another `path`",
            component: "sqlite database \(path)", exitCode: 3)
    }

    private func missing() -> PipelineError {
        PipelineError(
            .sinkMissing, "the database is not there yet", hint: "run `streamplat apply` first: it creates the tables",
            component: "sqlite database \(path)", exitCode: 3)
    }

    private func readOnly() -> PipelineError {
        PipelineError(.sinkStorage, "the database was opened for reading only", component: "sqlite database \(path)")
    }
}
