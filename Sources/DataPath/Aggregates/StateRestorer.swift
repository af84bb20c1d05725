/// Reads what shards have written (``ShardAggregator/serialize(fingerprint:onlyChanges:groupsPerPiece:_:)``) into an aggregator.
///
/// The parts of a shard's state are read from the newest to the oldest: the first value of a group that is found is its
/// value, and older ones are passed over, but for distinct values, of which a newer part may have only those that came. The
/// state of several shards may be read one after the other, also by an aggregator that takes only some of the groups.
/// After a thrown error the aggregator's state is undefined. Threads: one at a time.
public final class StateRestorer {
    private let shard: ShardAggregator
    private let fingerprint: String
    private let filter: ((UInt64) -> Bool)?
    /// The part that is being read, and whether it is the newest of its shard.
    private var part = 0
    private var isNewest = true
    /// Panes that newer parts say are gone, and those that this one says.
    private var removedPanes: Set<PaneKey> = []
    private var removedHere: Set<PaneKey> = []
    /// Groups that older parts must have more distinct values of.
    private var incompleteCount = 0

    /// - Parameters:
    ///   - shard: New, or with state of other shards of the same checkpoint.
    ///   - filter: Takes the groups whose key hash passes, so that a checkpoint can be dealt to another number of shards
    ///     (``LocalAggregator/shard(of:count:)``).
    public init(_ shard: ShardAggregator, fingerprint: String, filter: ((UInt64) -> Bool)? = nil) {
        (self.shard, self.fingerprint, self.filter) = (shard, fingerprint, filter)
    }

    /// Reads one shard's state.
    ///
    /// Throws ``AggregationError/otherState(reason:)`` for another specification's state,
    /// ``AggregationError/corruptState(reason:)`` for damage and for parts that do not belong together, and what `read` throws.
    ///
    /// - Parameters:
    ///   - parts: How many parts there are.
    ///   - read: Gives all pieces of a part, 0 for the oldest, to `take`, in any order.
    public func restore(
        parts: Int, _ read: (_ part: Int, _ take: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws {
        removedPanes = []
        for part in stride(from: parts - 1, through: 0, by: -1) {
            (self.part, isNewest, removedHere) = (part, part == parts - 1, [])
            var isThere = false
            try read(part) { piece in
                isThere = true
                try take(piece)
            }
            guard isThere else { throw AggregationError.corruptState(reason: "a part of it is empty") }
            removedPanes.formUnion(removedHere)
        }
        guard incompleteCount == 0 else {
            throw AggregationError.corruptState(reason: "the older values of a group are missing")
        }
        try shard.removeClosedGroups()
        shard.account?.settle(bytes: shard.memoryBytes, groups: shard.openGroups)
    }

    func take(_ piece: UnsafeRawBufferPointer) throws(AggregationError) {
        var reader = StateReader(piece)
        guard try reader.take(UInt32.self) == SavedState.magic else {
            throw .corruptState(reason: "it has no such header")
        }
        let version = try reader.take(UInt32.self)
        let isSession = shard.calendar.kind == .session
        guard
            version == SavedState.version || version == SavedState.versionWithoutParts
                || version == SavedState.versionWithoutLateness && !isSession
        else { throw .otherState(reason: "format version \(version)") }
        try takeSpecification(&reader)
        try takeBoundaries(&reader, version)
        // What a piece makes until it is merged.
        try shard.account?.reserve(reader.remaining * 2)
        for _ in 0..<(try reader.takeCount(itemSize: 24)) { try takePane(&reader, version) }
        shard.account?.settle(bytes: shard.memoryBytes, groups: shard.openGroups)
        guard reader.isAtEnd else { throw .corruptState(reason: "it is too long") }
    }

    private func takeSpecification(_ reader: inout StateReader) throws(AggregationError) {
        guard try reader.takeBytes().elementsEqual(fingerprint.utf8) else { throw .otherState(reason: "fingerprint") }
        let measures = shard.spec.measures
        guard try reader.take(UInt32.self) == UInt32(measures.count) else { throw .otherState(reason: "measures") }
        for measure in measures {
            guard try reader.takeBytes().elementsEqual(measure.stateName.utf8) else {
                throw .otherState(reason: "measure '\(measure.name)'")
            }
        }
    }

    /// The newest part says how far all have come.
    private func takeBoundaries(_ reader: inout StateReader, _ version: UInt32) throws(AggregationError) {
        let (watermark, closedBefore): (Int64, Int64) = (try reader.take(), try reader.take())
        let finalBefore = version == SavedState.versionWithoutLateness ? closedBefore : try reader.take()
        let savedPart = version == SavedState.version ? Int(try reader.take(UInt32.self)) : 0
        guard savedPart == part else { throw .corruptState(reason: "its parts do not belong together") }
        if isNewest {
            guard shard.panes.isEmpty && shard.closedBefore == .min || shard.closedBefore == closedBefore else {
                throw .otherState(reason: "the shards are not of one checkpoint")
            }
            shard.watermark = max(shard.watermark, watermark)
            shard.closedBefore = closedBefore
            shard.finalBefore = max(shard.finalBefore, finalBefore)
        } else if closedBefore > shard.closedBefore {
            throw .corruptState(reason: "its parts do not belong together")
        }
        guard version == SavedState.version else { return }
        for _ in 0..<(try reader.takeCount(itemSize: 16)) {
            removedHere.insert(PaneKey(start: try reader.take(), firstWindow: try reader.take()))
        }
        guard removedHere.isEmpty || part > 0 else {
            throw .corruptState(reason: "something is removed of which there is nothing")
        }
    }

    private func takePane(_ reader: inout StateReader, _ version: UInt32) throws(AggregationError) {
        let part = part
        let (saved, flags) = try shard.readPane(from: &reader) { (reader) throws(AggregationError) in
            try Self.takeFlags(&reader, version, part: part)
        }
        let key = saved.key
        let removed = version == SavedState.version ? try takeRemoved(&reader) : KeyTable()
        // What has been closed since is in older parts only.
        guard shard.mayBeOpen(key), !removedPanes.contains(key) else { return }
        try merge(saved, flags)
        try close(removed, in: key)
    }

    private static func takeFlags(
        _ reader: inout StateReader, _ version: UInt32, part: Int
    ) throws(AggregationError) -> UInt8 {
        let flags = try reader.take(UInt8.self)
        guard version == SavedState.version else { return flags != 0 ? SavedState.hasChanged : 0 }
        guard flags <= SavedState.hasChanged | SavedState.hasEarlierValues,
            part > 0 || flags & SavedState.hasEarlierValues == 0
        else { throw .corruptState(reason: "a flag is not known") }
        return flags
    }

    private func takeRemoved(_ reader: inout StateReader) throws(AggregationError) -> KeyTable {
        let removed = KeyTable()
        guard shard.calendar.kind == .session else { return removed }
        for _ in 0..<(try reader.takeCount(itemSize: 12)) {
            let hash = try reader.take(UInt64.self)
            let bytes = try reader.takeBytes()
            guard shard.codec.isValid(bytes) else { throw .corruptState(reason: "a group key is malformed") }
            removed.append(bytes, hash: hash)
        }
        guard removed.count == 0 || part > 0 else {
            throw .corruptState(reason: "something is removed of which there is nothing")
        }
        return removed
    }

    /// Adds the groups that no newer part has.
    private func merge(_ saved: PaneState, _ flags: [UInt8]) throws(AggregationError) {
        guard saved.keys.count > 0 else { return }
        let pane = try shard.pane(saved.key)
        let bytesBefore = pane.memoryBytes
        let map = GroupMap(count: saved.keys.count)
        let distinct = GroupMap(count: saved.keys.count)
        for entry in 0..<saved.keys.count where filter?(saved.keys.hash(entry)) ?? true {
            let group = try insert(saved.keys, entry, into: pane, bytesBefore: bytesBefore)
            let hasEarlierValues = flags[entry] & SavedState.hasEarlierValues != 0
            if group.isNew {
                map.groups[entry] = group.number
                distinct.groups[entry] = group.number
                if hasEarlierValues {
                    pane.setIncomplete(Int(group.number), true)
                    incompleteCount += 1
                }
            } else if pane.isIncomplete(Int(group.number)) {
                distinct.groups[entry] = group.number
                if !hasEarlierValues {
                    pane.setIncomplete(Int(group.number), false)
                    incompleteCount -= 1
                }
            }
            if shard.fault == .olderValueAdded { map.groups[entry] = group.number }
        }
        try shard.account?.reserve(pane.memoryBytes - bytesBefore + pane.growthBytes(merging: saved))
        for entry in 0..<saved.keys.count
        where map.groups[entry] >= 0 && flags[entry] & SavedState.hasChanged != 0 {
            pane.markChanged(map.groups[entry])
        }
        try pane.merge(saved, map: map.groups, distinct: distinct.groups)
        shard.account?.settle(growth: pane.memoryBytes - bytesBefore)
    }

    /// Keeps older parts from bringing groups back that have been closed.
    private func close(_ removed: KeyTable, in key: PaneKey) throws(AggregationError) {
        guard removed.count > 0 else { return }
        let pane = try shard.pane(key)
        let bytesBefore = pane.memoryBytes
        for entry in 0..<removed.count where filter?(removed.hash(entry)) ?? true {
            let group = try insert(removed, entry, into: pane, bytesBefore: bytesBefore)
            if group.isNew { pane.close(Int(group.number)) }
        }
        for states in pane.measures { states.resize(to: pane.keys.count) }
        shard.account?.settle(growth: pane.memoryBytes - bytesBefore)
    }

    private func insert(
        _ keys: KeyTable, _ entry: Int, into pane: PaneState, bytesBefore: Int
    ) throws(AggregationError) -> (number: Int32, isNew: Bool) {
        let key = keys[entry]
        let growth = pane.keys.growthBytes(for: 1, keyBytes: key.count)
        if growth > 0 { try shard.account?.reserve(pane.memoryBytes - bytesBefore + growth) }
        let count = pane.keys.count
        let number = pane.keys.insert(key, hash: keys.hash(entry))
        return (number, pane.keys.count > count)
    }
}

extension ShardAggregator {
    /// A pane as ``put(_:_:hasEarlierValues:_:)`` wrote it, and the flags of its groups.
    func readPane(
        from reader: inout StateReader, _ takeFlags: (inout StateReader) throws(AggregationError) -> UInt8
    ) throws(AggregationError) -> (PaneState, flags: [UInt8]) {
        let key = PaneKey(start: try reader.take(), firstWindow: try reader.take())
        guard key.start.magnitude <= WindowCalendar.timeLimit.magnitude * 2,
            calendar.paneStart(of: key.start) == key.start,
            calendar.kind == .session
                || key.firstWindow >= calendar.firstWindow(ofPane: key.start)
                    && key.firstWindow <= calendar.lastWindow(ofPane: key.start)
        else { throw .corruptState(reason: "a pane is not of this window") }
        let saved = try newPane(key)
        let groupCount = try reader.takeCount(itemSize: 13)
        var flags: [UInt8] = []
        for group in 0..<groupCount {
            let hash = try reader.take(UInt64.self)
            flags.append(try takeFlags(&reader))
            let bytes = try reader.takeBytes()
            guard codec.isValid(bytes) else { throw .corruptState(reason: "a group key is malformed") }
            guard saved.keys.insert(bytes, hash: hash) == Int32(group) else {
                throw .corruptState(reason: "a group is there twice")
            }
        }
        for states in saved.measures {
            states.resize(to: groupCount)
            try states.restore(from: &reader)
        }
        try takeSpans(of: saved, &reader)
        return (saved, flags)
    }

    /// Of a session.
    private func takeSpans(of saved: PaneState, _ reader: inout StateReader) throws(AggregationError) {
        guard let spans = saved.spans else { return }
        let (key, groupCount) = (saved.key, saved.keys.count)
        for group in 0..<groupCount
        where spans[group].first < key.start || spans[group].last >= key.start + calendar.paneMilliseconds {
            throw .corruptState(reason: "a session's span is not in its pane")
        }
        for _ in 0..<(try reader.takeCount(itemSize: 8)) {
            let group = try reader.take(Int32.self)
            guard (0..<groupCount).contains(Int(group)) else { throw .corruptState(reason: "a group does not exist") }
            saved.records.append((group, Array(try reader.takeBytes())))
        }
    }

    /// Adds a piece of state that was saved whole to this aggregator, which must be new or hold state of the same
    /// checkpoint: the groups whose key hash passes `filter`. Of a group that is there already nothing is taken. Throws
    /// ``AggregationError``, see ``StateRestorer``.
    public func restore(
        from bytes: UnsafeRawBufferPointer, fingerprint: String, filter: ((UInt64) -> Bool)? = nil
    ) throws(AggregationError) {
        try StateRestorer(self, fingerprint: fingerprint, filter: filter).take(bytes)
    }
}
