public import DataPath
public import Diagnostics

/// A sink plugin: where result rows go.
///
/// Order of calls: `validate` (pure) → `open` → `plan`, `apply`, `query` … → `close`, once; of a run: `open` → `claim` →
/// `restore` → `write`… `flush` or `commit` … → `close` or `abandon`, one of them, once. An open sink belongs to one thread at a time.
public protocol SinkPlugin: Plugin {
    /// What a sink of this kind can do with a row that has a key it has seen before.
    static var nature: SinkNature { get }
    /// Whether a sink of this kind can do what ``TableDefinition/replacesInside`` asks; false where it is not said.
    static var replacesInside: Bool { get }
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any Sink
}

extension SinkPlugin {
    public static var replacesInside: Bool { false }
}

public enum SinkNature: Sendable {
    /// Rows are replaced by key.
    case table
    /// Rows are only ever added.
    case append
}

/// A table as streamplat wants it.
public struct TableDefinition: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        /// Rows of an aggregation: key = window and groups.
        case aggregation
        /// Raw events: key = event_id.
        case rawEvents
    }

    public var name: String
    /// The domain that it belongs to: a table of another domain is never touched.
    public var owner = ""
    public var content: Content
    public var columns: [ColumnSpec]
    /// Names of the key columns, in order. Nulls in a key are equal to each other.
    public var key: [String]
    /// Where in the domain file it comes from.
    public var location: SourceLocation?
    /// Stored beside the table where the sink can, to tell our tables from others' and to see a changed meaning.
    public var fingerprint: String
    /// True when windows of one group can grow and join (sessions): a row also replaces the rows with the same values in the
    /// key columns besides `window_start` and `window_end` whose window lies inside its own. Those columns come last in the key.
    public var replacesInside = false

    public init(
        name: String, content: Content, columns: [ColumnSpec], key: [String], location: SourceLocation? = nil,
        fingerprint: String
    ) {
        self.name = name
        self.content = content
        self.columns = columns
        self.key = key
        self.location = location
        self.fingerprint = fingerprint
    }
}

/// What stands between a table as it is and as it is wanted.
public enum TableChange: Hashable, Sendable {
    case none
    case create
    /// Can be done without losing data: lines for the plan, such as `add column total double`.
    case alter([String])
    /// The table's meaning changed: its rows are deleted (an append sink may keep them elsewhere) and counted anew from the
    /// earliest offset; besides, the steps.
    case rebuild([String])
    /// Would lose data or is not ours: the reason, and what a person can do.
    case refuse(reason: String, hint: String)
}

/// An open sink. Threads: one.
public protocol Sink: AnyObject {
    /// Compares the table with what is there. Changes nothing.
    func plan(_ table: TableDefinition) throws -> TableChange
    /// Creates or alters the table. Doing it twice does nothing the second time.
    func apply(_ table: TableDefinition) throws
    /// Takes all rows out of a table that is there, as ``apply(_:)`` does when a table's meaning has changed: where the store
    /// keeps an epoch, it takes another one. Called outside a run, before ``claim(_:)``.
    func clear(_ table: TableDefinition) throws
    /// Takes rows of a table whose columns are the table's, in order. A row whose key is there replaces it; see also
    /// ``TableDefinition/replacesInside``.
    ///
    /// An error whose `retry` is `backoff` means that the sink has not taken these rows: the caller gives them again.
    /// ``RefusedRows`` means that some rows can never be taken: the caller gives the others again. Any other error ends the
    /// run.
    func write(_ rows: RecordBatch, to table: TableDefinition) throws
    /// Returns when everything written is durable.
    ///
    /// After an error whose `retry` is `backoff` the sink still has every row since the last flush that returned, and the
    /// caller calls again: a lost connection loses no row.
    func flush() throws
    /// Makes this run the only writer of a domain's rows: the store takes an epoch above every one that it has seen, but
    /// not below the claim's, and keeps it durably. Of an older run that still lives the store refuses rows from then on,
    /// or lets them lose; the older run's next call throws ``PipelineError`` `SP6200`. A claim of the same writer does not
    /// raise the epoch by itself.
    ///
    /// A sink that cannot do it gives the claim's epoch.
    func claim(_ claim: WriterClaim) throws -> WriterStanding
    /// Takes back what came after a checkpoint, before the first row of a run that goes on from there. Sinks that replace
    /// rows by key have nothing to do.
    ///
    /// Gives what ``commit(_:)`` would give now; where that is something else, the checkpoint is written again with it.
    ///
    /// - Parameter states: What ``commit(_:)`` gave for that checkpoint, by table; empty for a run that begins anew.
    func restore(_ states: [String: [UInt8]]) throws -> [String: [UInt8]]
    /// A flush at which the rows that the sink holds are exactly those of a checkpoint. A store with transactions keeps
    /// the mark in the same one as the rows. Errors are those of ``flush()``.
    ///
    /// Gives what ``restore(_:)`` needs, by table; the checkpoint keeps it.
    func commit(_ mark: CheckpointMark) throws -> [String: [UInt8]]
    /// The rows that ``write(_:to:)`` had taken and that the store refused since the last call, while all others were
    /// written: those others are committed. The caller asks after each ``write(_:to:)``, which may have sent what waited,
    /// ``flush()``, ``commit(_:)`` and ``close()``, before a checkpoint counts them.
    func takeRefused() -> [RefusedBatch]
    /// Runs a query; nil when this kind of sink cannot be queried.
    func query(_ sql: String) throws -> QueryResult?
    /// Tables of this sink with their row counts; nil when it cannot say.
    func tables() throws -> [(name: String, rows: Int64)]?
    /// Asks the other side whether it is there.
    func health() throws -> ComponentHealth
    /// Flushes, then lets go of everything, also when the flush fails.
    func close() throws
    /// Lets go of everything; nothing that waits has to be sent: the run has failed, and the next one brings those rows
    /// again. By default as ``close()``: a sink that keeps rows, or whose ``close()`` could wait for others, a lock or a
    /// server, must do better, and neither send nor wait here.
    func abandon() throws
}

extension Sink {
    /// Applies the table with another meaning, then with its own. A crash in between leaves a table that `plan` wants to
    /// rebuild.
    public func clear(_ table: TableDefinition) throws {
        var other = table
        other.fingerprint = "cleared \(table.fingerprint)"
        try apply(other)
        try apply(table)
    }
    public func claim(_ claim: WriterClaim) -> WriterStanding { WriterStanding(epoch: claim.epoch) }
    public func restore(_ states: [String: [UInt8]]) -> [String: [UInt8]] { states }
    public func commit(_ mark: CheckpointMark) throws -> [String: [UInt8]] {
        try flush()
        return [:]
    }
    public func takeRefused() -> [RefusedBatch] { [] }
    public func abandon() throws { try close() }
}

/// Rows of a query. Cells are text as the database gives it; numbers are marked for alignment and JSON.
public struct QueryResult: Sendable {
    public enum Cell: Hashable, Sendable {
        case null
        case text(String)
        case integer(Int64)
        case double(Double)
    }

    public var columns: [String]
    public var rows: [[Cell]]

    public init(columns: [String], rows: [[Cell]]) {
        self.columns = columns
        self.rows = rows
    }
}
