internal import Compression
internal import DataPath
internal import Diagnostics
internal import HTTPClient
internal import PluginAPI

/// Speaks to the HTTP interface of one of several hosts that hold the same data. Threads: one at a time.
///
/// A request goes to the host that answered last; when that one does not answer, to the others in turn. Every request may
/// be sent twice: statements say IF NOT EXISTS, and rows that come twice carry the same version. Hence a connection that
/// broke is tried once more at the same host, as servers close idle connections whenever they like.
final class ClickHouseConnection {
    private let client: HTTPClient
    private let urls: [String]
    private let credentials: [HTTPHeader]
    private let isCompressed: Bool
    private let notify: @Sendable (String) -> Void
    private var current = 0
    /// Whether answers carry headers of ClickHouse: then one without them comes from something else.
    private var marksAnswers = false
    /// Whether every table that a statement names was there: a run has claimed them.
    var knowsTables = false
    /// Since when statements of one kind are answered with a table or database that is not there.
    private var missingSince: [String: ContinuousClock.Instant] = [:]

    /// A server that is being stopped answers so for a moment, before it answers no more.
    private static let missingPatience = Duration.seconds(5)

    /// The result of a query may be so large; it is held in memory.
    private static let responseByteLimit = 256 << 20

    init(_ options: ClickHouseOptions, notify: @escaping @Sendable (String) -> Void) throws {
        urls = options.urls.map { url in
            let bare = url.hasSuffix("/") ? String(url.dropLast()) : url
            return bare + "/"
        }
        isCompressed = options.isCompressed
        self.notify = notify
        credentials =
            [HTTPHeader("X-ClickHouse-User", options.user)]
            + (options.password.map { [HTTPHeader("X-ClickHouse-Key", secret: $0)] } ?? [])
        do {
            client = try HTTPClient(
                options: HTTPClientOptions(
                    connectTimeoutMilliseconds: min(options.timeoutMilliseconds, 5_000),
                    timeoutMilliseconds: options.timeoutMilliseconds,
                    certificateAuthorityFile: options.authorityFile,
                    clientCertificateFile: options.certificateFile, clientKeyFile: options.keyFile,
                    responseByteLimit: Self.responseByteLimit))
        } catch {
            throw PipelineError(.clickHouseUnreachable, error.description, component: "clickhouse", exitCode: 3)
        }
    }

    var url: String { urls[current] }
    var component: String { "clickhouse \(url)" }

    /// Finds a host that answers, and its version. A failure has exit code 3.
    func connect() throws -> ServerVersion {
        do {
            let (response, version) = try askVersion()
            marksAnswers = response.headers.contains { $0.name.lowercased().hasPrefix("x-clickhouse-") }
            return version
        } catch var error as PipelineError {
            error.exitCode = 3
            throw error
        }
    }

    func version() throws -> ServerVersion { try askVersion().version }

    /// Runs a statement of ours that has no result.
    func execute(_ sql: String) throws {
        _ = try send(parameters: [], Array(sql.utf8), of: "a statement")
    }

    /// Runs a query of ours. An exception with one of the codes `empty` counts as no rows.
    func select(_ sql: String, empty: [Int] = []) throws -> [[QueryResult.Cell]] {
        let response = try exchange(
            parameters: [("default_format", TabSeparatedResult.format), ("wait_end_of_query", "1")], Array(sql.utf8))
        if let exception = ServerException(response), empty.contains(exception.code) { return [] }
        try check(response, of: "a query")
        guard let result = TabSeparatedResult.parse(response.body) else { throw damaged("the answer to a query") }
        return result.rows
    }

    /// The one number that a query of ours gives, written as a text. An answer without it is not taken for zero.
    func number(_ sql: String) throws -> UInt64 {
        guard case .text(let text)? = try select(sql).first?.first, let number = UInt64(text) else {
            throw damaged("the answer to a query")
        }
        return number
    }

    /// Runs a person's query, which cannot change anything.
    ///
    /// - Parameter isFinal: Every table is read as if FINAL stood behind it. Only for servers that have the setting.
    func query(_ sql: String, database: String, isFinal: Bool) throws -> QueryResult {
        // The server holds the answer back until it is whole, so that an error in the middle comes as one.
        let response = try exchange(
            parameters: [
                ("database", database), ("readonly", "2"), ("wait_end_of_query", "1"),
                ("default_format", TabSeparatedResult.format),
            ] + (isFinal ? [("final", "1")] : []), Array(sql.utf8))
        if let exception = ServerException(response), response.status != 200 {
            throw failure(exception, of: "the query", isQuery: true)
        }
        try check(response, of: "the query")
        if let result = TabSeparatedResult.parse(response.body) { return result }
        throw PipelineError(
            .queryFailed, "the answer is not in the format that was asked for",
            hint: "leave FORMAT out of the query; --output chooses how rows are shown", component: component)
    }

    /// Sends rows in RowBinary; throws ``ViolatedConstraint`` when it is about a row.
    func insert(_ statement: String, _ rows: UnsafeRawBufferPointer, settings: [(String, String)]) throws {
        let parameters = [("query", statement)] + settings
        let response: HTTPResponse
        if isCompressed {
            let packed: [UInt8]
            do {
                packed = try Deflate.gzip(rows, level: 1)
            } catch {
                throw PipelineError(.clickHouseRows, "rows cannot be compressed: \(error)", component: component)
            }
            response = try packed.withUnsafeBytes {
                try exchange(parameters: parameters, headers: [HTTPHeader("Content-Encoding", "gzip")], $0)
            }
        } else {
            response = try exchange(parameters: parameters, rows)
        }
        if let exception = ServerException(response), exception.code == ServerException.violatedConstraint {
            throw ViolatedConstraint(reason: "a constraint of the table refuses the row with \(exception.summary)")
        }
        try check(response, of: "an insert")
        // An insert is answered without a word; anything else may be a front that never passed the rows on.
        guard response.body.isEmpty else { throw damaged("the answer to an insert") }
    }

    // MARK: One exchange.

    private func askVersion() throws -> (response: HTTPResponse, version: ServerVersion) {
        let response = try send(parameters: [], Array("SELECT version()".utf8), of: "SELECT version()")
        let text = response.text.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
        guard text.utf8.count <= 64, let version = ServerVersion(text) else {
            throw damaged("the answer to SELECT version()")
        }
        return (response, version)
    }

    private func send(parameters: [(String, String)], _ body: [UInt8], of what: String) throws -> HTTPResponse {
        let response = try exchange(parameters: parameters, body)
        try check(response, of: what)
        return response
    }

    private func exchange(parameters: [(String, String)], _ body: [UInt8]) throws -> HTTPResponse {
        try body.withUnsafeBytes { try exchange(parameters: parameters, $0) }
    }

    /// The answer of the first host that gives one, errors of ClickHouse included.
    private func exchange(
        parameters: [(String, String)], headers: [HTTPHeader] = [], _ body: UnsafeRawBufferPointer
    ) throws -> HTTPResponse {
        let query = parameters.map { "\(HTTPURL.escape($0.0))=\(HTTPURL.escape($0.1))" }.joined(separator: "&")
        var reasons: [(url: String, reason: String)] = []
        var isSlow = false
        for step in urls.indices {
            let index = (current + step) % urls.count
            let request = HTTPRequest(
                method: "POST", url: query.isEmpty ? urls[index] : "\(urls[index])?\(query)",
                headers: credentials + headers)
            let reason: String
            switch attempt(request, body) {
            case .success(let response):
                guard let unavailable = Self.unavailable(response) else {
                    if index != current { notify("clickhouse: \(reasonText(reasons)); now using \(urls[index])") }
                    current = index
                    return response
                }
                reason = unavailable
            case .failure(let error):
                if error.kind == .tooLarge {
                    throw PipelineError(
                        .queryFailed, "the result is larger than \(Self.responseByteLimit >> 20) MiB",
                        hint: "add a LIMIT, or aggregate", component: component)
                }
                isSlow = isSlow || error.kind == .timeout
                reason = Self.reason(error)
            }
            reasons.append((urls[index], reason))
        }
        throw PipelineError(
            .clickHouseUnreachable, reasonText(reasons),
            hint: "is the server running, is `urls` its HTTP interface (port 8123, or 8443 with https), and is "
                + "`ca_file` right?" + (isSlow ? " `timeout` says how long to wait" : ""),
            component: "clickhouse", retry: .backoff)
    }

    private func attempt(_ request: HTTPRequest, _ body: UnsafeRawBufferPointer) -> Result<HTTPResponse, HTTPError> {
        do {
            return .success(try client.send(request, body: body))
        } catch  where error.kind == .cut {
            return Result { () throws(HTTPError) in try client.send(request, body: body) }
        } catch {
            return .failure(error)
        }
    }

    private func reasonText(_ reasons: [(url: String, reason: String)]) -> String {
        reasons.map { "\($0.url) \($0.reason)" }.joined(separator: "; ")
    }

    private static func reason(_ error: HTTPError) -> String {
        switch error.kind {
        case .unresolved: "names a host that is not known"
        case .refused: "does not answer: \(error.detail)"
        case .timeout: "did not answer in time: \(error.detail)"
        case .tls: "cannot be reached securely: \(error.detail)"
        case .cut: "gave no whole answer: \(error.detail)"
        case .invalid, .tooLarge, .other: "cannot be asked: \(error.detail)"
        }
    }

    /// A front's word that the server behind it is not there.
    private static func unavailable(_ response: HTTPResponse) -> String? {
        switch response.status {
        case 408, 429, 500, 502, 503, 504:
            ServerException(response) == nil ? "answers HTTP \(response.status) without an error of ClickHouse" : nil
        default: nil
        }
    }

    // MARK: What an answer means: the one place that maps it.

    private func check(_ response: HTTPResponse, of what: String) throws {
        if response.status != 200 || response.header("X-ClickHouse-Exception-Code") != nil {
            if let exception = ServerException(response) {
                try bear(exception, of: what)
                throw failure(exception, of: what)
            }
            switch response.status {
            case 401, 403:
                throw PipelineError(
                    .clickHouseAccess, "the server refuses \(what) with HTTP \(response.status)",
                    hint: Self.accessHint, component: component,
                    options: ["user", "password"])
            case 300..<400:
                throw PipelineError(
                    .clickHouseAnswer, "the server sends \(what) elsewhere with HTTP \(response.status)",
                    hint: "write the URL that it leads to in `urls`", component: component)
            default: throw damaged("HTTP \(response.status) to \(what)")
            }
        }
        let isMarked = response.headers.contains { $0.name.lowercased().hasPrefix("x-clickhouse-") }
        if marksAnswers, !isMarked { throw damaged("the answer to \(what)") }
        missingSince[what] = nil
    }

    /// Throws what may pass when a table that was there is said to be missing, until that has lasted.
    private func bear(_ exception: ServerException, of what: String) throws {
        guard knowsTables, exception.isMissing else { return }
        let since = missingSince[what] ?? .now
        missingSince[what] = since
        guard .now - since < Self.missingPatience else { return }
        throw PipelineError(
            .clickHouseBusy, "\(what) failed with \(exception.summary)",
            hint: "a server that is being stopped says so, too", component: component, retry: .backoff)
    }

    private func failure(_ exception: ServerException, of what: String, isQuery: Bool = false) -> PipelineError {
        let message = "\(what) failed with \(exception.summary)"
        switch exception.reaction {
        case .backoff:
            let hint: String? =
                switch exception.code {
                case 252: "the server merges parts more slowly than rows come; raise `min_insert_interval`"
                case 243: "free some space on the server"
                case 241: "the server is short of memory; lower `max_batch_rows`"
                default: nil
                }
            return PipelineError(.clickHouseBusy, message, hint: hint, component: component, retry: .backoff)
        case .access:
            if isQuery, exception.code == 164 {
                return PipelineError(
                    .queryFailed, "only queries are allowed here",
                    hint: "write SELECT …; streamplat owns these tables", component: component)
            }
            return PipelineError(
                .clickHouseAccess, message, hint: Self.accessHint, component: component,
                options: ["user", "password"])
        case .never:
            let hint: String? =
                switch exception.code {
                case ServerException.unknownTable: "`streamplat query` without SQL lists the tables"
                case ServerException.unknownDatabase: "`streamplat apply` creates the database and its tables"
                default: nil
                }
            return PipelineError(
                isQuery ? .queryFailed : .clickHouseRefused, message, hint: hint, component: component)
        }
    }

    private static let accessHint = "check `user`, `password` and what the server lets this user do"

    /// What came is no answer of ClickHouse. It may be a front that is being repaired: asking again is safe.
    func damaged(_ what: String) -> PipelineError {
        PipelineError(
            .clickHouseAnswer, "\(what) is not what a ClickHouse server says",
            hint: "is `urls` the HTTP interface of ClickHouse (port 8123, or 8443 with https)?", component: component,
            retry: .backoff)
    }
}
