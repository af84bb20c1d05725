internal import DataPath
public import Diagnostics
public import PluginAPI
internal import PostgresClient

/// The sink `postgresql`: result tables in a PostgreSQL database, upserted by key.
public struct PostgreSQLSinkPlugin: SinkPlugin {
    public static let spec = PluginSpec(
        kind: .sink, name: "postgresql",
        summary: "Tables in a PostgreSQL database, written by binary COPY and merged by key.",
        options: [
            OptionSpec(
                "host", .string, default: "localhost",
                doc: "The server's name or address, or the folder of its Unix socket.", example: "db.example.org"),
            OptionSpec("port", .integer(1...65_535), default: "5432", doc: "The server's port."),
            OptionSpec(
                "database", .string, isRequired: true, isPlace: true, doc: "The database.", example: "analytics"),
            OptionSpec("user", .string, isRequired: true, doc: "Who logs in.", example: "streamplat"),
            OptionSpec(
                "password", .string, isSecret: true,
                doc: "The password. Without one, PGPASSWORD and the password file of libpq are used.",
                example: "$<secret:POSTGRES_PASSWORD>"),
            OptionSpec(
                "schema", .string, default: "public", isPlace: true,
                doc: "The schema of the tables; apply creates it when it is missing."),
            OptionSpec(
                "create_database", .boolean, default: "false", doc: "Let apply create the database if it is missing."),
            OptionSpec(
                "tls_mode", .choice(tlsModes.map(\.word)), default: "prefer",
                doc:
                    "disable, prefer (TLS if the server has it), require, verify_ca (certificate from ca_file) "
                    + "or verify_full (and is for this host)."),
            OptionSpec("ca_file", .path, doc: "Certificates of the authorities to trust (PEM).", example: "tls/ca.pem"),
            OptionSpec("cert_file", .path, doc: "The client's certificate (PEM).", example: "tls/client.pem"),
            OptionSpec("key_file", .path, doc: "The client's private key (PEM).", example: "tls/client.key"),
            OptionSpec("connect_timeout", .duration, default: "10 seconds", doc: "How long connecting may take."),
            OptionSpec(
                "statement_timeout", .duration, default: "5 minutes",
                doc: "The server gives a statement up after this time; 0 seconds = never. A server that is silent for "
                    + "10 seconds longer counts as lost."),
            OptionSpec(
                "application_name", .string, default: "streamplat",
                doc: "How the connections are named in pg_stat_activity."),
            OptionSpec(
                "buffer_bytes", .byteSize, default: "32 MiB",
                doc:
                    "Rows wait in memory until they are committed together; above this they are committed early."
            ),
            OptionSpec(
                "unstorable_text", .choice(["fail", "replace"]), default: "fail",
                doc:
                    "PostgreSQL cannot hold U+0000 and malformed UTF-8 in texts: fail, or put U+FFFD in their place."
            ),
        ])

    public static let nature = SinkNature.table
    public static let replacesInside = true

    private static let tlsModes: [(word: String, mode: PostgresSettings.TLSMode)] = [
        ("disable", .disable), ("prefer", .prefer), ("require", .require), ("verify_ca", .verifyCA),
        ("verify_full", .verifyFull),
    ]

    public init() {}

    public func validate(_ options: OptionValues, into diagnostics: inout Diagnostics) {
        func refuse(_ key: String, _ message: String, hint: String) {
            diagnostics.error(.postgresOptions, message, at: options.location(key), hint: hint)
        }
        let mode = options.string("tls_mode") ?? ""
        if mode.hasPrefix("verify"), options.string("ca_file") == nil {
            refuse("tls_mode", "tls_mode \(mode) needs a ca_file", hint: "name the file of the authority's certificate")
        }
        let (certificate, key) = (options.string("cert_file"), options.string("key_file"))
        if (certificate == nil) != (key == nil) {
            refuse(
                certificate == nil ? "key_file" : "cert_file", "cert_file and key_file belong together",
                hint: "give both, or neither")
        }
        if mode == "disable", options.string("ca_file") ?? certificate != nil {
            refuse("tls_mode", "tls_mode is disable, but there are files for TLS", hint: "set tls_mode to verify_full")
        }
        for name in ["host", "database", "user", "schema"] where options.string(name) == "" {
            refuse(name, "'\(name)' is empty", hint: "give it a value, or leave it out for its default")
        }
        // A host that begins with @ is a socket without a file.
        for name in ["host", "database"]
        where options.string(name)?.contains("://") == true
            || name == "host" && options.string(name)?.dropFirst().contains("@") == true
        {
            refuse(name, "'\(name)' is a URL", hint: "write host, port, database, user and password one by one")
        }
        if options.string("schema")?.hasPrefix("pg_") == true {
            refuse("schema", "schemas that begin with pg_ are the server's own", hint: "use another schema")
        }
        for name in ["database", "user", "schema"] where options.string(name)?.utf8.count ?? 0 > 63 {
            refuse(name, "'\(name)' is longer than PostgreSQL's 63 bytes", hint: "use a shorter name")
        }
    }

    public func open(_ options: OptionValues, _ context: PluginContext) throws -> any Sink {
        var settings = PostgresSettings(
            host: options.string("host") ?? "localhost", port: options.integer("port") ?? 5432,
            database: options.string("database") ?? "", user: options.string("user") ?? "")
        settings.tlsMode = Self.tlsModes.first { $0.word == options.string("tls_mode") }?.mode ?? .prefer
        settings.caFile = options.string("ca_file").map(context.absolute)
        settings.certificateFile = options.string("cert_file").map(context.absolute)
        settings.keyFile = options.string("key_file").map(context.absolute)
        settings.applicationName = options.string("application_name") ?? "streamplat"
        settings.connectTimeoutMilliseconds = max(1, options.milliseconds("connect_timeout") ?? 10_000)
        settings.statementTimeoutMilliseconds = options.milliseconds("statement_timeout") ?? 300_000
        return try PostgreSQLSink(
            DatabaseLogin(
                settings: settings, password: options.secret("password"),
                schema: options.string("schema") ?? "public"),
            .init(
                bufferBytes: Int(clamping: options.bytes("buffer_bytes") ?? 32 << 20),
                replacesText: options.string("unstorable_text") == "replace",
                createsDatabase: options.boolean("create_database") ?? false, access: context.access))
    }
}
