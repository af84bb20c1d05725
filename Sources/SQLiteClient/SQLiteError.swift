internal import CSQLite

/// A failure that SQLite reported.
public struct SQLiteError: Error, Sendable, CustomStringConvertible {
    /// SQLite's extended result code.
    public let code: Int32
    public let message: String

    /// The primary result code.
    public var primaryCode: Int32 { code & 0xFF }
    public var isBusy: Bool { primaryCode == SQLITE_BUSY || primaryCode == SQLITE_LOCKED }
    public var isFull: Bool { primaryCode == SQLITE_FULL }
    /// The system did not let a file grow: of a full disk SQLite says so, of a limit on file sizes or a quota it does not.
    public var cannotGrow: Bool { code == SQLITE_IOERR | 3 << 8 }
    public var isReadOnly: Bool { primaryCode == SQLITE_READONLY || primaryCode == SQLITE_PERM }
    public var cannotOpen: Bool { primaryCode == SQLITE_CANTOPEN }
    public var isNotADatabase: Bool { primaryCode == SQLITE_NOTADB || primaryCode == SQLITE_CORRUPT }

    /// The statement's row is refused, and only it: a constraint, a type, or a value that is too large.
    public var isAboutRow: Bool { [SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_TOOBIG].contains(primaryCode) }
    /// A trigger or a function refused the row, in its own words, which may hold values.
    public var isRaised: Bool { code == SQLITE_CONSTRAINT | 7 << 8 || code == SQLITE_CONSTRAINT | 4 << 8 }

    public var description: String { "SQLite error \(code): \(message)" }
}
