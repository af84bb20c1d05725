// Saved state is one or more parts: part 0 has everything, each later one what changed since the part before. A part is one
// or more pieces.
//
// A piece, format 4: "SPAG", version, fingerprint, measures (count, then function and name each), watermark, closed-before,
// final-before, number of the part, removed panes (count, then start and first window each), panes. A pane: start, first
// window, group count, then per group hash, flags (1: its row changed; 2: earlier parts have more of its distinct values)
// and key; then each measure's states, of a session also the spans; of a session then the count of kept records, and of each
// its group and bytes; then the count of removed groups, and of each its hash and key.
//
// Format 3 has neither a part's number nor anything that was removed: it is all state. Format 2 has no final-before, which is
// the same as closed-before there: it knew no allowed lateness and no sessions.

enum SavedState {
    static let magic: UInt32 = 0x4741_5053
    static let version: UInt32 = 4
    static let versionWithoutParts: UInt32 = 3
    static let versionWithoutLateness: UInt32 = 2
    /// Flags of a group.
    static let hasChanged: UInt8 = 1
    static let hasEarlierValues: UInt8 = 2
}

extension ShardAggregator {
    /// Appends the whole state to `bytes`. `fingerprint` names the specification; restoring asks for the same.
    public func serialize(into bytes: inout [UInt8], fingerprint: String) throws {
        try serialize(fingerprint: fingerprint, groupsPerPiece: .max) { bytes += $0 }
    }

    /// Gives the state, or what changed since the last call, in pieces, one or more. The pieces of a call may be read in any
    /// order (``StateRestorer``); each stands for itself, so neither writing nor reading takes memory for a copy of the state.
    ///
    /// A call that throws leaves it open what a next one would hold: go back to what was written before.
    ///
    /// - Parameters:
    ///   - onlyChanges: Gives a further part, which is read together with all that were given since the last whole state.
    ///     Whole values of the groups that changed; of distinct values those that came, unless these are many. All state
    ///     when none has been given yet.
    ///   - groupsPerPiece: A piece has fewer than twice as many groups. A group is never divided, however many distinct
    ///     values it has.
    ///   - take: Gets each piece; the bytes are valid during the call.
    public func serialize(
        fingerprint: String, onlyChanges: Bool = false, groupsPerPiece: Int = 1 << 14,
        _ take: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        if !onlyChanges { (partCount, removedPanes) = (0, []) }
        let onlyChanges = onlyChanges && partCount > 0
        defer { account?.settle(bytes: memoryBytes, groups: openGroups) }
        try withoutActuallyEscaping(take) { take in
            var piece = Piece(fingerprint, self, groupsPerPiece, take)
            for pane in panes where !onlyChanges || pane.hasUnsavedChanges {
                try account?.reserve(
                    pane.measures.reduce(0) { $0 + $1.serializationBytes(onlyChanges: onlyChanges) })
                try put(pane, onlyChanges: onlyChanges, into: &piece)
                pane.noteSaved()
            }
            try piece.finish()
        }
        partCount += 1
        removedPanes = []
    }

    private func put(_ pane: PaneState, onlyChanges: Bool, into piece: inout Piece) throws {
        for states in pane.measures {
            states.beginSerialization(groupsPerRun: piece.groupsPerPiece, onlyChanges: onlyChanges)
        }
        defer { for states in pane.measures { states.endSerialization() } }
        let hasDistinct = pane.measures.contains { $0 is DistinctStates }
        var groups: [Int32] = []
        var numbers: [Int32] = []
        var next = 0
        while next < pane.keys.count {
            let end = piece.groupsPerPiece < pane.keys.count - next ? next + piece.groupsPerPiece : pane.keys.count
            groups.removeAll(keepingCapacity: true)
            pane.appendGroups(next..<end, onlyUnsaved: onlyChanges, to: &groups)
            if onlyChanges, fault == .changeForgotten, !groups.isEmpty { groups.removeFirst() }
            if hasDistinct, !groups.isEmpty {
                numbers = Array(repeating: -1, count: end - next)
                for (number, group) in groups.enumerated() { numbers[Int(group) - next] = Int32(number) }
            }
            try groups.withUnsafeBufferPointer { groups in
                try numbers.withUnsafeBufferPointer { numbers in
                    guard !groups.isEmpty else { return }
                    try put(
                        pane, GroupRun(first: next, groups: groups, numbers: numbers.baseAddress),
                        hasEarlierValues: onlyChanges && hasDistinct, removed: 0..<0, into: &piece)
                }
            }
            next = end
        }
        let removedCount = onlyChanges ? pane.removed?.count ?? 0 : 0
        next = 0
        while next < removedCount {
            let end = piece.groupsPerPiece < removedCount - next ? next + piece.groupsPerPiece : removedCount
            try put(
                pane, GroupRun(first: 0, groups: UnsafeBufferPointer(start: nil, count: 0), numbers: nil),
                hasEarlierValues: false, removed: next..<end, into: &piece)
            next = end
        }
    }

    private func put(
        _ pane: PaneState, _ run: GroupRun, hasEarlierValues: Bool, removed: Range<Int>, into piece: inout Piece
    ) throws {
        piece.begin()
        Self.put(pane, run, hasEarlierValues: hasEarlierValues, piece.writer)
        if pane.spans != nil { putRemoved(pane, removed, piece.writer) }
        try piece.end(groupCount: run.groups.count + removed.count)
    }

    /// Writes a pane with some of its groups.
    static func put(_ pane: PaneState, _ run: GroupRun, hasEarlierValues: Bool, _ writer: StateWriter) {
        writer.put(pane.key.start)
        writer.put(pane.key.firstWindow)
        writer.put(UInt64(run.groups.count))
        for group in run.groups {
            let group = Int(group)
            writer.put(pane.keys.hash(group))
            writer.put(
                (pane.hasChanged(group) ? SavedState.hasChanged : 0)
                    | (hasEarlierValues && group < pane.savedCount ? SavedState.hasEarlierValues : 0))
            writer.put(pane.keys[group])
        }
        for states in pane.measures { states.serialize(run, into: writer) }
        if pane.spans != nil { putRecords(pane, run, writer) }
    }

    private static func putRecords(_ pane: PaneState, _ run: GroupRun, _ writer: StateWriter) {
        let place = writer.count
        writer.put(UInt64(0))
        guard !pane.records.isEmpty, !run.groups.isEmpty else { return }
        var numbers: [Int32: Int32] = [:]
        for (number, group) in run.groups.enumerated() { numbers[group] = Int32(number) }
        var written: UInt64 = 0
        for kept in pane.records {
            guard let number = numbers[kept.group] else { continue }
            writer.put(number)
            kept.record.withUnsafeBytes { writer.put($0) }
            written += 1
        }
        writer.put(written, at: place)
    }

    private func putRemoved(_ pane: PaneState, _ range: Range<Int>, _ writer: StateWriter) {
        let place = writer.count
        writer.put(UInt64(0))
        guard let removed = pane.removed else { return }
        var written: UInt64 = 0
        for entry in range {
            // One that has come again is written with its value, which replaces the older one.
            if let group = pane.keys.find(removed[entry], hash: removed.hash(entry)), !pane.isClosed(Int(group)) {
                continue
            }
            writer.put(removed.hash(entry))
            writer.put(removed[entry])
            written += 1
        }
        writer.put(written, at: place)
    }
}

/// The piece that is being written. What has no panes is given all the same when it would be the only one: it is the watermarks.
private struct Piece {
    let groupsPerPiece: Int
    let writer = StateWriter()
    private let fingerprint: String
    private let shard: ShardAggregator
    private let take: (UnsafeRawBufferPointer) throws -> Void
    private var paneCount: UInt64 = 0
    private var paneCountPlace = 0
    private var groupCount = 0
    private var pieceCount = 0

    init(
        _ fingerprint: String, _ shard: ShardAggregator, _ groupsPerPiece: Int,
        _ take: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) {
        self.fingerprint = fingerprint
        self.shard = shard
        self.groupsPerPiece = groupsPerPiece
        self.take = take
    }

    /// A pane follows.
    mutating func begin() {
        if writer.count == 0 { putHeader() }
        paneCount += 1
    }

    /// The pane is written.
    mutating func end(groupCount more: Int) throws {
        groupCount += more
        if groupCount >= groupsPerPiece { try give() }
    }

    mutating func finish() throws {
        guard writer.count > 0 || pieceCount == 0 else { return }
        if writer.count == 0 { putHeader() }
        try give()
    }

    private mutating func give() throws {
        writer.put(paneCount, at: paneCountPlace)
        try take(writer.bytes)
        writer.removeAll()
        pieceCount += 1
        (paneCount, groupCount) = (0, 0)
    }

    private mutating func putHeader() {
        writer.put(SavedState.magic)
        writer.put(SavedState.version)
        put(fingerprint)
        writer.put(UInt32(shard.spec.measures.count))
        for measure in shard.spec.measures { put(measure.stateName) }
        writer.put(shard.watermark)
        writer.put(shard.closedBefore)
        writer.put(shard.finalBefore)
        writer.put(UInt32(shard.partCount))
        // The first piece says it for all.
        let removed = pieceCount == 0 ? shard.removedPanes : []
        writer.put(UInt64(removed.count))
        for pane in removed {
            writer.put(pane.start)
            writer.put(pane.firstWindow)
        }
        paneCountPlace = writer.count
        writer.put(UInt64(0))
    }

    private func put(_ text: String) {
        var text = text
        text.withUTF8 { writer.put(UnsafeRawBufferPointer($0)) }
    }
}
