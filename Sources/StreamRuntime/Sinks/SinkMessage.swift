internal import DataPath

/// Work for the sink thread.
enum SinkMessage: Sendable {
    /// Rows of the table with this index.
    case rows(table: Int, RecordBatch)
    /// One worker has handed over everything from before the barrier; these are its positions.
    case barrier(Int, [RunControl.SectionPosition])

    /// Of the rows that it carries.
    var byteCount: Int {
        if case .rows(_, let rows) = self { rows.memoryBytes } else { 0 }
    }
}
