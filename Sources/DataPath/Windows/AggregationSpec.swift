/// What the data path needs to know to run one aggregation.
public struct AggregationSpec: Hashable, Sendable {
    public var name: String
    public var window: WindowSpec
    /// The group columns as the input batches hold them; their order is the result's.
    public var groups: [ColumnSpec]
    public var measures: [MeasureSpec]
    /// Bound on out-of-orderness: the watermark is the highest event time less this.
    public var watermarkDelayMilliseconds: Int64
    /// How long a window can still be corrected after the watermark has passed its end.
    public var allowedLatenessMilliseconds: Int64

    public init(
        name: String, window: WindowSpec, groups: [ColumnSpec], measures: [MeasureSpec],
        watermarkDelayMilliseconds: Int64, allowedLatenessMilliseconds: Int64 = 0
    ) {
        self.name = name
        self.window = window
        self.groups = groups
        self.measures = measures
        self.watermarkDelayMilliseconds = watermarkDelayMilliseconds
        self.allowedLatenessMilliseconds = allowedLatenessMilliseconds
    }
}
