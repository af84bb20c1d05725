/// How to reach a PostgreSQL database, and what the session is like.
public struct PostgresSettings: Sendable {
    /// How a connection is encrypted and the server's certificate checked; libpq's `sslmode`.
    public enum TLSMode: String, Sendable, CaseIterable {
        case disable
        /// TLS when the server has it, else none.
        case prefer
        /// TLS; the certificate is not checked unless there is a ``PostgresSettings/caFile``.
        case require
        /// TLS; the certificate must come from ``PostgresSettings/caFile``.
        case verifyCA = "verify-ca"
        /// As ``verifyCA``, and the certificate must be for the host's name.
        case verifyFull = "verify-full"
    }

    /// A name, an address, or the folder of a Unix socket.
    public var host: String
    public var port: Int
    public var database: String
    public var user: String
    public var tlsMode = TLSMode.prefer
    public var caFile: String?
    public var certificateFile: String?
    public var keyFile: String?
    public var applicationName = "streamplat"
    public var connectTimeoutMilliseconds: Int64 = 10_000
    /// The server gives a statement up after this time; 0 = never.
    public var statementTimeoutMilliseconds: Int64 = 0
    /// A server that is silent for so much longer than a statement may take counts as lost.
    public var silenceMilliseconds: Int64 = 10_000

    public init(host: String, port: Int, database: String, user: String) {
        self.host = host
        self.port = port
        self.database = database
        self.user = user
    }

    /// libpq's parameters, without the password.
    var parameters: [(name: String, value: String)] {
        var result = [
            ("host", host), ("port", String(port)), ("dbname", database), ("user", user),
            ("sslmode", tlsMode.rawValue),
            // A Kerberos ticket that happens to be there would replace TLS.
            ("gssencmode", "disable"),
            ("application_name", applicationName), ("client_encoding", "UTF8"),
            // A server that vanished without a word is noticed after at most a minute.
            ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "60000"),
        ]
        if let caFile { result.append(("sslrootcert", caFile)) }
        if let certificateFile { result.append(("sslcert", certificateFile)) }
        if let keyFile { result.append(("sslkey", keyFile)) }
        return result
    }
}
