internal import PluginAPI
internal import PostgresClient

/// Makes connections to one database: the settings with the password, and the schema that names without one mean.
struct DatabaseLogin {
    let settings: PostgresSettings
    let password: Secret?
    let schema: String

    /// The database that every server has, for what has to be done from outside the own one.
    private static let maintenanceDatabase = "postgres"

    func connect() throws(PostgresError) -> PostgresConnection {
        let connection = try connect(settings)
        try connection.execute(
            """
            SELECT set_config('search_path', $1, false), set_config('idle_in_transaction_session_timeout', $2, false),
                set_config(
                    'work_mem', greatest(pg_size_bytes(current_setting('work_mem')) / 1024, $3::bigint)::text || 'kB', false)
            """,
            [
                "\(SQLText.identifier(schema)), public", "\(WriterTable.patienceSeconds)s", "\(Self.sortKibibytes)",
            ])
        return connection
    }

    /// What the server may take to sort a flush by its key, where it has not been given more: beyond that it sorts on disk.
    private static let sortKibibytes = 64 << 10

    /// A connection to the server, whether the own database is there or not.
    func connectToServer() throws(PostgresError) -> PostgresConnection {
        var settings = settings
        settings.database = Self.maintenanceDatabase
        return try connect(settings)
    }

    /// Creates the database; that another program was faster is no error.
    func createDatabase() throws(PostgresError) {
        let server = try connectToServer()
        do {
            // Only template0 may be copied with an encoding of its own.
            try server.execute(
                "CREATE DATABASE \(SQLText.identifier(settings.database)) TEMPLATE template0 ENCODING 'UTF8'")
        } catch  where error.sqlState == "42P04" || error.sqlState == "23505" {
            return
        }
    }

    private func connect(_ settings: PostgresSettings) throws(PostgresError) -> PostgresConnection {
        guard let password else { return try PostgresConnection(settings, password: nil) }
        return try password.withValue { value in
            Result { () throws(PostgresError) in try PostgresConnection(settings, password: value) }
        }.get()
    }
}
