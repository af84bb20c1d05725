public import DataPath

/// Events of one type, in the order in which they are delivered.
///
/// The batch and its columns are reused: they are valid until the generator is called the next time but one, so that they can be
/// written while the next events are made.
public struct GeneratedBatch {
    /// Index into the domain's event types.
    public let eventType: Int
    /// Columns as `eventType.columns` says, in plain encodings.
    public let batch: RecordBatch
    /// By row: the event's place in the whole stream across event types, from 0.
    public let sequenceNumbers: UnsafeBufferPointer<Int64>
}
