/// The second stage of an aggregation: owns the groups of one shard, per pane, and makes rows of them.
///
/// Order of calls, per round: ``merge(_:)`` any number of times, ``advance(watermark:)``, then ``takeDue(_:into:)``, which
/// also frees what no open window needs. After a thrown error the state is undefined: go back to the last checkpoint.
/// Threads: one at a time.
public final class ShardAggregator {
    public let spec: AggregationSpec
    let hashKey: HashKey
    let calendar: WindowCalendar
    let sessionClock: SessionClock
    let codec: GroupKeyCodec
    /// Sorted by key.
    var panes: [PaneState] = []
    var paneByKey: [PaneKey: PaneState] = [:]
    public internal(set) var watermark = Int64.min
    /// Windows before this have been taken as closed and never come back; sessions that end by it.
    var closedBefore = Int64.min
    /// Windows before this have been written as final; inside the allowed lateness they are kept to be corrected.
    var finalBefore = Int64.min
    /// Groups of partial batches that came after all their windows had been closed here (not 0 only when a watermark was
    /// advanced past rows that had not been merged), and rows that found no open session.
    public internal(set) var lateCount = 0
    /// What was kept of rows that turned out to be late, since the last call of ``takeLateRecords()``.
    var lateRecords: [[UInt8]] = []
    /// Bounds the memory of ``panes``; nil = no bound.
    let account: MemoryAccount?
    /// Parts that the state has been written in, since it was last written whole.
    var partCount = 0
    /// Of sessions: panes that the state as it was last written has and that are gone.
    var removedPanes: [PaneKey] = []
    /// What a test wants to see found.
    package var fault: StateFault?

    /// Throws ``AggregationError`` for a specification that the engine does not compute.
    ///
    /// - Parameter account: Is asked before memory is taken: ``merge(_:)``, ``StateRestorer`` and
    ///   ``takeDue(_:into:)`` throw ``AggregationError/memoryLimit(_:)`` when it has none left. Nobody else uses it.
    public init(spec: AggregationSpec, hashKey: HashKey, account: MemoryAccount? = nil) throws(AggregationError) {
        self.account = account
        self.spec = spec
        self.hashKey = hashKey
        calendar = try WindowCalendar(spec)
        sessionClock = SessionClock(calendar)
        codec = GroupKeyCodec(spec.groups)
        _ = try spec.makeStates(hashKey: hashKey)
    }

    /// The schema of result batches: window_start, window_end, group columns, measures. Names may be changed, types not.
    public static func resultSchema(_ spec: AggregationSpec) -> BatchSchema {
        BatchSchema(
            [ColumnSpec("window_start", .timestamp), ColumnSpec("window_end", .timestamp)]
                + spec.groups.map { ColumnSpec($0.name, $0.type, isNullable: $0.isNullable) }
                + spec.measures.map { ColumnSpec($0.name, $0.resultType, isNullable: $0.isNullable) })
    }

    /// Groups held, counted once a pane.
    public var openGroups: Int { panes.reduce(0) { $0 + $1.openCount } }
    public var memoryBytes: Int {
        panes.reduce(0) { $0 + $1.memoryBytes } + removedPanes.capacity * MemoryLayout<PaneKey>.stride
    }

    /// Adds the deltas of another thread and uses them up. The order of batches does not matter.
    public func merge(_ batch: PartialBatch) throws(AggregationError) {
        var new: [PaneState] = []
        // Of the new ones, what is in the batch's account until the end.
        var handedBytes = 0
        for partial in batch.take() {
            let added = calendar.kind == .session ? behindFloor(partial) : partial
            if paneByKey[added.key] == nil, mayBeOpen(added.key) {
                let bytesBefore = added.memoryBytes
                added.settle()
                paneByKey[added.key] = added
                new.append(added)
                account?.settle(growth: added.memoryBytes - bytesBefore, groups: added.openCount)
                handedBytes += bytesBefore
            } else {
                try merge(added)
            }
        }
        keep(new)
        batch.release()
        try account?.settleWithinLimit(growth: handedBytes)
    }

    /// Moves the aggregation's watermark forward; going back is ignored.
    public func advance(watermark: Int64) { self.watermark = max(self.watermark, watermark) }

    private func merge(_ added: PaneState) throws(AggregationError) {
        guard mayBeOpen(added.key) else {
            lateCount += added.keys.count
            return
        }
        var pane = try pane(added.key)
        let (bytesBefore, groupsBefore) = (pane.memoryBytes, pane.openCount)
        if pane.closedCount > 0 { pane = try withoutClosed(pane) }
        let map = GroupMap(count: added.keys.count)
        try pane.keys.insert(added.keys, map: map.groups, account: account)
        try account?.reserve(pane.memoryBytes - bytesBefore + pane.growthBytes(merging: added))
        for entry in 0..<added.keys.count { pane.markChanged(map.groups[entry]) }
        try pane.merge(added, map: map.groups)
        account?.settle(growth: pane.memoryBytes - bytesBefore, groups: pane.openCount - groupsBefore)
    }

    /// Whether a pane can still have open windows; which sessions are is known when they are put together.
    func mayBeOpen(_ key: PaneKey) -> Bool {
        calendar.kind == .session || calendar.lastWindow(ofPane: key.start) >= closedBefore
    }

    func newPane(_ key: PaneKey) throws(AggregationError) -> PaneState {
        PaneState(key: key, measures: try spec.makeStates(hashKey: hashKey))
    }

    func pane(_ key: PaneKey) throws(AggregationError) -> PaneState {
        if let pane = paneByKey[key] { return pane }
        let pane = try newPane(key)
        paneByKey[key] = pane
        keep([pane])
        return pane
    }

    /// Puts new panes in their places.
    private func keep(_ new: [PaneState]) {
        guard let least = new.map(\.key).min() else { return }
        // Nearly always behind all others.
        let first = position(of: least)
        panes += new
        panes[first...].sort { $0.key < $1.key }
    }

    /// The records of rows that were found late since the last call.
    public func takeLateRecords() -> [[UInt8]] {
        defer { lateRecords = [] }
        return lateRecords
    }

    /// The index of the first pane that is not before `key`.
    func position(of key: PaneKey) -> Int {
        var (low, high) = (0, panes.count)
        while low < high {
            let middle = (low + high) / 2
            if panes[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Frees the panes that only closed windows hold.
    func freeClosedPanes() {
        panes.removeAll { pane in
            guard calendar.lastWindow(ofPane: pane.key.start) < closedBefore else { return false }
            paneByKey[pane.key] = nil
            return true
        }
    }
}
