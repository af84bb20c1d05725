internal import PluginAPI
internal import SQLiteClient

/// Who may write a domain's tables, and the checkpoint whose rows they hold: the table `_streamplat_writers`.
///
/// Every transaction of a run first looks, with the database's write lock held, whether the domain still has the run's
/// epoch: a run that was paused and replaced cannot write any more.
struct WriterTable {
    static let schema = """
        CREATE TABLE IF NOT EXISTS _streamplat_writers (
          domain TEXT PRIMARY KEY, environment TEXT NOT NULL, writer TEXT NOT NULL, epoch INTEGER NOT NULL,
          checkpoint_epoch INTEGER NOT NULL, checkpoint INTEGER NOT NULL, positions TEXT NOT NULL,
          updated_at TEXT NOT NULL) WITHOUT ROWID
        """
    private static let now = "strftime('%Y-%m-%d %H:%M:%f', 'now')"

    private let connection: SQLiteConnection

    init(_ connection: SQLiteConnection) { self.connection = connection }

    /// Makes the claim's run the writer of its domain.
    func take(_ claim: WriterClaim, component: String) throws -> (Fence, WriterStanding) {
        try connection.transaction {
            try connection.execute(Self.schema)
            try run(
                """
                INSERT INTO _streamplat_writers VALUES (?1, ?2, ?3, ?4, 0, 0, '{}', \(Self.now))
                ON CONFLICT (domain) DO UPDATE SET
                  epoch = max(epoch + (writer <> excluded.writer), excluded.epoch), writer = excluded.writer,
                  environment = excluded.environment, updated_at = excluded.updated_at
                """, [claim.domain, claim.environment, claim.writer], epoch: claim.epoch)
            let row = try connection.prepare(
                "SELECT epoch, checkpoint_epoch, checkpoint FROM _streamplat_writers WHERE domain = ?1")
            try bind(claim.domain, 1, row)
            guard try row.step(), case .integer(let epoch) = row.value(0), case .integer(let ofEpoch) = row.value(1),
                case .integer(let sequence) = row.value(2)
            else { throw claim.replaced(own: claim.epoch, by: nil, component: component) }
            let standing = WriterStanding(
                epoch: UInt64(epoch),
                committed: CheckpointNumber(epoch: UInt64(ofEpoch), sequence: UInt64(sequence)))
            return (try Fence(claim, epoch: UInt64(epoch), connection, component: component), standing)
        }
    }

    /// Inside a transaction that creates or empties a table: a run that goes on elsewhere must neither write it by its old
    /// meaning nor go on from its checkpoint.
    func endRuns(of domain: String) throws {
        try connection.execute(Self.schema)
        try run(
            """
            UPDATE _streamplat_writers SET epoch = epoch + 1, writer = '', checkpoint_epoch = 0, checkpoint = 0,
              positions = '{}', updated_at = \(Self.now) WHERE domain = ?1
            """, [domain])
    }

    private func run(_ sql: String, _ texts: [String], epoch: UInt64? = nil) throws {
        let statement = try connection.prepare(sql)
        for (index, text) in texts.enumerated() { try bind(text, Int32(index + 1), statement) }
        if let epoch { try statement.bind(Int32(texts.count + 1), Int64(clamping: epoch)) }
        while try statement.step() {}
    }

    /// What a run does in each of its transactions. Threads: the connection's.
    final class Fence {
        private let claim: WriterClaim
        private let epoch: UInt64
        private let component: String
        private let look: SQLiteStatement
        private let mark: SQLiteStatement

        init(_ claim: WriterClaim, epoch: UInt64, _ connection: SQLiteConnection, component: String) throws {
            self.claim = claim
            self.epoch = epoch
            self.component = component
            look = try connection.prepare("SELECT epoch FROM _streamplat_writers WHERE domain = ?1")
            mark = try connection.prepare(
                """
                UPDATE _streamplat_writers SET checkpoint_epoch = ?2, checkpoint = ?3, positions = ?4,
                  updated_at = \(WriterTable.now) WHERE domain = ?1
                """)
            for statement in [look, mark] { try bind(claim.domain, 1, statement) }
        }

        /// Throws when another run has taken over.
        func check() throws {
            defer { look.reset() }
            guard try look.step(), case .integer(let current) = look.value(0) else {
                throw claim.replaced(own: epoch, by: nil, component: component)
            }
            guard current == Int64(clamping: epoch) else {
                throw claim.replaced(own: epoch, by: UInt64(clamping: current), component: component)
            }
        }

        /// Notes the checkpoint that the transaction's rows complete.
        func note(_ checkpoint: CheckpointMark) throws {
            defer { mark.reset() }
            try mark.bind(2, Int64(clamping: checkpoint.number.epoch))
            try mark.bind(3, Int64(clamping: checkpoint.number.sequence))
            try bind(checkpoint.positions, 4, mark)
            while try mark.step() {}
        }
    }
}

private func bind(_ text: String, _ index: Int32, _ statement: SQLiteStatement) throws {
    try Array(text.utf8).withUnsafeBytes { try statement.bindCopiedText(index, $0) }
}
