internal import CPostgres
internal import Glibc

extension PostgresConnection {
    /// Runs one statement; parameters are `$1`, `$2`, …, sent beside the text.
    @discardableResult
    public func execute(_ sql: String, _ parameters: [String?] = []) throws(PostgresError) -> PostgresResult {
        try requireConnection()
        let copies = ParameterList(parameters)
        let isSent = withExtendedLifetime(copies) {
            PQsendQueryParams(handle, sql, Int32(clamping: parameters.count), nil, copies.pointers, nil, nil, 0) == 1
        }
        guard isSent else { throw lost() }
        return try completed()
    }

    /// Runs one statement that gives rows and nothing else; others are refused before they run.
    ///
    /// Nil when the statement gives no rows. Whether it may change something is the transaction's matter.
    public func query(_ sql: String) throws(PostgresError) -> PostgresResult? {
        try requireConnection()
        guard PQsendPrepare(handle, "", sql, 0, nil) == 1 else { throw lost() }
        _ = try completed()
        guard PQsendDescribePrepared(handle, "") == 1 else { throw lost() }
        guard try completed().columnCount > 0 else { return nil }
        guard PQsendQueryPrepared(handle, "", 0, nil, nil, nil, 0) == 1 else { throw lost() }
        return try completed()
    }

    /// Runs `body` in one transaction, which is rolled back when it throws.
    ///
    /// When the connection is lost during `COMMIT`, it is not known whether the transaction counts: the error is of the
    /// kind ``PostgresError/Kind/connection``, and the caller repeats what bears repeating.
    public func transaction<Result>(
        beginning: String = "BEGIN", _ body: () throws -> Result
    ) throws -> Result {
        try execute(beginning)
        do {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            // A rollback that fails too has lost the connection, and with it the server drops the transaction.
            if !isLost { _ = try? execute("ROLLBACK") }
            throw error
        }
    }

    /// Sends what is in libpq's buffer.
    func flushOutput() throws(PostgresError) {
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1:
                try waitForServer(writing: true)
                // The server may be waiting for us to take something before it reads on.
                guard PQconsumeInput(handle) == 1 else { throw lost() }
            default: throw lost()
            }
        }
    }

    /// The next result of what was sent; nil after the last.
    func nextResult() throws(PostgresError) -> PostgresResult? {
        try flushOutput()
        while PQisBusy(handle) == 1 {
            try waitForServer(writing: false)
            guard PQconsumeInput(handle) == 1 else { throw lost() }
        }
        return PQgetResult(handle).map(PostgresResult.init)
    }

    /// Takes every result of a statement; throws the first error, else gives the last result.
    func completed() throws(PostgresError) -> PostgresResult {
        var last: PostgresResult?
        var failure: PostgresError?
        while let result = try nextResult() {
            switch result.status {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: last = result
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                // libpq would give this result again and again; the session cannot go on.
                throw lost("the statement began a copy that nobody asked for")
            default: if failure == nil { failure = result.error }
            }
        }
        if let failure { throw classified(failure) }
        guard let last else { throw lost() }
        return last
    }

    /// An error of the server after which the session is over counts as a lost connection.
    func classified(_ error: PostgresError) -> PostgresError {
        let state = error.sqlState ?? ""
        guard
            PQstatus(handle) == CONNECTION_BAD || state.hasPrefix("08") || state.hasPrefix("57P")
                || state == "25P03"
        else {
            return error
        }
        _ = lost("")
        var error = error
        error.kind = .connection
        return error
    }
}

/// Text parameters of one statement. The pointers live as long as the list.
private final class ParameterList {
    private let owned: [UnsafeMutablePointer<CChar>?]
    var pointers: [UnsafePointer<CChar>?] { owned.map { UnsafePointer($0) } }

    init(_ values: [String?]) { owned = values.map { $0.flatMap { strdup($0) } } }

    deinit { for string in owned { free(string) } }
}
