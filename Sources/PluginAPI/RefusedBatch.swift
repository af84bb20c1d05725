public import DataPath

/// Rows that a sink had taken from ``Sink/write(_:to:)`` and that its store refused when they were sent.
public struct RefusedBatch: Sendable {
    public var table: TableDefinition
    public var rows: RecordBatch
    /// Which of the rows; the others of the batch are written.
    public var refused: RefusedRows

    public init(table: TableDefinition, rows: RecordBatch, refused: RefusedRows) {
        self.table = table
        self.rows = rows
        self.refused = refused
    }
}
