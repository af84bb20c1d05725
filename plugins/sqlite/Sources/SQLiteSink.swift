internal import DataPath
internal import Diagnostics
internal import Glibc
internal import PluginAPI
internal import SQLiteClient

/// An open SQLite database as a sink. Threads: one.
///
/// Rows wait in memory until ``flush()``, which upserts those of all tables in one transaction, each table's in the order
/// of its key. They are forgotten after the commit: when the database is busy, the next flush writes the same rows.
/// After ``claim(_:)`` each transaction begins with a look at the table of writers: see ``WriterTable``. Timestamps are
/// UTC text of fixed width (`2026-11-21 13:45:30.123`), decimals are text with all their digits, booleans are 0 and 1.
final class SQLiteSink: Sink {
    let connection: SQLiteConnection
    let path: String
    private var writers: [String: UpsertWriter] = [:]
    /// Rows that the database refused, until they are asked for.
    private var refused: [RefusedBatch] = []
    private let synchronous: String
    private var fence: WriterTable.Fence?
    /// Whom errors name.
    private var component: String { "sqlite database \(path)" }

    /// Rows are written early when more than so many bytes wait.
    private static let waitingBytes = 32 << 20
    /// Of a database that is made here. Rows that come in the order of the key cost half as many writes as with SQLite's own
    /// 4,096; with larger pages those that come in no order would cost much more.
    private static let pageBytes = 8192
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
                "PRAGMA page_size=\(Self.pageBytes); PRAGMA journal_mode=WAL; PRAGMA synchronous=\(synchronous); "
                    + "PRAGMA cache_size=-\(Self.cacheKibibytes); "
                    // What a statement would need to undo its changes stays out of the folder for temporary files.
                    + "PRAGMA temp_store=memory")
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
        // Before the rows are taken: whoever tries again after an error brings them again.
        if writers.values.reduce(0, { $0 + $1.waiting.byteCount }) >= Self.waitingBytes { try flush() }
        try writer(of: table).waiting.append(rows)
    }

    func flush() throws { try send(nil) }

    func takeRefused() -> [RefusedBatch] {
        defer { refused = [] }
        return refused
    }

    func claim(_ claim: WriterClaim) throws -> WriterStanding {
        try flush()
        return try reporting {
            let (fence, standing) = try WriterTable(connection).take(claim, component: component)
            self.fence = fence
            try synchronizeLog()
            return standing
        }
    }

    func commit(_ mark: CheckpointMark) throws -> [String: [UInt8]] {
        try send(mark)
        if fence != nil { try synchronizeLog() }
        return [:]
    }

    /// Writes the rows that wait and, at a checkpoint, its mark, in one transaction.
    private func send(_ mark: CheckpointMark?) throws {
        let waiting = writers.values.filter { $0.waiting.rowCount > 0 }.sorted { $0.table.name < $1.table.name }
        guard !waiting.isEmpty || (mark != nil && fence != nil) else { return }
        let ordered = waiting.map { ($0, $0.order()) }
        refused += try reporting {
            try connection.transaction {
                try fence?.check()
                let refused = try ordered.flatMap { try $0.write($1) }
                if let mark { try fence?.note(mark) }
                return refused
            }
        }
        for (writer, order) in ordered { writer.end(order) }
    }

    private func writer(of table: TableDefinition) throws -> UpsertWriter {
        if let known = writers[table.name] {
            if known.table == table { return known }
            // Its rows have other columns.
            try flush()
            writers[table.name] = nil
        }
        let new = try reporting { try UpsertWriter(table, connection, component: component) }
        writers[table.name] = new
        return new
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
        defer { abandon() }
        try flush()
    }

    /// What is not flushed asks for no lock: it is only in memory. There it would stay until the connection is closed, which
    /// keeps what it reads rows from.
    func abandon() {
        for writer in writers.values { writer.waiting.removeAll() }
        writers = [:]
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
                hint: "what was committed is safe unless the machine loses power", component: component)
        }
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
