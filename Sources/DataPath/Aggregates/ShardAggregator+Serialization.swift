// Format 3: "SPAG", version, fingerprint, measures (count, then function and name each), watermark, closed-before,
// final-before, panes. A pane: start, first window, group count, then per group hash, changed flag and key; then each
// measure's states, of a session also the spans; of a session then the count of kept records, and of each its group and bytes.
// Format 2 has no final-before, which is the same as closed-before there: it knew no allowed lateness and no sessions.

extension ShardAggregator {
    private static let magic: UInt32 = 0x4741_5053
    private static let version: UInt32 = 3
    private static let versionWithoutLateness: UInt32 = 2

    /// Appends the whole state to `bytes`. `fingerprint` names the specification; restoring asks for the same.
    public func serialize(into bytes: inout [UInt8], fingerprint: String) throws {
        try serialize(fingerprint: fingerprint, groupsPerPiece: .max) { bytes += $0 }
    }

    /// Gives the whole state in pieces, one or more, each of which is state that can be restored by itself: all of them
    /// together are the state, in any order. So neither writing nor reading it takes memory for a copy of it.
    ///
    /// - Parameters:
    ///   - groupsPerPiece: A piece has fewer than twice as many groups. A group is never divided, however many distinct
    ///     values it has.
    ///   - take: Gets each piece; the bytes are valid during the call.
    public func serialize(
        fingerprint: String, groupsPerPiece: Int = 1 << 14, _ take: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        for pane in panes where pane.closedCount > 0 { _ = try withoutClosed(pane) }
        let writer = StateWriter()
        defer { account?.settle(bytes: memoryBytes, groups: openGroups) }
        var (paneCount, paneCountPlace, groupCount, pieceCount) = (0, putHeader(fingerprint, writer), 0, 0)
        func finishPiece() throws {
            writer.put(UInt64(paneCount), at: paneCountPlace)
            try take(writer.bytes)
            writer.removeAll()
            pieceCount += 1
            (paneCount, groupCount) = (0, 0)
        }
        for pane in panes {
            if pane.measures.contains(where: { $0 is DistinctStates }) { try account?.reserve(pane.memoryBytes / 4) }
            for states in pane.measures { states.beginSerialization(groupsPerRun: groupsPerPiece) }
            defer { for states in pane.measures { states.endSerialization() } }
            var next = 0
            while next < pane.keys.count {
                if writer.count == 0 { paneCountPlace = putHeader(fingerprint, writer) }
                let groups = next..<(groupsPerPiece < pane.keys.count - next ? next + groupsPerPiece : pane.keys.count)
                Self.put(pane, groups, writer)
                paneCount += 1
                groupCount += groups.count
                next = groups.upperBound
                if groupCount >= groupsPerPiece { try finishPiece() }
            }
        }
        // State without groups is its watermarks.
        if paneCount > 0 || pieceCount == 0 { try finishPiece() }
    }

    /// Gives the place of the number of panes, which follow.
    private func putHeader(_ fingerprint: String, _ writer: StateWriter) -> Int {
        writer.put(Self.magic)
        writer.put(Self.version)
        put(fingerprint, writer)
        writer.put(UInt32(spec.measures.count))
        for measure in spec.measures { put("\(measure.function.rawValue) \(measure.name)", writer) }
        writer.put(watermark)
        writer.put(closedBefore)
        writer.put(finalBefore)
        defer { writer.put(UInt64(0)) }
        return writer.count
    }

    static func put(_ pane: PaneState, _ groups: Range<Int>, _ writer: StateWriter) {
        writer.put(pane.key.start)
        writer.put(pane.key.firstWindow)
        writer.put(UInt64(groups.count))
        for group in groups {
            writer.put(pane.keys.hash(group))
            writer.put(pane.hasChanged(group))
            writer.put(pane.keys[group])
        }
        for states in pane.measures { states.serialize(groups, into: writer) }
        guard pane.spans != nil else { return }
        let records = pane.records.filter { groups.contains(Int($0.group)) }
        writer.put(UInt64(records.count))
        for kept in records {
            writer.put(kept.group - Int32(groups.lowerBound))
            kept.record.withUnsafeBytes { writer.put($0) }
        }
    }

    private func put(_ text: String, _ writer: StateWriter) {
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
        // What a piece makes until it is merged.
        try account?.reserve(reader.remaining * 2)
        for _ in 0..<(try reader.takeCount(itemSize: 24)) { try restorePane(from: &reader, filter) }
        account?.settle(bytes: memoryBytes, groups: openGroups)
        guard reader.isAtEnd else { throw .corruptState(reason: "it is too long") }
    }

    private func restorePane(
        from reader: inout StateReader, _ filter: ((UInt64) -> Bool)?
    ) throws(AggregationError) {
        let (saved, changed) = try readPane(from: &reader)
        try merge(saved, isChanged: { changed[$0] }, filter: filter)
    }

    /// A pane as it was written, and which of its groups are marked as changed.
    func readPane(from reader: inout StateReader) throws(AggregationError) -> (PaneState, changed: [Bool]) {
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
        return (saved, changed)
    }
}
