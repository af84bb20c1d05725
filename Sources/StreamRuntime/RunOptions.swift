/// How a run differs from what the configuration says.
public struct RunOptions: Sendable {
    /// End when every partition is read to its end.
    public var untilIdle: Bool
    /// At the end, also emit the windows that are still open; their state is kept, so that a later run goes on.
    public var closeWindows: Bool
    /// Worker threads; nil = one a core.
    public var workers: Int?
    public var batchRows: Int?
    /// Begin at the earliest offset with empty state, whatever the checkpoint says.
    public var fromEarliest: Bool
    /// The event types are read from files; the checkpoint goes on to say of topics what it said.
    public var readsFiles: Bool

    public init(
        untilIdle: Bool = false, closeWindows: Bool = false, workers: Int? = nil, batchRows: Int? = nil,
        fromEarliest: Bool = false, readsFiles: Bool = false
    ) {
        self.untilIdle = untilIdle
        self.closeWindows = closeWindows
        self.workers = workers
        self.batchRows = batchRows
        self.fromEarliest = fromEarliest
        self.readsFiles = readsFiles
    }
}
