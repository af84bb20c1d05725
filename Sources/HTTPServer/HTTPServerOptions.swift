/// Where a server listens and what it takes.
public struct HTTPServerOptions: Sendable {
    /// A name or an address; only this machine may connect to the default.
    public var host: String
    /// 0 = a free one.
    public var port: Int
    /// A longer body is answered with 413.
    public var bodyByteLimit: Int
    /// Connections beyond this number are closed at once.
    public var connectionLimit: Int
    /// A connection on which nothing arrives for so long is closed.
    public var idleSeconds: Int
    /// How many requests are handled at the same time; the others wait.
    public var handlerThreads: Int

    public init(
        host: String = "127.0.0.1", port: Int = 0, bodyByteLimit: Int = 8 << 20, connectionLimit: Int = 1024,
        idleSeconds: Int = 60, handlerThreads: Int = 2
    ) {
        self.host = host
        self.port = port
        self.bodyByteLimit = bodyByteLimit
        self.connectionLimit = connectionLimit
        self.idleSeconds = idleSeconds
        self.handlerThreads = handlerThreads
    }
}
