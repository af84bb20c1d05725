/// What one thread has counted since its last extract, for one shard: per pane, groups and the states of their measures.
///
/// Owned by one thread at a time: whoever hands it on stops using it. Merging uses it up. That is why it may be
/// `@unchecked Sendable`.
public final class PartialBatch: @unchecked Sendable {
    private var panes: [PaneState]
    /// What it holds of the run's memory.
    private var account: MemoryAccount?

    init(panes: [PaneState], account: MemoryAccount?) {
        self.panes = panes
        self.account = account
        account?.settle(bytes: memoryBytes, groups: 0)
    }

    public var groupCount: Int { panes.reduce(0) { $0 + $1.keys.count } }
    public var memoryBytes: Int { panes.reduce(0) { $0 + $1.memoryBytes } }

    /// Gives the panes away.
    func take() -> [PaneState] {
        defer { panes = [] }
        return panes
    }

    /// Called when the panes are merged: they are held by whoever took them, or freed.
    func release() { account = nil }
}
