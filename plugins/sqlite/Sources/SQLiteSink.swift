internal import DataPath
internal import Diagnostics
internal import Glibc
internal import PluginAPI
internal import SQLiteClient

/// An open SQLite database as a sink. Threads: one.
///
/// Rows are upserted by prepared statements inside one transaction, which ``flush()`` commits. After ``claim(_:)`` each
/// transaction begins with a look at the table of writers: see ``WriterTable``. Timestamps are UTC text of
/// fixed width (`2026-11-21 13:45:30.123`), decimals are text with all their digits, booleans are 0 and 1.
final class SQLiteSink: Sink {
    let connection: SQLiteConnection
    let path: String
    private var writers: [String: UpsertWriter] = [:]
    private let synchronous: String
    private var fence: WriterTable.Fence?
    private var isInTransaction = false
    private var rowsInTransaction = 0

    /// A transaction is committed after this many rows even without a flush, to bound the write-ahead log.
    private static let rowsPerTransaction = 100_000
    /// What SQLite may keep of a table that grows. With its own 2 MB, rows that come in another order than the key's cost
    /// twice as much: each touches another page, which has to be read again.
    private static let cacheKibibytes = 32 << 10

    init(path: String, synchronous: String, busyTimeoutMilliseconds: Int32) throws {
        self.path = path
        self.synchronous = synchronous
        do {
            try SQLiteSink.makeFolder(of: path)
            connection = try SQLiteConnection(path: path, busyTimeoutMilliseconds: busyTimeoutMilliseconds)
            try connection.execute(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=\(synchronous); PRAGMA cache_size=-\(Self.cacheKibibytes)")
            try connection.execute(TableCatalog.schema)
        } catch let error as SQLiteError {
            throw SQLiteSink.failure(error, path: path, opening: true)
        }
    }

    func plan(_ table: TableDefinition) throws -> TableChange {
        try reporting { try TableCatalog(connection).change(to: table) }
    }

    func apply(_ table: TableDefinition) throws {
        try flush()
        writers[table.name] = nil
        try reporting { try TableCatalog(connection).apply(table) }
    }

    func write(_ rows: RecordBatch, to table: TableDefinition) throws {
        guard rows.rowCount > 0 else { return }
        try reporting {
            try begin()
            let writer: UpsertWriter
            if let known = writers[table.name] {
                writer = known
            } else {
                writer = try UpsertWriter(table, connection)
                writers[table.name] = writer
            }
            try writer.write(rows)
            rowsInTransaction += rows.rowCount
            if rowsInTransaction >= SQLiteSink.rowsPerTransaction { try commit() }
        }
    }

    func flush() throws { try reporting { try commit() } }

    func claim(_ claim: WriterClaim) throws -> WriterStanding {
        try flush()
        return try reporting {
            let (fence, standing) = try WriterTable(connection).take(claim, component: "sqlite database \(path)")
            self.fence = fence
            try synchronizeLog()
            return standing
        }
    }

    func commit(_ mark: CheckpointMark) throws -> [String: [UInt8]] {
        guard let fence else {
            try flush()
            return [:]
        }
        try reporting {
            try begin()
            try fence.note(mark)
            try commit()
            try synchronizeLog()
        }
        return [:]
    }

    func query(_ sql: String) throws -> QueryResult? {
        try flush()
        // A connection of its own that cannot write, whatever the text says.
        return try reporting {
            try SQLiteQuery.run(sql, on: SQLiteConnection(path: path, mode: .readOnly), path: path)
        }
    }

    func tables() throws -> [(name: String, rows: Int64)]? {
        try flush()
        return try reporting { try TableCatalog(connection).tables() }
    }

    func health() throws -> ComponentHealth {
        try reporting {
            try connection.execute("SELECT count(*) FROM sqlite_master")
            return ComponentHealth(version: "SQLite \(SQLiteConnection.libraryVersion)", detail: path)
        }
    }

    func close() throws {
        try flush()
        writers = [:]
    }

    private func begin() throws {
        guard !isInTransaction else { return }
        try connection.execute("BEGIN IMMEDIATE")
        do {
            try fence?.check()
        } catch {
            try connection.execute("ROLLBACK")
            throw error
        }
        isInTransaction = true
    }

    /// A checkpoint is durable, so the rows that it counts have to be. With `synchronous: normal` SQLite syncs its
    /// write-ahead log at times of its own.
    private func synchronizeLog() throws {
        guard synchronous == "normal" else { return }
        let log = "\(path)-wal"
        let descriptor = open(log, O_RDONLY | O_CLOEXEC)
        // Without a log everything is in the database, which SQLite has synced.
        guard descriptor >= 0 else { return }
        defer { Glibc.close(descriptor) }
        guard fdatasync(descriptor) == 0 else {
            throw PipelineError(
                .sinkStorage, "cannot sync \(log): \(String(cString: strerror(errno)))",
                hint: "what was committed is safe unless the machine loses power",
                component: "sqlite database \(path)")
        }
    }

    private func commit() throws {
        guard isInTransaction else { return }
        try connection.execute("COMMIT")
        isInTransaction = false
        rowsInTransaction = 0
    }

    private func reporting<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as SQLiteError {
            throw SQLiteSink.failure(error, path: path, opening: false)
        }
    }

    static func failure(_ error: SQLiteError, path: String, opening: Bool) -> PipelineError {
        let hint: String? =
            if error.isFull {
                "free some space; what was committed is safe and the run goes on from its last checkpoint"
            } else if error.cannotGrow {
                "the file cannot grow: look for a limit on file sizes (`ulimit -f`), a quota, or a failing disk; "
                    + "what was committed is safe and the run goes on from its last checkpoint"
            } else if error.isBusy {
                "another program holds the database's write lock; end it, or raise busy_timeout"
            } else if error.isReadOnly || error.cannotOpen {
                "check who owns the file and its folder, or choose another `path`"
            } else if error.isNotADatabase {
                "choose another `path`, or move that file away"
            } else {
                nil
            }
        return PipelineError(
            .sinkStorage, error.message, hint: hint, component: "sqlite database \(path)",
            retry: error.isBusy ? .backoff : .never, exitCode: opening ? 3 : 1)
    }

    private static func makeFolder(of path: String) throws {
        var folder = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/").dropLast() {
            folder += "/\(part)"
            if mkdir(folder, 0o755) != 0, errno != EEXIST {
                throw PipelineError(
                    .sinkStorage, "cannot create the folder \(folder): \(String(cString: strerror(errno)))",
                    hint: "check who owns its parent, or choose another `path`", component: "sqlite database \(path)",
                    exitCode: 3)
            }
        }
    }
}
