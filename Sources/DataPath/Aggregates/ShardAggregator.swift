/// The second stage of an aggregation: owns the groups of one shard, per pane, and makes rows of them.
///
/// Order of calls, per round: ``merge(_:)`` any number of times, ``advance(watermark:)``, then ``takeUpdates(into:)`` if
/// updates are wanted, then ``takeClosed(into:)``, which also frees what no open window needs. After a thrown error the state
/// is undefined: go back to the last checkpoint. Threads: one at a time.
public final class ShardAggregator {
    public let spec: AggregationSpec
    let hashKey: HashKey
    let calendar: WindowCalendar
    let codec: GroupKeyCodec
    /// Sorted by key.
    var panes: [PaneState] = []
    private var paneByKey: [PaneKey: PaneState] = [:]
    public internal(set) var watermark = Int64.min
    /// Windows that start before this have been taken as closed and never come back.
    var closedBefore = Int64.min
    /// Groups of partial batches that came after all their windows had been closed here. Not 0 only when a watermark was
    /// advanced past rows that had not been merged.
    public private(set) var droppedGroups = 0

    /// Throws ``AggregationError`` for a specification that the engine does not compute.
    public init(spec: AggregationSpec, hashKey: HashKey) throws(AggregationError) {
        self.spec = spec
        self.hashKey = hashKey
        calendar = try WindowCalendar(spec)
        codec = GroupKeyCodec(spec.groups)
        for measure in spec.measures { _ = try measure.makeStates(hashKey: hashKey) }
    }

    /// The schema of result batches: window_start, window_end, group columns, measures. Names may be changed, types not.
    public static func resultSchema(_ spec: AggregationSpec) -> BatchSchema {
        BatchSchema(
            [ColumnSpec("window_start", .timestamp), ColumnSpec("window_end", .timestamp)]
                + spec.groups.map { ColumnSpec($0.name, $0.type, isNullable: $0.isNullable) }
                + spec.measures.map { ColumnSpec($0.name, $0.resultType, isNullable: $0.isNullable) })
    }

    /// Groups held, counted once a pane.
    public var openGroups: Int { panes.reduce(0) { $0 + $1.keys.count } }
    public var memoryBytes: Int { panes.reduce(0) { $0 + $1.memoryBytes } }

    /// Adds the deltas of another thread and uses them up. The order of batches does not matter.
    public func merge(_ batch: PartialBatch) throws(AggregationError) {
        for added in batch.take() {
            if paneByKey[added.key] == nil, calendar.lastWindow(ofPane: added.key.start) >= closedBefore {
                added.settle()
                keep(added)
            } else {
                try merge(added, isChanged: nil, filter: nil)
            }
        }
    }

    /// Moves the aggregation's watermark forward; going back is ignored.
    public func advance(watermark: Int64) { self.watermark = max(self.watermark, watermark) }

    /// Adds the groups whose key hash passes `filter`; those for which `isChanged` says so (nil: all) count as changed.
    func merge(
        _ added: PaneState, isChanged: ((Int) -> Bool)?, filter: ((UInt64) -> Bool)?
    ) throws(AggregationError) {
        guard calendar.lastWindow(ofPane: added.key.start) >= closedBefore else {
            droppedGroups += added.keys.count
            return
        }
        let pane = try pane(added.key)
        let map = GroupMap(count: added.keys.count)
        if let filter {
            for entry in 0..<added.keys.count where filter(added.keys.hash(entry)) {
                map.groups[entry] = pane.keys.insert(added.keys[entry], hash: added.keys.hash(entry))
            }
        } else {
            pane.keys.insert(added.keys, map: map.groups)
        }
        for entry in 0..<added.keys.count where map.groups[entry] >= 0 && isChanged?(entry) ?? true {
            pane.markChanged(map.groups[entry])
        }
        try pane.merge(added, map: map.groups)
    }

    func newPane(_ key: PaneKey) throws(AggregationError) -> PaneState {
        var states: [any MeasureStates] = []
        for measure in spec.measures { states.append(try measure.makeStates(hashKey: hashKey)) }
        return PaneState(key: key, measures: states)
    }

    private func pane(_ key: PaneKey) throws(AggregationError) -> PaneState {
        if let pane = paneByKey[key] { return pane }
        let pane = try newPane(key)
        keep(pane)
        return pane
    }

    private func keep(_ pane: PaneState) {
        paneByKey[pane.key] = pane
        panes.insert(pane, at: position(of: pane.key))
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
