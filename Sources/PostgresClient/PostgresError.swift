/// A failure that the server or libpq reported.
///
/// Holds no row value by itself: details of the server, which quote rows, are left out. A server's ``message`` may
/// quote what the statement holds, so it is shown only to who wrote the statement. Never holds a password.
public struct PostgresError: Error, Sendable, CustomStringConvertible {
    public enum Kind: Sendable {
        /// The connection could not be made, or was lost.
        case connection
        /// The server answered a statement with an error; the connection stands.
        case statement
    }

    public var kind: Kind
    /// The server's five characters; nil when the failure is not the server's, or unknown.
    public var sqlState: String?
    /// The primary message.
    public var message: String
    /// The column that the server names.
    public var column: String?
    /// The constraint that the server names.
    public var constraint: String?

    public init(
        _ kind: Kind, sqlState: String? = nil, message: String, column: String? = nil, constraint: String? = nil
    ) {
        self.kind = kind
        self.sqlState = sqlState
        self.message = message
        self.column = column
        self.constraint = constraint
    }

    public var description: String { sqlState.map { "\(message) (SQLSTATE \($0))" } ?? message }

    /// The error of a failed attempt to connect, whose text libpq gives with all fields in one string:
    ///
    ///     connection to server at "h" (a), port 5432 failed: FATAL:  28P01: password authentication failed for user "u"
    ///     LOCATION:  auth_failed, auth.c:338
    ///
    /// The first line with an SQLSTATE counts, else the first line: with several addresses or a second attempt without
    /// TLS there is one for each.
    static func connecting(_ text: String) -> PostgresError {
        let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmed }
        for line in lines {
            if let (state, message) = stateAndMessage(line) {
                return PostgresError(.connection, sqlState: state, message: message)
            }
        }
        return PostgresError(.connection, message: lines.first ?? "the connection failed")
    }

    /// Splits `…FATAL:  28P01: words` into `28P01` and `…words`, whatever language the severity is in.
    private static func stateAndMessage(_ line: String) -> (state: String, message: String)? {
        guard let mark = line.firstRange(of: ":  ") else { return nil }
        let rest = line[mark.upperBound...]
        let state = rest.prefix(5)
        guard state.utf8.count == 5, state.allSatisfy({ $0.isASCII && ($0.isNumber || $0.isUppercase) }),
            rest.dropFirst(5).hasPrefix(": ")
        else { return nil }
        // What stands before the severity tells server and port.
        let place = line[..<mark.lowerBound].lastIndex(of: " ").map { String(line[...$0]) } ?? ""
        return (String(state), place + rest.dropFirst(7))
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var text = self
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
