/// How a client reaches servers.
public struct HTTPClientOptions: Sendable {
    /// For name, connection and TLS together; 0 = libcurl's 300 s.
    public var connectTimeoutMilliseconds: Int
    /// For a whole exchange, connecting included; 0 = none.
    public var timeoutMilliseconds: Int
    /// A PEM file of the authorities that are trusted instead of the system's.
    public var certificateAuthorityFile: String?
    /// A PEM file of the certificate that the client shows, with its chain.
    public var clientCertificateFile: String?
    /// A PEM file of that certificate's key; nil = it is in the same file.
    public var clientKeyFile: String?
    /// Whether a server's certificate must be valid and name the host. Without it anybody can answer.
    public var verifiesPeer: Bool
    /// A longer body fails with ``HTTPError/Kind/tooLarge``.
    public var responseByteLimit: Int

    public init(
        connectTimeoutMilliseconds: Int = 5_000, timeoutMilliseconds: Int = 30_000,
        certificateAuthorityFile: String? = nil, clientCertificateFile: String? = nil, clientKeyFile: String? = nil,
        verifiesPeer: Bool = true, responseByteLimit: Int = 64 << 20
    ) {
        self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
        self.timeoutMilliseconds = timeoutMilliseconds
        self.certificateAuthorityFile = certificateAuthorityFile
        self.clientCertificateFile = clientCertificateFile
        self.clientKeyFile = clientKeyFile
        self.verifiesPeer = verifiesPeer
        self.responseByteLimit = responseByteLimit
    }
}
