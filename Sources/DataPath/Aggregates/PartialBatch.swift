/// What one thread has counted since its last extract, for one shard: per pane, groups and the states of their measures.
///
/// Owned by one thread at a time: whoever hands it on stops using it. Merging uses it up. That is why it may be
/// `@unchecked Sendable`.
public final class PartialBatch: @unchecked Sendable {
    private var panes: [PaneState]

    init(panes: [PaneState]) { self.panes = panes }

    public var groupCount: Int { panes.reduce(0) { $0 + $1.keys.count } }
    public var memoryBytes: Int { panes.reduce(0) { $0 + $1.memoryBytes } }

    /// Gives the panes away.
    func take() -> [PaneState] {
        defer { panes = [] }
        return panes
    }
}
