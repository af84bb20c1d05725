/// What is known of a metric before anybody records it.
public struct MetricDefinition: Sendable {
    public enum Kind: String, Sendable {
        /// Only grows; begins at 0 with the process.
        case counter
        case gauge
        /// Counts of observations up to each bound of ``MetricDefinition/buckets``, their sum and number.
        case histogram
    }

    public var name: String
    public var kind: Kind
    /// One sentence.
    public var help: String
    public var labels: [String]
    /// Upper bounds of a histogram, ascending, without infinity.
    public var buckets: [Double]

    init(_ name: String, _ kind: Kind, _ help: String, labels: [String] = [], buckets: [Double] = []) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
        self.buckets = buckets
    }
}
