internal import HTTPClient

/// An error that a ClickHouse server reports.
struct ServerException {
    let code: Int
    let name: String
    /// What the server says, for codes whose text names only what stands in the statement; nil for the others, because
    /// their text may hold values of rows.
    let clause: String?

    /// `error 60 (UNKNOWN_TABLE): Table d.t doesn't exist`
    var summary: String { "error \(code) (\(name))" + (clause.map { ": \($0)" } ?? "") }

    enum Reaction {
        /// The same may succeed later.
        case backoff
        /// The user is not known or may not do this.
        case access
        case never
    }

    var reaction: Reaction {
        if Self.passing[code] != nil { return .backoff }
        return Self.access[code] != nil ? .access : .never
    }

    /// The exception that an answer holds, read from its header or its body; nil when it holds none.
    init?(_ response: HTTPResponse) {
        let text = Self.text(response)
        guard let code = response.header("X-ClickHouse-Exception-Code").flatMap({ Int($0) }) ?? Self.code(in: text)
        else { return nil }
        self.code = code
        name = Self.knownName(code) ?? Self.nameAtEnd(text) ?? "unnamed"
        clause = Self.plain[code] != nil || Self.access[code] != nil ? Self.clause(text) : nil
    }

    static let unknownTable = 60
    static let unknownDatabase = 81
    static let violatedConstraint = 469

    /// A table or database is not there.
    var isMissing: Bool { code == Self.unknownTable || code == Self.unknownDatabase }

    // MARK: What the codes mean. Source: src/Common/ErrorCodes.cpp of ClickHouse, whose numbers never change.

    private static let passing = [
        159: "TIMEOUT_EXCEEDED", 160: "TOO_SLOW", 173: "CANNOT_ALLOCATE_MEMORY", 198: "DNS_ERROR",
        201: "QUOTA_EXCEEDED", 202: "TOO_MANY_SIMULTANEOUS_QUERIES", 203: "NO_FREE_CONNECTION", 209: "SOCKET_TIMEOUT",
        210: "NETWORK_ERROR", 225: "NO_ZOOKEEPER", 236: "ABORTED", 241: "MEMORY_LIMIT_EXCEEDED",
        242: "TABLE_IS_READ_ONLY", 243: "NOT_ENOUGH_SPACE", 252: "TOO_MANY_PARTS",
        279: "ALL_CONNECTION_TRIES_FAILED", 285: "TOO_FEW_LIVE_REPLICAS",
        286: "UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE", 289: "REPLICA_IS_NOT_IN_QUORUM", 319: "UNKNOWN_STATUS_OF_INSERT",
        394: "QUERY_WAS_CANCELLED", 439: "CANNOT_SCHEDULE_TASK", 473: "DEADLOCK_AVOIDED", 499: "S3_ERROR",
        733: "TABLE_IS_BEING_RESTARTED", 999: "KEEPER_EXCEPTION",
    ]
    private static let access = [
        164: "READONLY", 192: "UNKNOWN_USER", 193: "WRONG_PASSWORD", 194: "REQUIRED_PASSWORD",
        195: "IP_ADDRESS_NOT_ALLOWED", 291: "DATABASE_ACCESS_DENIED", 497: "ACCESS_DENIED",
        516: "AUTHENTICATION_FAILED",
    ]
    /// Their text speaks of names and syntax of the statement, never of rows.
    private static let plain = [
        10: "NOT_FOUND_COLUMN_IN_BLOCK", 15: "DUPLICATE_COLUMN", 16: "NO_SUCH_COLUMN_IN_TABLE",
        36: "BAD_ARGUMENTS", 42: "NUMBER_OF_ARGUMENTS_DOESNT_MATCH", 43: "ILLEGAL_TYPE_OF_ARGUMENT",
        44: "ILLEGAL_COLUMN", 46: "UNKNOWN_FUNCTION", 47: "UNKNOWN_IDENTIFIER", 48: "NOT_IMPLEMENTED",
        50: "UNKNOWN_TYPE", 57: "TABLE_ALREADY_EXISTS", 60: "UNKNOWN_TABLE", 62: "SYNTAX_ERROR",
        63: "UNKNOWN_AGGREGATE_FUNCTION", 73: "UNKNOWN_FORMAT", 81: "UNKNOWN_DATABASE", 115: "UNKNOWN_SETTING",
        153: "ILLEGAL_DIVISION", 158: "TOO_MANY_ROWS", 184: "ILLEGAL_AGGREGATION", 207: "AMBIGUOUS_IDENTIFIER",
        215: "NOT_AN_AGGREGATE", 386: "NO_COMMON_TYPE", 396: "TOO_MANY_ROWS_OR_BYTES",
        452: "SETTING_CONSTRAINT_VIOLATION",
    ]
    /// Their text may quote values, so only the name is passed on.
    private static let quoting = [
        6: "CANNOT_PARSE_TEXT", 26: "CANNOT_PARSE_QUOTED_STRING", 27: "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
        32: "ATTEMPT_TO_READ_AFTER_EOF", 33: "CANNOT_READ_ALL_DATA", 38: "CANNOT_PARSE_DATE",
        41: "CANNOT_PARSE_DATETIME", 53: "TYPE_MISMATCH", 69: "ARGUMENT_OUT_OF_BOUND", 70: "CANNOT_CONVERT_TYPE",
        72: "CANNOT_PARSE_NUMBER", 117: "INCORRECT_DATA", 131: "TOO_LARGE_STRING_SIZE",
        349: "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN", 354: "ZLIB_INFLATE_FAILED",
        395: "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO", 407: "DECIMAL_OVERFLOW", 469: "VIOLATED_CONSTRAINT",
    ]

    private static func knownName(_ code: Int) -> String? {
        passing[code] ?? access[code] ?? plain[code] ?? quoting[code]
    }

    // MARK: Reading the text.

    /// Old servers: `Code: 60, e.displayText() = DB::Exception: Table …, e.what() = DB::Exception`; new ones:
    /// `Code: 60. DB::Exception: Table …. (UNKNOWN_TABLE) (version 24.3.1.2672)`.
    private static func text(_ response: HTTPResponse) -> Substring {
        let body = String(decoding: response.body.prefix(1 << 16), as: UTF8.self)
        return body.firstRange(of: "Code: ").map { body[$0.lowerBound...] } ?? ""
    }

    private static func code(in text: Substring) -> Int? {
        let digits = text.dropFirst("Code: ".count).prefix(while: \.isNumber)
        let rest = text.dropFirst("Code: ".count + digits.count)
        guard rest.hasPrefix(", e.displayText()") || rest.hasPrefix(". DB::") else { return nil }
        return Int(digits)
    }

    private static func clause(_ text: Substring) -> String? {
        guard let start = text.firstRange(of: "Exception: ") else { return nil }
        var clause = text[start.upperBound...]
        for end in [", e.what() =", " (version ", ". Expected one of", ". Stack trace", ", Stack trace", "\n\n"] {
            if let range = clause.firstRange(of: end) { clause = clause[..<range.lowerBound] }
        }
        let oneLine = clause.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return oneLine.isEmpty ? nil : oneLine.count > 300 ? oneLine.prefix(300) + "…" : oneLine
    }

    private static func nameAtEnd(_ text: Substring) -> String? {
        guard let version = text.firstRange(of: ") (version ") else { return nil }
        let head = text[..<version.lowerBound]
        guard let open = head.lastIndex(of: "(") else { return nil }
        let name = head[head.index(after: open)...]
        return !name.isEmpty && name.allSatisfy { $0 == "_" || $0.isASCII && ($0.isUppercase || $0.isNumber) }
            ? String(name) : nil
    }
}
