internal import Diagnostics
internal import PluginAPI
internal import PostgresClient

/// Who may write a domain's tables, and the checkpoint whose rows they hold: the table `streamplat_writers`.
///
/// Every transaction of a run locks its domain's row there, and finds it only under the run's own epoch: a run that was
/// paused and replaced cannot write any more. The lock is taken after the rows were copied, and the server ends a session
/// that then is silent: a paused run keeps its successor waiting for ``patienceSeconds`` at most.
struct WriterTable {
    static let name = "streamplat_writers"
    /// How long a session may be silent within a transaction.
    static let patienceSeconds = 20

    private let connection: PostgresConnection
    private let schema: String
    private var table: String { "\(SQLText.identifier(schema)).\(SQLText.identifier(Self.name))" }

    init(_ connection: PostgresConnection, schema: String) {
        self.connection = connection
        self.schema = schema
    }

    /// Creates the table if it is missing.
    func create() throws(PostgresError) {
        let isThere = try connection.execute(
            """
            SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = $2
            """, [schema, Self.name])
        guard isThere.rowCount == 0 else { return }
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS \(table) (domain text PRIMARY KEY, environment text NOT NULL, writer text NOT NULL,
              epoch bigint NOT NULL, checkpoint_epoch bigint NOT NULL, checkpoint bigint NOT NULL,
              positions jsonb NOT NULL, updated_at timestamptz NOT NULL)
            """)
    }

    /// Makes the claim's run the writer of its domain.
    func take(_ claim: WriterClaim) throws(PostgresError) -> WriterStanding {
        try create()
        let row = try connection.execute(
            """
            INSERT INTO \(table) AS w VALUES ($1, $2, $3, $4, 0, 0, '{}', now())
            ON CONFLICT (domain) DO UPDATE SET
              epoch = greatest(w.epoch + (w.writer <> excluded.writer)::int, excluded.epoch), writer = excluded.writer,
              environment = excluded.environment, updated_at = excluded.updated_at
            RETURNING epoch, checkpoint_epoch, checkpoint
            """, [claim.domain, claim.environment, claim.writer, "\(claim.epoch)"])
        func number(_ column: Int) -> UInt64 { row.text(0, column).flatMap { UInt64($0) } ?? 0 }
        return WriterStanding(
            epoch: number(0), committed: CheckpointNumber(epoch: number(1), sequence: number(2)))
    }

    /// Inside a transaction that creates or empties a table: a run that goes on elsewhere must neither write it by its old
    /// meaning nor go on from its checkpoint.
    func endRuns(of domain: String) throws(PostgresError) {
        try create()
        try connection.execute(
            """
            UPDATE \(table) SET epoch = epoch + 1, writer = '', checkpoint_epoch = 0, checkpoint = 0, positions = '{}',
              updated_at = now() WHERE domain = $1
            """, [domain])
    }

    /// Inside a transaction of a run: holds the domain's row until its end. False when the run was replaced.
    func holds(_ claim: WriterClaim) throws(PostgresError) -> Bool {
        try connection.execute(
            "SELECT 1 FROM \(table) WHERE domain = $1 AND epoch = $2 FOR SHARE", [claim.domain, "\(claim.epoch)"]
        ).rowCount > 0
    }

    /// As ``holds(_:)``, and notes the checkpoint that the transaction's rows complete.
    func note(_ mark: CheckpointMark, _ claim: WriterClaim) throws(PostgresError) -> Bool {
        try connection.execute(
            """
            UPDATE \(table) SET checkpoint_epoch = $3, checkpoint = $4, positions = $5, updated_at = now()
            WHERE domain = $1 AND epoch = $2 RETURNING 1
            """,
            [
                claim.domain, "\(claim.epoch)", "\(mark.number.epoch)", "\(mark.number.sequence)", mark.positions,
            ]
        ).rowCount > 0
    }

    /// The epoch that the domain has now.
    func epoch(of domain: String) throws(PostgresError) -> UInt64? {
        let row = try connection.execute("SELECT epoch FROM \(table) WHERE domain = $1", [domain])
        return row.rowCount > 0 ? row.text(0, 0).flatMap { UInt64($0) } : nil
    }
}
