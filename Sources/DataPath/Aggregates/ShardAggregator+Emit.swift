/// When an aggregation's rows are written.
public enum EmissionMode: Hashable, Sendable {
    /// Every row that changed, as a whole value; for sinks in which rows replace each other.
    case updates
    /// Rows of windows whose end the watermark has passed, and again when a row within the allowed lateness changes them.
    /// Sessions as with ``final``.
    case corrected
    /// Rows that nothing can change any more, once.
    case final
}

extension ShardAggregator {
    /// Appends the rows that are due and frees what no open window needs.
    public func takeDue(_ mode: EmissionMode, into batch: RecordBatch) throws(AggregationError) {
        try takeDue(mode, into: RowOutput(collecting: batch))
    }

    /// Gives the rows that are due and frees what no open window needs. Whoever calls finishes the output.
    ///
    /// - Parameter onlyClosed: What windows give that can still change stays due.
    public func takeDue(
        _ mode: EmissionMode, onlyClosed: Bool = false, into batch: RowOutput
    ) throws(AggregationError) {
        defer { account?.settle(bytes: memoryBytes, groups: openGroups) }
        if calendar.kind == .session { return try takeDueSessions(mode, onlyClosed: onlyClosed, into: batch) }
        switch mode {
        case .updates where onlyClosed:
            let boundary = calendar.firstOpenWindow(at: watermark)
            guard boundary > closedBefore else { return }
            try emit(
                windows(from: closedBefore, before: boundary, where: { !$0.changed.isEmpty }), onlyChanged: true,
                into: batch)
            try takeClosed(into: nil)
        case .updates:
            try takeUpdates(into: batch)
            try takeClosed(into: nil)
        case .corrected where onlyClosed: try takeClosedCorrected(into: batch)
        case .corrected: try takeCorrected(into: batch)
        case .final: try takeClosed(into: batch)
        }
    }

    /// Appends the rows of all windows that have not been written as final, as if they were. State is kept.
    public func takeOpen(into batch: RecordBatch) throws(AggregationError) {
        try takeOpen(into: RowOutput(collecting: batch))
    }

    /// As ``takeOpen(into:)``; whoever calls finishes the output.
    public func takeOpen(into batch: RowOutput) throws(AggregationError) {
        defer { account?.settle(bytes: memoryBytes, groups: openGroups) }
        if calendar.kind == .session { return try takeOpenSessions(into: batch) }
        try emit(
            windows(from: max(closedBefore, finalBefore), before: nil, where: { _ in true }), onlyChanged: false,
            into: batch)
    }

    /// Appends the rows of (window, group) pairs that changed since the last call: full values, not deltas.
    private func takeUpdates(into batch: RowOutput) throws(AggregationError) {
        try emit(
            windows(from: closedBefore, before: nil, where: { !$0.changed.isEmpty }), onlyChanged: true, into: batch)
        for pane in panes { pane.clearChanged() }
    }

    private func takeCorrected(into batch: RowOutput) throws(AggregationError) {
        try emit(
            windows(from: closedBefore, before: finalBefore, where: { !$0.changed.isEmpty }), onlyChanged: true,
            into: batch)
        let complete = max(calendar.firstIncompleteWindow(at: watermark), finalBefore)
        try emit(
            windows(from: max(closedBefore, finalBefore), before: complete, where: { _ in true }), onlyChanged: false,
            into: batch)
        finalBefore = complete
        for pane in panes { pane.clearChanged() }
        try takeClosed(into: nil)
    }

    /// Appends the rows of windows that nothing can change any more: of those that were written as final what has changed.
    private func takeClosedCorrected(into batch: RowOutput) throws(AggregationError) {
        let boundary = calendar.firstOpenWindow(at: watermark)
        guard boundary > closedBefore else { return }
        try emit(
            windows(from: closedBefore, before: min(boundary, finalBefore), where: { !$0.changed.isEmpty }),
            onlyChanged: true, into: batch)
        try emit(
            windows(from: max(closedBefore, finalBefore), before: boundary, where: { _ in true }), onlyChanged: false,
            into: batch)
        try takeClosed(into: nil)
    }

    /// Appends the rows of windows that the watermark has closed since the last call, and frees their state. Without a
    /// batch it only frees.
    private func takeClosed(into batch: RowOutput?) throws(AggregationError) {
        let boundary = calendar.firstOpenWindow(at: watermark)
        guard boundary > closedBefore else { return }
        if let batch {
            try emit(
                windows(from: closedBefore, before: boundary, where: { _ in true }), onlyChanged: false, into: batch)
        }
        closedBefore = boundary
        finalBefore = max(finalBefore, boundary)
        freeClosedPanes()
    }

    /// The windows from `begin` on that hold a pane which is wanted, ascending.
    private func windows(from begin: Int64, before end: Int64?, where isWanted: (PaneState) -> Bool) -> [Int64] {
        var numbers: [Int64] = []
        for run in windowRuns(from: begin, where: isWanted) {
            var window = run.lowerBound
            while window <= run.upperBound, end.map({ window < $0 }) ?? true {
                numbers.append(window)
                window += calendar.slideMilliseconds
            }
        }
        return numbers
    }

    /// The same as runs of neighbours, ascending; no window is in two.
    func windowRuns(from begin: Int64, where isWanted: (PaneState) -> Bool) -> [ClosedRange<Int64>] {
        // Of each pane one run: panes of rows that were late for earlier windows begin later than their neighbours.
        var runs: [(first: Int64, last: Int64)] = []
        for pane in panes where isWanted(pane) {
            let (first, last) = (max(pane.key.firstWindow, begin), calendar.lastWindow(ofPane: pane.key.start))
            if first <= last { runs.append((first, last)) }
        }
        runs.sort { $0.first < $1.first }
        var apart: [ClosedRange<Int64>] = []
        var next = begin
        for run in runs {
            let first = max(run.first, next)
            guard first <= run.last else { continue }
            apart.append(first...run.last)
            next = run.last + calendar.slideMilliseconds
        }
        return apart
    }

    private func emit(_ windows: [Int64], onlyChanged: Bool, into batch: RowOutput) throws(AggregationError) {
        guard !calendar.isTumbling, windows.count > 2, let first = windows.first, let last = windows.last,
            let run = try SliceRun(
                spec, hashKey: hashKey,
                panes: Array(
                    panes[
                        position(
                            of: PaneKey(start: calendar.windowStart(first), firstWindow: .min))..<position(
                                of: PaneKey(start: calendar.windowEnd(last), firstWindow: .min))]),
                onlyChanged: onlyChanged, account: account)
        else {
            for window in windows { try emit(window, onlyChanged: onlyChanged, into: batch) }
            return
        }
        for window in windows {
            let (start, end) = (calendar.windowStart(window), calendar.windowEnd(window))
            try run.move(to: window, start: start)
            try run.window { whole, groups throws(AggregationError) in
                try append(whole, groups, to: batch) { _ in (start, end) }
            }
        }
    }

    private func emit(_ window: Int64, onlyChanged: Bool, into batch: RowOutput) throws(AggregationError) {
        let (start, end) = (calendar.windowStart(window), calendar.windowEnd(window))
        let from = position(of: PaneKey(start: start, firstWindow: .min))
        let to = position(of: PaneKey(start: end, firstWindow: .min))
        let parts = panes[from..<to].filter { $0.key.firstWindow <= window }
        if parts.count == 1, let pane = parts.first {
            // One pane is the whole window.
            let groups = onlyChanged ? pane.changed : Array(0..<Int32(pane.keys.count))
            return try append(pane, groups, to: batch) { _ in (start, end) }
        }
        // The window's own groups and states, while its rows are made.
        try account?.reserve(parts.reduce(0) { $0 + $1.memoryBytes })
        let whole = try newPane(PaneKey(start: window, firstWindow: window))
        for pane in parts {
            if onlyChanged {
                for entry in pane.changed {
                    _ = whole.keys.insert(pane.keys[Int(entry)], hash: pane.keys.hash(Int(entry)))
                }
            } else {
                for entry in 0..<pane.keys.count {
                    _ = whole.keys.insert(pane.keys[entry], hash: pane.keys.hash(entry))
                }
            }
        }
        for pane in parts {
            let map = GroupMap(count: pane.keys.count)
            for entry in 0..<pane.keys.count {
                map.groups[entry] = whole.keys.find(pane.keys[entry], hash: pane.keys.hash(entry)) ?? -1
            }
            try whole.merge(pane, map: map.groups)
        }
        try append(whole, Array(0..<Int32(whole.keys.count)), to: batch) { _ in (start, end) }
    }

    /// Appends a row for each of the groups; `bounds` gives its window.
    func append(
        _ pane: PaneState, _ groups: [Int32], to output: RowOutput, bounds: (Int32) -> (start: Int64, end: Int64)
    ) throws(AggregationError) {
        var failure: AggregationError?
        groups.withUnsafeBufferPointer { groups in
            var next = 0
            while next < groups.count {
                let end = min(next + RowOutput.step, groups.count)
                do throws(AggregationError) {
                    try append(
                        pane, UnsafeBufferPointer(rebasing: groups[next..<end]), to: output.batch, bounds: bounds)
                } catch {
                    failure = error
                    return
                }
                output.wrote()
                next = end
            }
        }
        if let failure { throw failure }
    }

    private func append(
        _ pane: PaneState, _ groups: UnsafeBufferPointer<Int32>, to batch: RecordBatch,
        bounds: (Int32) -> (start: Int64, end: Int64)
    ) throws(AggregationError) {
        let columns = batch.columns
        let firstMeasure = 2 + spec.groups.count
        guard columns.count == firstMeasure + spec.measures.count, case .int64(let starts) = columns[0],
            case .int64(let ends) = columns[1]
        else { throw .wrongLayout(column: "window_start") }
        for group in groups {
            let (start, end) = bounds(group)
            starts.append(start)
            ends.append(end)
            try codec.decode(pane.keys[Int(group)], into: columns, first: 2)
        }
        for index in spec.measures.indices {
            try pane.measures[index].finish(groups, into: columns[firstMeasure + index])
        }
        batch.rowCount += groups.count
    }
}
