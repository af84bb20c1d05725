internal import Diagnostics
internal import Glibc
internal import PluginAPI

/// Who may write a domain's tables, and the checkpoint whose rows they hold: the table `streamplat_writers`, a row for
/// every epoch that a run has taken.
///
/// ClickHouse has no transactions. So a claim is a row that is added and then looked for: whoever finds another run's
/// claim of the same or a higher epoch tries a higher one. A checkpoint is noted by adding the run's row again, when the
/// server has the checkpoint's rows; of rows with one key the server keeps the last when it merges. A claim takes along
/// what the row before it says, so that the newest row says all.
struct WriterTable {
    static let name = "streamplat_writers"

    private let server: ClickHouseConnection
    private let sql: SQLText
    private var table: String { sql.table(Self.name) }

    /// Columns that tables of earlier builds lack: null in their rows, which say nothing of checkpoints.
    private static let checkpointColumns = ["checkpoint_epoch", "checkpoint"]

    init(_ server: ClickHouseConnection, _ sql: SQLText) {
        self.server = server
        self.sql = sql
    }

    func create() throws {
        let columns = Self.checkpointColumns.map { "\($0) Nullable(UInt64)" }
        try server.execute(
            """
            CREATE TABLE IF NOT EXISTS \(table) (
              domain String, epoch UInt64, writer String, environment String, claimed_at DateTime,
              \(columns.joined(separator: ", ")))
            ENGINE = ReplacingMergeTree() ORDER BY (domain, epoch, writer)
            """)
        for (name, column) in zip(Self.checkpointColumns, columns) where try !has(name) {
            do {
                try server.execute("ALTER TABLE \(table) ADD COLUMN \(column)")
            } catch {
                // Another run may have added it meanwhile.
                guard try has(name) else { throw error }
            }
        }
    }

    private func has(_ column: String) throws -> Bool {
        let place = [sql.database, Self.name, column].map(SQLText.literal)
        return try server.number(
            "SELECT toString(count()) FROM system.columns "
                + "WHERE database = \(place[0]) AND table = \(place[1]) AND name = \(place[2])") > 0
    }

    /// Makes the claim's run the writer of its domain. Its epoch is above that of every row there.
    func take(_ claim: WriterClaim) throws -> WriterStanding {
        try create()
        let domain = SQLText.literal(claim.domain)
        let writer = SQLText.literal(claim.writer)
        let committed = try newestCheckpoint(of: claim.domain)
        var epoch = max(claim.epoch, try highestOfRows(claim) + 1)
        while true {
            let others = try server.number(
                "SELECT toString(max(epoch)) FROM \(table) WHERE domain = \(domain) AND writer != \(writer)")
            let own = try server.number(
                "SELECT toString(max(epoch)) FROM \(table) WHERE domain = \(domain) AND writer = \(writer)")
            if own > others, own >= claim.epoch { return WriterStanding(epoch: own, committed: committed) }
            epoch = max(epoch, others + 1, own)
            guard epoch <= RowVersion.highestEpoch else {
                throw PipelineError(
                    .clickHouseRows,
                    "domain '\(claim.domain)' has used up all \(RowVersion.highestEpoch) epochs of its rows",
                    hint: "drop its tables and run `streamplat apply`", component: server.component)
            }
            try add(claim.domain, epoch, claim.writer, claim.environment, committed)
            // Two that claim together look at different times.
            usleep(UInt32.random(in: 0...20_000))
        }
    }

    /// A run that goes on elsewhere must neither write a table that was created or emptied by its old meaning nor go on
    /// from its checkpoint.
    func endRuns(of domain: String) throws {
        try create()
        let highest = try server.number(
            "SELECT toString(max(epoch)) FROM \(table) WHERE domain = \(SQLText.literal(domain))")
        // Without a row no run has ever claimed the domain here.
        if highest > 0 { try add(domain, highest + 1, "", "", CheckpointNumber.none) }
    }

    /// Notes the checkpoint whose rows the server has acknowledged.
    func note(_ checkpoint: CheckpointNumber, _ claim: WriterClaim) throws {
        try add(claim.domain, claim.epoch, claim.writer, claim.environment, checkpoint)
    }

    private func add(
        _ domain: String, _ epoch: UInt64, _ writer: String, _ environment: String, _ checkpoint: CheckpointNumber?
    ) throws {
        let texts = [domain, writer, environment].map(SQLText.literal)
        let numbers = checkpoint.map { "\($0.epoch), \($0.sequence)" } ?? "NULL, NULL"
        try server.execute(
            "INSERT INTO \(table) (domain, epoch, writer, environment, claimed_at, "
                + "\(Self.checkpointColumns.joined(separator: ", "))) VALUES "
                + "(\(texts[0]), \(epoch), \(texts[1]), \(texts[2]), now(), \(numbers))")
    }

    /// The newest checkpoint whose rows are there; nil when that is not known because an earlier build wrote them.
    private func newestCheckpoint(of domain: String) throws -> CheckpointNumber? {
        let rows = try server.select(
            """
            SELECT toString(checkpoint_epoch), toString(checkpoint) FROM \(table)
            WHERE domain = \(SQLText.literal(domain))
            ORDER BY epoch DESC, checkpoint_epoch DESC NULLS LAST, checkpoint DESC NULLS LAST LIMIT 1
            """)
        guard let newest = rows.first else { return CheckpointNumber.none }
        if newest == [.null, .null] { return nil }
        guard newest.count == 2, case .text(let first) = newest[0], case .text(let second) = newest[1],
            let epoch = UInt64(first), let sequence = UInt64(second)
        else { throw server.damaged("the answer to a query") }
        return CheckpointNumber(epoch: epoch, sequence: sequence)
    }

    /// Throws when another run has taken over.
    func check(_ claim: WriterClaim, component: String) throws {
        let current = try server.number(
            "SELECT toString(max(epoch)) FROM \(table) WHERE domain = \(SQLText.literal(claim.domain))")
        guard current != claim.epoch else { return }
        throw claim.replaced(own: claim.epoch, by: current > claim.epoch ? current : nil, component: component)
    }

    /// The highest epoch of any row of the claim's tables.
    private func highestOfRows(_ claim: WriterClaim) throws -> UInt64 {
        try claim.tables.map { table in
            RowVersion.epoch(
                of: try server.number("SELECT toString(max(\(SQLText.versionColumn))) FROM \(sql.table(table.name))"))
        }.max() ?? 0
    }
}
