// Sessions: runs of fragments. A fragment is what a group has in one pane (see docs/decisions/0003).

extension ShardAggregator {
    /// A partial pane as it can be merged: one with rows that come too late even for this shard (a watermark that was
    /// advanced past rows that had not been merged) goes behind the floor that the shard has reached.
    func behindFloor(_ added: PaneState) -> PaneState {
        guard added.key.start < closedBefore, added.key.firstWindow < closedBefore, let spans = added.spans,
            (0..<added.keys.count).contains(where: { spans[$0].first < closedBefore })
        else { return added }
        let moved = PaneState(
            key: PaneKey(start: added.key.start, firstWindow: closedBefore), keys: added.keys, measures: added.measures)
        moved.records = added.records
        return moved
    }

    /// The rows of sessions that are due; closed sessions are taken out. With `onlyClosed` sessions that are still open wait
    /// for the next call, and those that end are written whether they have changed or not.
    func takeDueSessions(
        _ mode: EmissionMode, onlyClosed: Bool, into batch: RowOutput
    ) throws(AggregationError) {
        let givesChanges = mode == .updates && !onlyClosed
        if givesChanges {
            let round = SessionRound(panes, gap: calendar.paneMilliseconds)
            for (index, pane) in panes.enumerated() {
                for entry in pane.changed where pane.hasChanged(Int(entry)) && !pane.isClosed(Int(entry)) {
                    round.look(around: index, Int(entry))
                    for session in round.found where !session.isMerged {
                        let number = session.number
                        if round.fragments.contains(where: { $0.session == number && $0.hasChanged }) {
                            round.emit(session)
                        }
                    }
                    // Each group's neighbourhood is looked at once.
                    for fragment in round.fragments { panes[fragment.pane].unmarkChanged(fragment.entry) }
                }
            }
            // Before anything is taken out: a session whose last change and whose end come together is written too.
            try append(round, to: batch)
        }
        if !onlyClosed { for pane in panes { pane.clearChanged() } }
        let floor = sessionClock.floor(watermark: watermark)
        guard floor > closedBefore else { return }
        let closing = SessionRound(panes, gap: calendar.paneMilliseconds)
        let gap = calendar.paneMilliseconds
        // Of a pane that ended by the floor nearly all groups are looked at now; their sessions may go on in the next.
        for (index, pane) in panes.enumerated() where pane.key.start + 2 * gap <= floor && pane.closedCount == 0 {
            closing.link(index)
        }
        for (index, pane) in panes.enumerated() where pane.key.start + gap <= floor {
            // What ended here by the last floor is gone; a record behind its floor may have come since.
            if pane.key.firstWindow == .min, pane.key.start + 2 * gap <= closedBefore { continue }
            guard let spans = pane.spans else { continue }
            for entry in 0..<pane.keys.count where !pane.isClosed(entry) && spans[entry].last + gap <= floor {
                closing.look(around: index, entry)
                for session in closing.found where !session.isMerged && session.end <= floor {
                    let number = session.number
                    // A session of records behind their floors can cover one that was closed before, whose row goes: once
                    // more at its end, so that it does not matter which of the two was written first.
                    if !givesChanges
                        || closing.fragments.contains(where: { $0.session == number && $0.floor != .min })
                    {
                        closing.emit(session)
                    }
                    for fragment in closing.fragments where fragment.session == number {
                        panes[fragment.pane].close(fragment.entry)
                    }
                }
                // While the watermark stands at a floor, records behind that same floor may still come and form a session.
                for fragment in closing.fragments where fragment.session < 0 && fragment.floor < floor {
                    drop(fragment)
                }
            }
        }
        try append(closing, to: batch)
        closedBefore = floor
        finalBefore = max(finalBefore, floor)
        try removeClosedGroups()
    }

    /// Rows that found no open session were late.
    private func drop(_ fragment: SessionRound.Fragment) {
        let pane = panes[fragment.pane]
        guard !pane.isClosed(fragment.entry) else { return }
        lateCount += Int(pane.spans?[fragment.entry].rows ?? 0)
        for kept in pane.records where kept.group == Int32(fragment.entry) { lateRecords.append(kept.record) }
        pane.close(fragment.entry)
    }

    func takeOpenSessions(into batch: RowOutput) throws(AggregationError) {
        let round = SessionRound(panes, gap: calendar.paneMilliseconds)
        for (index, pane) in panes.enumerated() {
            for entry in 0..<pane.keys.count where !pane.isClosed(entry) && !round.isVisited(index, entry) {
                round.look(around: index, entry)
                for session in round.found where !session.isMerged { round.emit(session) }
                for fragment in round.fragments { round.visit(fragment) }
            }
        }
        try append(round, to: batch)
    }

    /// Merges the fragments of the round's sessions and appends their rows.
    private func append(_ round: SessionRound, to batch: RowOutput) throws(AggregationError) {
        guard !round.emitted.isEmpty else { return }
        // About what the sessions' keys and states take.
        let groupCount = max(panes.reduce(0) { $0 + $1.keys.count }, 1)
        try account?.reserve(panes.reduce(0) { $0 + $1.memoryBytes } / groupCount * round.emitted.count)
        let whole = try newPane(PaneKey(start: 0, firstWindow: .min))
        for session in round.emitted {
            let keys = panes[session.pane].keys
            whole.keys.append(keys[session.entry], hash: keys.hash(session.entry))
        }
        for (index, pane) in panes.enumerated() {
            guard let map = round.map(of: index) else { continue }
            for (states, added) in zip(whole.measures, pane.measures).prefix(spec.measures.count) {
                states.resize(to: whole.keys.count)
                try states.merge(added, map: map.groups)
            }
        }
        // By their ends, as they would have been written one by one.
        let order = (0..<Int32(whole.keys.count)).sorted {
            (round.emitted[Int($0)].end, $0) < (round.emitted[Int($1)].end, $1)
        }
        try append(whole, order, to: batch) {
            (round.emitted[Int($0)].start, round.emitted[Int($0)].end)
        }
    }

    /// Frees panes without open groups, and makes those anew that have more closed groups than open ones.
    func removeClosedGroups() throws(AggregationError) {
        panes.removeAll { pane in
            guard pane.closedCount == pane.keys.count else { return false }
            paneByKey[pane.key] = nil
            if pane.isSaved { removedPanes.append(pane.key) }
            return true
        }
        for pane in panes where pane.closedCount * 2 > pane.keys.count { _ = try withoutClosed(pane) }
    }

    /// Puts a copy without the closed groups in the pane's place and returns it.
    func withoutClosed(_ pane: PaneState) throws(AggregationError) -> PaneState {
        try account?.reserve(pane.memoryBytes)
        let copy = try newPane(pane.key)
        let map = GroupMap(count: pane.keys.count)
        for entry in 0..<pane.keys.count where !pane.isClosed(entry) {
            map.groups[entry] = copy.keys.insert(pane.keys[entry], hash: pane.keys.hash(entry))
        }
        copy.takeMarks(of: pane, map: map.groups)
        try copy.merge(pane, map: map.groups)
        paneByKey[pane.key] = copy
        panes[position(of: pane.key)] = copy
        return copy
    }
}
