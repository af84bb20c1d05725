internal import PluginAPI
internal import PostgresClient

/// Which tables of the schema are ours, and what they mean: the table `streamplat_tables`.
struct TableCatalog {
    static let name = "streamplat_tables"

    private let connection: PostgresConnection
    private let schema: String
    private var catalog: String { "\(SQLText.identifier(schema)).\(SQLText.identifier(Self.name))" }

    init(_ connection: PostgresConnection, schema: String) {
        self.connection = connection
        self.schema = schema
    }

    static func keyText(_ table: TableDefinition) -> String { table.key.joined(separator: ", ") }

    /// Names of our tables that are there.
    func names() throws(PostgresError) -> [String] {
        guard try relationKind(of: Self.name) != nil else { return [] }
        let rows = try connection.execute(
            """
            SELECT t.name FROM \(catalog) t
            JOIN pg_catalog.pg_class c ON c.relname = t.name
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $1
            ORDER BY 1
            """, [schema])
        return (0..<rows.rowCount).compactMap { rows.text($0, 0) }
    }

    func comparison(with table: TableDefinition) throws(PostgresError) -> TableComparison {
        TableComparison(
            table, live: try live(table.name), schema: schema, serverVersion: connection.serverVersion)
    }

    /// Makes the change in one transaction; one program at a time.
    func apply(_ table: TableDefinition) throws -> TableChange {
        try connection.transaction {
            // Two that create the same schema or table at once would fail each other.
            try connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", ["streamplat apply \(schema)"])
            let comparison = try comparison(with: table)
            switch comparison.change {
            case .none, .refuse: return comparison.change
            case .create, .alter, .rebuild: break
            }
            try createCatalog()
            for statement in comparison.statements { try connection.execute(statement) }
            let writers = WriterTable(connection, schema: schema)
            if case .alter = comparison.change {} else { try writers.endRuns(of: table.owner) }
            try connection.execute(
                """
                INSERT INTO \(catalog) (name, owner, content, key, fingerprint) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, content = excluded.content,
                  key = excluded.key, fingerprint = excluded.fingerprint
                """,
                [
                    table.name, table.owner, table.content == .aggregation ? "aggregation" : "raw_events",
                    Self.keyText(table), table.fingerprint,
                ])
            return comparison.change
        }
    }

    private func createCatalog() throws(PostgresError) {
        // `IF NOT EXISTS` would ask for the right to create even when there is nothing to create.
        if try connection.execute("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", [schema]).rowCount == 0 {
            try connection.execute("CREATE SCHEMA \(SQLText.identifier(schema))")
        }
        guard try relationKind(of: Self.name) == nil else { return }
        try connection.execute(
            """
            CREATE TABLE \(catalog) (name text PRIMARY KEY, owner text NOT NULL, content text NOT NULL,
              key text NOT NULL, fingerprint text NOT NULL)
            """)
    }

    private func live(_ name: String) throws(PostgresError) -> LiveTable? {
        guard let kind = try relationKind(of: name) else { return nil }
        let columns = try connection.execute(
            """
            SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull
            FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attnum
            """, [schema, name])
        return LiveTable(
            isOrdinary: kind == "r",
            columns: (0..<columns.rowCount).map { row in
                .init(
                    name: columns.text(row, 0) ?? "", type: columns.text(row, 1) ?? "",
                    isRequired: columns.text(row, 2) == "t")
            },
            entry: try entry(name))
    }

    private func entry(_ name: String) throws(PostgresError) -> LiveTable.Entry? {
        guard try relationKind(of: Self.name) != nil else { return nil }
        let rows = try connection.execute("SELECT owner, key, fingerprint FROM \(catalog) WHERE name = $1", [name])
        guard rows.rowCount > 0, let owner = rows.text(0, 0), let key = rows.text(0, 1),
            let fingerprint = rows.text(0, 2)
        else { return nil }
        return LiveTable.Entry(owner: owner, key: key, fingerprint: fingerprint)
    }

    /// The letter of `pg_class.relkind`; nil when the schema has nothing of that name.
    private func relationKind(of name: String) throws(PostgresError) -> String? {
        let rows = try connection.execute(
            """
            SELECT c.relkind FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = $2
            """, [schema, name])
        return rows.rowCount > 0 ? rows.text(0, 0) : nil
    }
}
