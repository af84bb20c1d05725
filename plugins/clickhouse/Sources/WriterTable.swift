internal import Diagnostics
internal import Glibc
internal import PluginAPI

/// Who may write a domain's tables: the table `streamplat_writers`, a row for every epoch that a run has taken.
///
/// ClickHouse has no transactions. So a claim is a row that is added and then looked for: whoever finds another run's
/// claim of the same or a higher epoch tries a higher one.
struct WriterTable {
    static let name = "streamplat_writers"

    private let server: ClickHouseConnection
    private let sql: SQLText
    private var table: String { sql.table(Self.name) }

    init(_ server: ClickHouseConnection, _ sql: SQLText) {
        self.server = server
        self.sql = sql
    }

    func create() throws {
        try server.execute(
            """
            CREATE TABLE IF NOT EXISTS \(table) (
              domain String, epoch UInt64, writer String, environment String, claimed_at DateTime)
            ENGINE = ReplacingMergeTree() ORDER BY (domain, epoch, writer)
            """)
    }

    /// Makes the claim's run the writer of its domain and gives its epoch, which is above that of every row there.
    func take(_ claim: WriterClaim) throws -> UInt64 {
        try create()
        let domain = SQLText.literal(claim.domain)
        let writer = SQLText.literal(claim.writer)
        var epoch = max(claim.epoch, try highestOfRows(claim) + 1)
        while true {
            let others = try server.number(
                "SELECT toString(max(epoch)) FROM \(table) WHERE domain = \(domain) AND writer != \(writer)")
            let own = try server.number(
                "SELECT toString(max(epoch)) FROM \(table) WHERE domain = \(domain) AND writer = \(writer)")
            if own > others, own >= claim.epoch { return own }
            epoch = max(epoch, others + 1, own)
            guard epoch <= RowVersion.highestEpoch else {
                throw PipelineError(
                    .clickHouseRows,
                    "domain '\(claim.domain)' has used up all \(RowVersion.highestEpoch) epochs of its rows",
                    hint: "drop its tables and run `streamplat apply`", component: server.component)
            }
            try add(claim.domain, epoch, claim.writer, claim.environment)
            // Two that claim together look at different times.
            usleep(UInt32.random(in: 0...20_000))
        }
    }

    /// A run that goes on elsewhere must not write a table that was created or emptied by its old meaning.
    func endRuns(of domain: String) throws {
        try create()
        let highest = try server.number(
            "SELECT toString(max(epoch)) FROM \(table) WHERE domain = \(SQLText.literal(domain))")
        // Without a row no run has ever claimed the domain here.
        if highest > 0 { try add(domain, highest + 1, "", "") }
    }

    private func add(_ domain: String, _ epoch: UInt64, _ writer: String, _ environment: String) throws {
        let texts = [domain, writer, environment].map(SQLText.literal)
        try server.execute(
            "INSERT INTO \(table) (domain, epoch, writer, environment, claimed_at) VALUES "
                + "(\(texts[0]), \(epoch), \(texts[1]), \(texts[2]), now())")
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
