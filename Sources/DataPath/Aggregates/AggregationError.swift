/// What can go wrong in an aggregation. Texts name measures and columns, never values.
public enum AggregationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The specification asks for something that the engine does not compute.
    case unsupported(measure: String, reason: String)
    /// The window or a time bound is outside what the engine accepts.
    case invalidWindow(reason: String)
    /// An input batch lacks a column that the aggregation reads.
    case missingColumn(String)
    /// A column is not laid out as the specification says.
    case wrongLayout(column: String)
    /// The exact result does not fit the result type.
    case overflow(measure: String)
    /// Saved state belongs to another specification, or to another version of the format.
    case otherState(reason: String)
    /// Saved state is damaged.
    case corruptState(reason: String)
    /// State would hold more memory than it may. Nothing was allocated for what is refused.
    case memoryLimit(MemoryShortage)

    public var description: String {
        switch self {
        case .unsupported(let measure, let reason): "measure '\(measure)': \(reason)"
        case .invalidWindow(let reason): "window: \(reason)"
        case .missingColumn(let name): "the input has no column '\(name)'"
        case .wrongLayout(let column): "column '\(column)' does not have the declared layout"
        case .overflow(let measure): "the result of measure '\(measure)' does not fit its type"
        case .otherState(let reason): "the saved state is not of this aggregation: \(reason)"
        case .corruptState(let reason): "the saved state is damaged: \(reason)"
        case .memoryLimit(let shortage): shortage.description
        }
    }
}
