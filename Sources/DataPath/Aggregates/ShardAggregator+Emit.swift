extension ShardAggregator {
    /// Appends the rows of (window, group) pairs that changed since the last call: full values, not deltas.
    public func takeUpdates(into batch: RecordBatch) throws(AggregationError) {
        for window in windows(before: nil, where: { !$0.changed.isEmpty }) {
            try emit(window, onlyChanged: true, into: batch)
        }
        for pane in panes { pane.clearChanged() }
    }

    /// Appends the rows of windows that the watermark has closed since the last call, and frees their state. Without a
    /// batch it only frees: for those who take updates, after the last ones.
    public func takeClosed(into batch: RecordBatch?) throws(AggregationError) {
        let boundary = calendar.firstOpenWindow(at: watermark)
        guard boundary > closedBefore else { return }
        if let batch {
            for window in windows(before: boundary, where: { _ in true }) {
                try emit(window, onlyChanged: false, into: batch)
            }
        }
        closedBefore = boundary
        freeClosedPanes()
    }

    /// Appends the rows of all windows that have not been taken as closed, as if they were. State is kept.
    public func takeOpen(into batch: RecordBatch) throws(AggregationError) {
        for window in windows(before: nil, where: { _ in true }) { try emit(window, onlyChanged: false, into: batch) }
    }

    /// The starts of windows not yet taken as closed that hold a pane which is wanted, ascending.
    private func windows(before end: Int64?, where isWanted: (PaneState) -> Bool) -> [Int64] {
        var starts: Set<Int64> = []
        for pane in panes where isWanted(pane) {
            var start = max(pane.key.firstWindow, closedBefore)
            let last = calendar.lastWindow(ofPane: pane.key.start)
            while start <= last, end.map({ start < $0 }) ?? true {
                starts.insert(start)
                start += calendar.slideMilliseconds
            }
        }
        return starts.sorted()
    }

    private func emit(_ window: Int64, onlyChanged: Bool, into batch: RecordBatch) throws(AggregationError) {
        let from = position(of: PaneKey(start: window, firstWindow: .min))
        let to = position(of: PaneKey(start: window + calendar.durationMilliseconds, firstWindow: .min))
        let parts = panes[from..<to].filter { $0.key.firstWindow <= window }
        if parts.count == 1, let pane = parts.first {
            // One pane is the whole window.
            return try append(window, pane, onlyChanged ? pane.changed : Array(0..<Int32(pane.keys.count)), to: batch)
        }
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
        try append(window, whole, Array(0..<Int32(whole.keys.count)), to: batch)
    }

    private func append(
        _ window: Int64, _ pane: PaneState, _ groups: [Int32], to batch: RecordBatch
    ) throws(AggregationError) {
        let columns = batch.columns
        let firstMeasure = 2 + spec.groups.count
        guard columns.count == firstMeasure + spec.measures.count, case .int64(let starts) = columns[0],
            case .int64(let ends) = columns[1]
        else { throw .wrongLayout(column: "window_start") }
        for group in groups {
            starts.append(window)
            ends.append(window + calendar.durationMilliseconds)
            try codec.decode(pane.keys[Int(group)], into: columns, first: 2)
        }
        for (index, states) in pane.measures.enumerated() {
            var failure: AggregationError?
            groups.withUnsafeBufferPointer { groups in
                do throws(AggregationError) { try states.finish(groups, into: columns[firstMeasure + index]) } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        }
        batch.rowCount += groups.count
    }
}
