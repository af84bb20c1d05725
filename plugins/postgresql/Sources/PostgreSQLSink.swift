internal import DataPath
internal import Diagnostics
internal import PluginAPI
internal import PostgresClient

/// An open PostgreSQL database as a sink. Threads: one.
///
/// Rows wait in memory as COPY data until ``flush()``, which sends those of all tables in one transaction. They are
/// forgotten only after the server has confirmed the commit: when the connection is lost before, the error says to try
/// again, and the next flush sends the same rows on a new connection. A commit whose outcome is unknown is repeated
/// too, which changes nothing, as rows replace rows of the same key.
final class PostgreSQLSink: Sink {
    struct Options {
        /// Rows are sent early when more than so many bytes wait.
        var bufferBytes: Int
        /// Text that PostgreSQL cannot hold is repaired, not refused.
        var replacesText: Bool
        var createsDatabase: Bool
        var access: PluginContext.Access
    }

    private let login: DatabaseLogin
    private let options: Options
    private let failure: PostgresFailure
    private var connection: PostgresConnection?
    /// Only ever true when nothing may be changed: the database will be created by ``PluginContext/Access/change``.
    private var lacksDatabase = false
    private var staged: [StagedTable] = []
    /// What the run has claimed, with the epoch that it got.
    private var claim: WriterClaim?
    /// Rows that the server refused, until they are asked for.
    private var refused: [RefusedBatch] = []

    /// Connects, and creates the database if it is missing, wanted and allowed.
    init(_ login: DatabaseLogin, _ options: Options) throws {
        self.login = login
        self.options = options
        let settings = login.settings
        failure = PostgresFailure(
            component: "postgresql database \(settings.database) on \(settings.host):\(settings.port)")
        do {
            connection = try openDatabase()
        } catch {
            throw failure.pipelineError(error, .opening)
        }
        try checkEncoding()
    }

    // MARK: Tables.

    func plan(_ table: TableDefinition) throws -> TableChange {
        if lacksDatabase {
            return try connected(.reading) {
                TableComparison(table, live: nil, schema: login.schema, serverVersion: $0.serverVersion).change
            }
        }
        return try connected(.reading) { try TableCatalog($0, schema: login.schema).comparison(with: table).change }
    }

    func apply(_ table: TableDefinition) throws {
        try flush()
        staged.removeAll { $0.table.name == table.name }
        // An apply that may have been done is looked at anew: a repeat finds nothing to do.
        let change = try connected(.applying) { try TableCatalog($0, schema: login.schema).apply(table) }
        if case .refuse(let reason, let hint) = change {
            throw PipelineError(.tableRefused, reason, hint: hint, component: failure.component)
        }
    }

    func tables() throws -> [(name: String, rows: Int64)]? {
        try flush()
        if lacksDatabase { return [] }
        return try connected(.reading) { connection in
            try TableCatalog(connection, schema: login.schema).names().map { name in
                let count = try connection.execute(
                    "SELECT count(*) FROM \(SQLText.identifier(login.schema)).\(SQLText.identifier(name))")
                return (name, count.text(0, 0).flatMap { Int64($0) } ?? 0)
            }
        }
    }

    // MARK: Rows.

    func write(_ rows: RecordBatch, to table: TableDefinition) throws {
        guard rows.rowCount > 0 else { return }
        // Before the rows are taken: whoever tries again after an error brings them again.
        if staged.reduce(0, { $0 + $1.byteCount }) >= options.bufferBytes { try flush() }
        let staging = try stage(table)
        do {
            try staging.append(rows)
        } catch let error as UnstorableRows {
            throw failure.refusedRows(error, table: table.name)
        } catch let error as UnstorableValue {
            throw failure.pipelineError(error, table: table.name)
        }
    }

    func flush() throws { try send(nil) }

    func claim(_ claim: WriterClaim) throws -> WriterStanding {
        try flush()
        let standing = try connected(.applying) { try WriterTable($0, schema: login.schema).take(claim) }
        self.claim = claim
        self.claim?.epoch = standing.epoch
        return standing
    }

    func commit(_ mark: CheckpointMark) throws -> [String: [UInt8]] {
        try send(mark)
        return [:]
    }

    /// Sends the rows that wait and, at a checkpoint, its mark, in one transaction.
    private func send(_ mark: CheckpointMark?) throws {
        let waiting = staged.filter { !$0.isEmpty }
        guard !waiting.isEmpty || (mark != nil && claim != nil) else { return }
        do {
            let connection = try liveConnection()
            for table in waiting { try table.prepare(on: connection) }
            do {
                try connection.transaction {
                    try copy(waiting, mark, on: connection)
                    for table in waiting { try table.merge(on: connection) }
                }
            } catch let error as PostgresError where PostgresFailure.isAboutRow(error) {
                try sift(waiting, mark, on: connection)
            }
        } catch let error as PostgresError {
            if error.kind == .connection { connection = nil }
            throw failure.pipelineError(error, .writing)
        }
        for table in waiting { table.removeAll() }
    }

    /// Sends the rows that wait to where they are merged from, inside the transaction.
    private func copy(_ waiting: [StagedTable], _ mark: CheckpointMark?, on connection: PostgresConnection) throws {
        for table in waiting { try table.copy(on: connection) }
        if let claim { try pass(claim, mark, on: connection) }
    }

    /// The same transaction once more, with every row that the server takes.
    private func sift(_ waiting: [StagedTable], _ mark: CheckpointMark?, on connection: PostgresConnection) throws {
        refused += try connection.transaction {
            try copy(waiting, mark, on: connection)
            // A check that is put off to the commit could not be told of one row.
            try connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            return try waiting.flatMap { table in
                table.batches(of: try table.sift(on: connection)) { failure.pipelineError($0, .writing).message }
            }
        }
    }

    func takeRefused() -> [RefusedBatch] {
        defer { refused = [] }
        return refused
    }

    /// Throws, inside the transaction, when another run has taken over.
    private func pass(_ claim: WriterClaim, _ mark: CheckpointMark?, on connection: PostgresConnection) throws {
        let writers = WriterTable(connection, schema: login.schema)
        let isOurs =
            if let mark { try writers.note(mark, claim) } else { try writers.holds(claim) }
        guard !isOurs else { return }
        throw claim.replaced(
            own: claim.epoch, by: try writers.epoch(of: claim.domain), component: failure.component)
    }

    private func stage(_ table: TableDefinition) throws -> StagedTable {
        if let known = staged.first(where: { $0.table.name == table.name }) {
            if known.table == table { return known }
            // Its rows have other columns.
            try flush()
            staged.removeAll { $0 === known }
        }
        let number = (staged.map(\.number).max() ?? 0) + 1
        let new = StagedTable(table, number: number, schema: login.schema, replacesText: options.replacesText)
        staged.append(new)
        return new
    }

    // MARK: Queries.

    func query(_ sql: String) throws -> QueryResult? {
        try flush()
        guard !lacksDatabase else {
            throw PipelineError(
                .postgresDatabase, "the database is not there yet", hint: "run `streamplat apply`",
                component: failure.component)
        }
        let result = try connected(.query) { connection in
            // Whatever the text says, the transaction cannot write.
            try connection.transaction(beginning: "BEGIN READ ONLY") { try connection.query(sql) }
        }
        guard let result else {
            throw PipelineError(
                .queryFailed, "only queries are allowed here", hint: "write SELECT …; streamplat owns these tables",
                component: failure.component)
        }
        return QueryResult(result)
    }

    func health() throws -> ComponentHealth {
        try connected(.reading) { connection in
            try connection.execute("SELECT 1")
            let detail = lacksDatabase ? "database \(login.settings.database) is not there yet" : nil
            return ComponentHealth(
                version: "PostgreSQL \(connection.serverVersionText)",
                detail: detail ?? (connection.usesTLS ? "with TLS" : "without TLS"))
        }
    }

    func close() throws {
        defer { abandon() }
        try flush()
    }

    func abandon() {
        staged = []
        connection = nil
    }

    // MARK: Connections.

    /// Runs `body` on the connection. One that turns out to be lost is replaced once: the server may have been
    /// restarted since it was used last.
    private func connected<Result>(
        _ phase: PostgresFailure.Phase, _ body: (PostgresConnection) throws -> Result
    ) throws -> Result {
        do {
            let wasOpen = connection != nil
            do {
                return try body(liveConnection())
            } catch let error as PostgresError where error.kind == .connection {
                connection = nil
                guard wasOpen else { throw error }
                return try body(liveConnection())
            }
        } catch let error as PostgresError {
            if error.kind == .connection { connection = nil }
            throw failure.pipelineError(error, phase)
        }
    }

    private func liveConnection() throws(PostgresError) -> PostgresConnection {
        if let connection, !connection.isLost { return connection }
        let new = try openDatabase()
        connection = new
        return new
    }

    private func openDatabase() throws(PostgresError) -> PostgresConnection {
        lacksDatabase = false
        do {
            return try login.connect()
        } catch  where error.sqlState == "3D000" && options.createsDatabase {
            guard options.access == .change else {
                lacksDatabase = true
                return try login.connectToServer()
            }
            try login.createDatabase()
            return try login.connect()
        }
    }

    private func checkEncoding() throws {
        let encoding = connection?.parameter("server_encoding") ?? "UTF8"
        guard encoding != "UTF8", !lacksDatabase else { return }
        throw PipelineError(
            .postgresDatabase, "the database's encoding is \(encoding), which cannot hold every text",
            hint: "use a database that was created with ENCODING 'UTF8'", component: failure.component, exitCode: 3)
    }
}
