// Format 3: "SPAG", version, fingerprint, measures (count, then function and name each), watermark, closed-before,
// final-before, panes. A pane: start, first window, group count, then per group hash, changed flag and key; then each
// measure's states, of a session also the spans; of a session then the count of kept records, and of each its group and bytes.
// Format 2 has no final-before, which is the same as closed-before there: it knew no allowed lateness and no sessions.

extension ShardAggregator {
    private static let magic: UInt32 = 0x4741_5053
    private static let version: UInt32 = 3
    private static let versionWithoutLateness: UInt32 = 2

    /// Appends the whole state to `bytes`. `fingerprint` names the specification; restoring asks for the same.
    public func serialize(into bytes: inout [UInt8], fingerprint: String) throws(AggregationError) {
        for pane in panes where pane.closedCount > 0 { _ = try withoutClosed(pane) }
        var writer = StateWriter(bytes)
        bytes = []
        writer.put(Self.magic)
        writer.put(Self.version)
        put(fingerprint, &writer)
        writer.put(UInt32(spec.measures.count))
        for measure in spec.measures { put("\(measure.function.rawValue) \(measure.name)", &writer) }
        writer.put(watermark)
        writer.put(closedBefore)
        writer.put(finalBefore)
        writer.put(UInt64(panes.count))
        for pane in panes {
            writer.put(pane.key.start)
            writer.put(pane.key.firstWindow)
            writer.put(UInt64(pane.keys.count))
            for group in 0..<pane.keys.count {
                writer.put(pane.keys.hash(group))
                writer.put(pane.hasChanged(group))
                writer.put(pane.keys[group])
            }
            for states in pane.measures { states.serialize(into: &writer) }
            guard calendar.kind == .session else { continue }
            writer.put(UInt64(pane.records.count))
            for kept in pane.records {
                writer.put(kept.group)
                kept.record.withUnsafeBytes { writer.put($0) }
            }
        }
        bytes = writer.bytes
    }

    private func put(_ text: String, _ writer: inout StateWriter) {
        var text = text
        text.withUTF8 { writer.put(UnsafeRawBufferPointer($0)) }
    }

    /// Adds saved state to this aggregator, which must be new or hold state of the same checkpoint: the groups whose key
    /// hash passes `filter`, so that a checkpoint can be dealt to another number of shards
    /// (``LocalAggregator/shard(of:count:)``). Throws ``AggregationError/otherState(reason:)`` for another specification's.
    public func restore(
        from bytes: UnsafeRawBufferPointer, fingerprint: String, filter: ((UInt64) -> Bool)? = nil
    ) throws(AggregationError) {
        var reader = StateReader(bytes)
        guard try reader.take(UInt32.self) == Self.magic else { throw .corruptState(reason: "it has no such header") }
        let version = try reader.take(UInt32.self)
        guard version == Self.version || version == Self.versionWithoutLateness && calendar.kind != .session else {
            throw .otherState(reason: "format version \(version)")
        }
        guard try reader.takeBytes().elementsEqual(fingerprint.utf8) else { throw .otherState(reason: "fingerprint") }
        guard try reader.take(UInt32.self) == UInt32(spec.measures.count) else { throw .otherState(reason: "measures") }
        for measure in spec.measures {
            guard try reader.takeBytes().elementsEqual("\(measure.function.rawValue) \(measure.name)".utf8) else {
                throw .otherState(reason: "measure '\(measure.name)'")
            }
        }
        let (savedWatermark, savedClosed): (Int64, Int64) = (try reader.take(), try reader.take())
        guard panes.isEmpty && closedBefore == .min || closedBefore == savedClosed else {
            throw .otherState(reason: "the shards are not of one checkpoint")
        }
        watermark = max(watermark, savedWatermark)
        closedBefore = savedClosed
        finalBefore = max(finalBefore, version == Self.version ? try reader.take() : savedClosed)
        for _ in 0..<(try reader.takeCount(itemSize: 24)) { try restorePane(from: &reader, filter) }
        guard reader.isAtEnd else { throw .corruptState(reason: "it is too long") }
    }

    private func restorePane(
        from reader: inout StateReader, _ filter: ((UInt64) -> Bool)?
    ) throws(AggregationError) {
        let key = PaneKey(start: try reader.take(), firstWindow: try reader.take())
        guard key.start.magnitude <= WindowCalendar.timeLimit.magnitude * 2,
            calendar.paneStart(of: key.start) == key.start,
            calendar.kind == .session
                || key.firstWindow >= calendar.firstWindow(ofPane: key.start)
                    && key.firstWindow <= calendar.lastWindow(ofPane: key.start)
        else { throw .corruptState(reason: "a pane is not of this window") }
        let saved = try newPane(key)
        let groupCount = try reader.takeCount(itemSize: 13)
        var changed: [Bool] = []
        for group in 0..<groupCount {
            let hash = try reader.take(UInt64.self)
            changed.append(try reader.takeBool())
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
        if let spans = saved.spans {
            for group in 0..<groupCount
            where spans[group].first < key.start || spans[group].last >= key.start + calendar.paneMilliseconds {
                throw .corruptState(reason: "a session's span is not in its pane")
            }
            for _ in 0..<(try reader.takeCount(itemSize: 8)) {
                let group = try reader.take(Int32.self)
                guard (0..<groupCount).contains(Int(group)) else {
                    throw .corruptState(reason: "a group does not exist")
                }
                saved.records.append((group, Array(try reader.takeBytes())))
            }
        }
        try merge(saved, isChanged: { changed[$0] }, filter: filter)
    }
}
