internal import CPostgres
internal import Glibc

/// A connection to one PostgreSQL database. Threads: one at a time.
///
/// libpq is used without blocking, so that every wait has an end: a server that is silent for longer than
/// ``PostgresSettings/statementTimeoutMilliseconds`` and ``PostgresSettings/silenceMilliseconds`` is given up. An error of the kind
/// ``PostgresError/Kind/connection`` ends the connection: make a new one.
public final class PostgresConnection {
    let handle: OpaquePointer
    /// How long the server may be silent; -1 = for ever.
    private let silenceMilliseconds: Int64
    /// The connection failed: nothing more is sent.
    public private(set) var isLost = false

    /// Connects. The password is handed to libpq in a list of its own, never as part of a text.
    ///
    /// A nil password leaves libpq's own sources (`PGPASSWORD`, the password file). Throws within
    /// ``PostgresSettings/connectTimeoutMilliseconds`` and the time that looking up the host's name takes.
    public init(_ settings: PostgresSettings, password: String?) throws(PostgresError) {
        let parameters = settings.parameters + (password.map { [("password", $0)] } ?? [])
        let keys = CStringList(parameters.map(\.name))
        let values = CStringList(parameters.map(\.value))
        // The last argument: the database's name is a name, never a connection string.
        let started = withExtendedLifetime((keys, values)) {
            PQconnectStartParams(keys.pointers, values.pointers, 0)
        }
        guard let opened = started else { throw PostgresError(.connection, message: "out of memory") }
        handle = opened
        silenceMilliseconds =
            settings.statementTimeoutMilliseconds > 0
            ? settings.statementTimeoutMilliseconds + settings.silenceMilliseconds : -1
        // The SQLSTATE of a refused connection is only in the text, and only in the verbose one.
        PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        try connect(withinMilliseconds: settings.connectTimeoutMilliseconds)
        // The server's notices (such as "relation exists, skipping") would go to standard error.
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        guard PQsetnonblocking(handle, 1) == 0 else { throw lost() }
        let timeout = String(settings.statementTimeoutMilliseconds)
        try execute(
            """
            SELECT set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO, MDY', false),
              set_config('IntervalStyle', 'iso_8601', false), set_config('bytea_output', 'hex', false),
              set_config('extra_float_digits', '1', false), set_config('standard_conforming_strings', 'on', false),
              set_config('statement_timeout', $1, false)
            """, [timeout])
    }

    // A failed initialiser runs it too.
    deinit { PQfinish(handle) }

    /// The server's version as a number, such as 150018 for 15.18.
    public var serverVersion: Int { Int(PQserverVersion(handle)) }

    /// The server's version as text, such as `15.18 (Debian 15.18-0+deb12u1)`.
    public var serverVersionText: String { parameter("server_version") ?? String(serverVersion) }

    /// A setting that the server reports by itself, such as `server_encoding`.
    public func parameter(_ name: String) -> String? { PQparameterStatus(handle, name).map { String(cString: $0) } }

    /// Whether the connection is encrypted.
    public var usesTLS: Bool { PQsslInUse(handle) != 0 }

    private func connect(withinMilliseconds limit: Int64) throws(PostgresError) {
        let deadline = Self.now() + limit
        guard PQstatus(handle) != CONNECTION_BAD else { throw connectFailure() }
        var next = PGRES_POLLING_WRITING
        while next != PGRES_POLLING_OK {
            guard next != PGRES_POLLING_FAILED else { throw connectFailure() }
            guard try wait(next == PGRES_POLLING_READING ? POLLIN : POLLOUT, until: deadline) else {
                throw PostgresError(.connection, message: "no answer within \(limit) ms")
            }
            next = PQconnectPoll(handle)
        }
    }

    private func connectFailure() -> PostgresError {
        isLost = true
        return .connecting(String(cString: PQerrorMessage(handle)))
    }

    /// Marks the connection as lost and says why.
    func lost(_ reason: String? = nil) -> PostgresError {
        isLost = true
        let text = reason ?? String(cString: PQerrorMessage(handle))
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init)
        return PostgresError(.connection, message: line ?? "the connection was lost")
    }

    func requireConnection() throws(PostgresError) {
        if isLost { throw PostgresError(.connection, message: "the connection was lost") }
    }

    /// Waits until libpq can go on with the socket; false at the deadline (nil = none).
    private func wait(_ events: Int32, until deadline: Int64?) throws(PostgresError) -> Bool {
        while true {
            var entry = pollfd(fd: PQsocket(handle), events: Int16(events), revents: 0)
            guard entry.fd >= 0 else { throw lost() }
            let rest = deadline.map { max(0, $0 - Self.now()) }
            let ready = poll(&entry, 1, rest.map { Int32(clamping: $0) } ?? -1)
            if ready > 0 { return true }
            if ready == 0 { return false }
            guard errno == EINTR else { throw lost(String(cString: strerror(errno))) }
        }
    }

    /// Waits for the server as long as it may be silent.
    func waitForServer(writing: Bool) throws(PostgresError) {
        let deadline = silenceMilliseconds < 0 ? nil : Self.now() + silenceMilliseconds
        guard try wait(writing ? POLLIN | POLLOUT : POLLIN, until: deadline) else {
            throw lost("the server did not answer within \(silenceMilliseconds) ms")
        }
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// C strings with a nil at the end, overwritten when they are freed: one may be a password. The pointers live as long as
/// the list.
private final class CStringList {
    private var owned: [UnsafeMutablePointer<CChar>?]
    var pointers: [UnsafePointer<CChar>?] { owned.map { UnsafePointer($0) } }

    init(_ strings: [String]) { owned = strings.map { strdup($0) } + [nil] }

    deinit {
        for case let string? in owned {
            explicit_bzero(string, strlen(string))
            free(string)
        }
    }
}
