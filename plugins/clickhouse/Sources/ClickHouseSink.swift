internal import DataPath
internal import Diagnostics
internal import Glibc
internal import PluginAPI

/// Tables on a ClickHouse server as a sink. Threads: one.
///
/// Rows are encoded as they come into one buffer per table. A buffer is sent as one insert when it is full and at every
/// flush, and is emptied only when the server has said that it holds the rows.
final class ClickHouseSink: Sink {
    private let options: ClickHouseOptions
    private let server: ClickHouseConnection
    private let sql: SQLText
    private let notify: @Sendable (String) -> Void
    private var buffers: [String: InsertBuffer] = [:]
    private var nextVersion = RowVersion.first(of: 0)
    /// What the run has claimed, with the epoch that it got.
    private var claim: WriterClaim?
    /// Rows that the server refused, until they are asked for.
    private var refused: [RefusedBatch] = []
    private var lastFlushMilliseconds: Int64?

    /// Buffers together hold no more bytes than this and one batch.
    private static let byteLimit = 64 << 20

    init(
        _ options: ClickHouseOptions, _ server: ClickHouseConnection, _ version: ServerVersion,
        notify: @escaping @Sendable (String) -> Void
    ) {
        self.options = options
        self.server = server
        self.notify = notify
        sql = SQLText(database: options.database, version: version)
    }

    private var catalog: TableCatalog { TableCatalog(server, sql, createsDatabase: options.createsDatabase) }

    func plan(_ table: TableDefinition) throws -> TableChange { try catalog.change(to: table) }

    func apply(_ table: TableDefinition) throws {
        try flush()
        buffers[table.name] = nil
        try catalog.apply(table)
    }

    func write(_ rows: RecordBatch, to table: TableDefinition) throws {
        guard rows.rowCount > 0 else { return }
        let buffer = try buffer(of: table)
        // Before rows are taken, so that an error means that they were not.
        if buffer.rowCount > 0, buffer.rowCount + rows.rowCount > options.maxBatchRows { try send(buffer) }
        if buffers.values.reduce(0, { $0 + $1.bytes.count }) >= Self.byteLimit { try sendAll() }
        try takeEpoch(for: rows.rowCount)
        try buffer.append(rows, firstVersion: nextVersion)
        nextVersion += UInt64(rows.rowCount)
    }

    func flush() throws {
        guard buffers.values.contains(where: { $0.rowCount > 0 }) else { return }
        if let last = lastFlushMilliseconds {
            let pause = last + options.minInsertIntervalMilliseconds - Self.monotonicMilliseconds()
            if pause > 0 { usleep(UInt32(clamping: pause * 1000)) }
        }
        try sendAll()
        lastFlushMilliseconds = Self.monotonicMilliseconds()
    }

    func claim(_ claim: WriterClaim) throws -> WriterStanding {
        try flush()
        let standing = try WriterTable(server, sql).take(claim)
        self.claim = claim
        self.claim?.epoch = standing.epoch
        server.knowsTables = true
        nextVersion = max(nextVersion, RowVersion.first(of: standing.epoch))
        return standing
    }

    func commit(_ mark: CheckpointMark) throws -> [String: [UInt8]] {
        try flush()
        if let claim {
            let writers = WriterTable(server, sql)
            // Rows that lost against a newer run's are not what the checkpoint counts.
            try writers.check(claim, component: server.component)
            try writers.note(mark.number, claim)
        }
        return [:]
    }

    /// Versions of one epoch are used up after 2^40 rows.
    private func takeEpoch(for rowCount: Int) throws {
        guard var claim, RowVersion.epoch(of: nextVersion + UInt64(rowCount)) > claim.epoch else { return }
        claim.epoch += 1
        _ = try self.claim(claim)
    }

    func query(_ sql: String) throws -> QueryResult? {
        try flush()
        if !self.sql.version.hasFinalSetting { try remindOfFinal(sql) }
        return try server.query(sql, database: options.database, isFinal: self.sql.version.hasFinalSetting)
    }

    /// This server cannot be told by a setting to read the newest rows only: a person is told what to write.
    private func remindOfFinal(_ query: String) throws {
        let reads = TableReads(query)
        guard !reads.withoutFinal.isEmpty, !reads.choosesVersions else { return }
        let ours = Set(try catalog.names())
        for name in reads.withoutFinal(in: options.database).filter(ours.contains) {
            notify(
                "clickhouse: rows of '\(name)' that were replaced may be counted too, until the server merges them away: "
                    + "write `FROM \(name) FINAL`")
        }
    }

    func tables() throws -> [(name: String, rows: Int64)]? {
        try flush()
        return try catalog.names().map { name in
            (name, Int64(clamping: try server.number("SELECT toString(count()) FROM \(sql.table(name)) FINAL")))
        }
    }

    func health() throws -> ComponentHealth {
        ComponentHealth(version: "ClickHouse \(try server.version())", detail: server.url)
    }

    func close() throws {
        defer { abandon() }
        try flush()
    }

    func abandon() { buffers = [:] }

    private func buffer(of table: TableDefinition) throws -> InsertBuffer {
        if let known = buffers[table.name] { return known }
        // A run that has claimed its epoch is above everything that it may replace.
        if claim == nil {
            let highest = try server.number(
                "SELECT toString(max(\(SQLText.versionColumn))) FROM \(sql.table(table.name))")
            nextVersion = max(nextVersion, highest + 1)
        }
        server.knowsTables = true
        let buffer = InsertBuffer(table, sql)
        buffers[table.name] = buffer
        return buffer
    }

    private func sendAll() throws {
        // A run that was replaced stops here. What it sends between this look and the insert loses by its lower version.
        if let claim { try WriterTable(server, sql).check(claim, component: server.component) }
        for buffer in buffers.values where buffer.rowCount > 0 { try send(buffer) }
    }

    private func send(_ buffer: InsertBuffer) throws {
        refused += try buffer.send { rows in
            var settings: [(String, String)] = []
            if sql.version.hasAsyncInsert { settings.append(("async_insert", "0")) }
            if sql.version.hasDeduplicationToken {
                settings.append(("insert_deduplication_token", buffer.deduplicationToken(rows)))
            }
            try server.insert(buffer.statement, rows.contents, settings: settings)
        }
        buffer.removeAll()
    }

    func takeRefused() -> [RefusedBatch] {
        defer { refused = [] }
        return refused
    }

    private static func monotonicMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
