internal import Diagnostics
internal import PluginAPI
internal import PostgresClient

/// Turns what PostgreSQL reports into errors of the platform: code, retry, exit code, hint.
///
/// Source: PostgreSQL's documentation, appendix A, "Error Codes".
struct PostgresFailure {
    enum Phase {
        case opening, reading, applying, writing
        /// A person wrote the statement.
        case query
    }

    /// Such as `postgresql database shop on db:5432`.
    let component: String

    /// Whether the server refuses a row for what is in it, so that others may pass: data exceptions, constraints, what a
    /// trigger raises, and keys that are too long for an index.
    static func isAboutRow(_ error: PostgresError) -> Bool {
        let state = error.sqlState ?? ""
        return error.kind == .statement && (["22", "23", "P0"].contains(state.prefix(2)) || state == "54000")
    }

    func pipelineError(_ error: PostgresError, _ phase: Phase) -> PipelineError {
        var result =
            error.kind == .connection
            ? connectionError(error) : phase == .query ? queryError(error) : statementError(error, phase)
        result.component = component
        result.exitCode = phase == .opening ? 3 : 1
        return result
    }

    func pipelineError(_ value: UnstorableValue, table: String) -> PipelineError {
        PipelineError(
            .postgresValue, "column '\(value.column)' of table '\(table)' got \(value.reason.words)",
            hint: value.reason == .text
                ? "`unstorable_text: replace` puts U+FFFD in its place; or filter such events out"
                : "filter such events out, or change the field's type",
            component: component)
    }

    func refusedRows(_ refused: UnstorableRows, table: String) -> RefusedRows {
        RefusedRows(
            code: .postgresValue,
            rows: refused.rows.map { row, value in
                .init(row: row, column: value.column, reason: pipelineError(value, table: table).message)
            })
    }

    private func connectionError(_ error: PostgresError) -> PipelineError {
        let state = error.sqlState ?? ""
        let text = error.description
        switch state {
        case _ where state.hasPrefix("28"): return login(text)
        case "3D000":
            return PipelineError(
                .postgresDatabase, text,
                hint: "create the database, or set `create_database: true` and run `streamplat apply`",
                options: ["database"])
        case "42501": return permission(text)
        // The server ended a session that was silent within a transaction: this program was paused.
        case "25P03": break
        case _ where state.isEmpty || ["08", "53", "57", "58", "XX"].contains(state.prefix(2)): break
        default: return PipelineError(.postgresFailed, text, hint: "check the sink's options")
        }
        if state.isEmpty, Self.mentions(text, Self.tlsWords) {
            return PipelineError(
                .postgresTLS, text,
                hint: "check `tls_mode`, `ca_file`, `cert_file` and `key_file`, and the server's TLS")
        }
        // libpq's words for a first answer that is none of PostgreSQL's protocol.
        if state.isEmpty, Self.mentions(text, Self.strangerWords) {
            return PipelineError(
                .postgresUnavailable, text,
                hint: "what listens there is no PostgreSQL server: check `host` and `port`", retry: .backoff,
                options: ["host", "port"])
        }
        if state.isEmpty, Self.mentions(text, ["password", "authentication"]) { return login(text) }
        return PipelineError(
            .postgresUnavailable, text,
            hint: state == "53300"
                ? "raise max_connections of the server, or close other programs' connections"
                : "check `host` and `port`, and that the server runs and accepts connections from here",
            retry: .backoff, options: ["host", "port"])
    }

    private func login(_ text: String) -> PipelineError {
        PipelineError(
            .postgresLogin, text,
            hint: "check `user`, `password`, `cert_file` and the server's pg_hba.conf",
            options: ["user", "password"])
    }

    private func permission(_ text: String) -> PipelineError {
        PipelineError(
            .postgresPermission, text,
            hint: "the user needs CONNECT and TEMPORARY on the database, USAGE and CREATE on the schema, "
                + "and has to own the tables")
    }

    private func queryError(_ error: PostgresError) -> PipelineError {
        PipelineError(
            .queryFailed, error.description,
            hint: error.sqlState == "25006"
                ? "write SELECT …; streamplat owns these tables" : "`streamplat query` without SQL lists the tables")
    }

    private func statementError(_ error: PostgresError, _ phase: Phase) -> PipelineError {
        let state = error.sqlState ?? ""
        let text = error.description
        switch state.prefix(2) {
        case "53", "58":
            return PipelineError(
                .postgresResources, text,
                hint: state == "53100" ? "free space on the server's disk; nothing is lost meanwhile" : nil,
                retry: .backoff)
        case "40":
            return PipelineError(.postgresFailed, text, hint: "another program works on the same rows", retry: .backoff)
        // The message may quote a value.
        case "22", "P0":
            let place = [error.column.map { "column '\($0)'" }, error.constraint.map { "constraint '\($0)'" }]
                .compactMap(\.self).joined(separator: ", ")
            let what =
                state.hasPrefix("22")
                ? "the server refuses a value" : "a trigger or function of the server refuses a row"
            return PipelineError(
                .postgresValue, "\(what)\(place.isEmpty ? "" : " of \(place)") (SQLSTATE \(state))",
                hint: "the server's log says which")
        case "23", "54":
            return PipelineError(
                .postgresValue, text,
                hint: state == "54000" ? "texts in a key may have about 2,700 bytes together" : nil)
        default: break
        }
        switch state {
        case "42501": return permission(text)
        case "55P03", "57014":
            return PipelineError(
                .postgresFailed, text, hint: "raise `statement_timeout`, or find out what holds the table's lock",
                retry: .backoff)
        case "42P01", "42703", "42P10", "42804", "3F000":
            return PipelineError(
                .postgresFailed, text, hint: "the table was changed or dropped by others: run `streamplat apply`")
        case "25006":
            return PipelineError(
                .postgresFailed, text, hint: "the server is a standby or read only: set `host` to the primary")
        default: return PipelineError(.postgresFailed, text)
        }
    }

    private static let strangerWords = [
        "expected authentication request from server, but received", "invalid response to SSL negotiation",
    ]
    private static let tlsWords = ["certificate", "private key", "does not support SSL", "SSL error", "tlsv1"]

    private static func mentions(_ text: String, _ words: [String]) -> Bool { words.contains { text.contains($0) } }
}
