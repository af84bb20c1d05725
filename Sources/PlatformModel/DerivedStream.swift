public import DataPath
public import Diagnostics
public import PluginAPI

/// A named stream that steps make of the events of one type, or of another stream.
public struct DerivedStream: Sendable {
    /// A column that may be named.
    public struct Column: Hashable, Sendable {
        /// In the stream's batches.
        public var spec: ColumnSpec
        /// In its table: dots are `_`.
        public var resultName: String
    }

    /// One of its steps, bound to what those before it give.
    public struct Step: Sendable {
        /// Of the operator, such as `derive`.
        public var name: String
        public var operation: any StepOperator
        public var location: SourceLocation
    }

    public var name: String
    public var description: String?
    /// The event type at the root.
    public var eventType: String
    /// The stream that it reads; nil = the events themselves.
    public var parent: String?
    public var steps: [Step]
    /// In the order of the last `project`, else the event type's columns, then derived ones.
    public var columns: [Column]
    /// Where its rows are written; nil = only others read it.
    public var sink: String?
    public var location: SourceLocation
    /// Of its rows and their values: over the steps from the event type on, not over the sink.
    public var fingerprint: String

    /// The table of its rows, key `event_id`; nil when it is not written.
    public var table: TableDefinition? {
        guard let sink else { return nil }
        let columns = columns.map {
            var column = $0.spec
            column.name = $0.resultName
            return column
        }
        var hash = Fingerprint()
        hash.add("stream \(fingerprint) \(sink)")
        for column in columns { hash.add("\(column.name) \(column.type) \(column.isNullable)") }
        return TableDefinition(
            name: name, content: .rawEvents, columns: columns, key: ["event_id"], location: location,
            fingerprint: hash.text)
    }
}
