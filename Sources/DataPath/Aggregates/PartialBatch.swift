/// What one thread has counted since its last extract, for one shard: per pane, groups and the states of their measures.
///
/// Owned by one thread at a time: whoever hands it on stops using it. Merging uses it up. That is why it may be
/// `@unchecked Sendable`.
public final class PartialBatch: @unchecked Sendable {
    private var panes: [PaneState]
    /// Of the panes, also after they were given away.
    public let memoryBytes: Int
    /// What it holds of the run's memory.
    private var account: MemoryAccount?

    init(panes: [PaneState], account: MemoryAccount?) {
        self.panes = panes
        memoryBytes = panes.reduce(0) { $0 + $1.memoryBytes }
        self.account = account
        account?.settle(bytes: memoryBytes, groups: 0)
    }

    public var groupCount: Int { panes.reduce(0) { $0 + $1.keys.count } }

    /// Gives the panes away.
    func take() -> [PaneState] {
        defer { panes = [] }
        return panes
    }

    /// Called when the panes are merged: they are held by whoever took them, or freed.
    func release() { account = nil }

    /// The same in bytes, for ``ShardAggregator/merge(encoded:)`` in another process. Uses the batch up.
    public func encoded() -> [UInt8] {
        let writer = StateWriter()
        let panes = take()
        writer.put(UInt64(panes.count))
        for pane in panes {
            pane.settle()
            for states in pane.measures { states.beginSerialization(groupsPerRun: .max, onlyChanges: false) }
            let groups = Array(0..<Int32(pane.keys.count))
            groups.withUnsafeBufferPointer { all in
                ShardAggregator.put(
                    pane, GroupRun(first: 0, groups: all, numbers: all.baseAddress), hasEarlierValues: false, writer)
            }
            for states in pane.measures { states.endSerialization() }
        }
        release()
        return Array(writer.bytes)
    }
}

extension ShardAggregator {
    /// Adds what ``PartialBatch/encoded()`` gave of an aggregation with the same specification and hash key.
    ///
    /// Throws ``AggregationError/corruptState(reason:)`` for other bytes.
    public func merge(encoded bytes: UnsafeRawBufferPointer) throws(AggregationError) {
        var reader = StateReader(bytes)
        try account?.reserve(reader.remaining * 2)
        var panes: [PaneState] = []
        for _ in 0..<(try reader.takeCount(itemSize: 24)) {
            panes.append(
                try readPane(from: &reader) { (reader) throws(AggregationError) in try reader.take(UInt8.self) }.0)
        }
        guard reader.isAtEnd else { throw .corruptState(reason: "it is too long") }
        try merge(PartialBatch(panes: panes, account: nil))
    }
}
