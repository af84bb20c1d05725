extension LocalAggregator {
    /// Counts the selected rows of a batch.
    ///
    /// `selection`: ascending rows, nil for all. `measureSelections`: per measure with a filter of its own the rows that pass
    /// it (others nil; an empty array when no measure has one); rows outside `selection` do not count.
    /// `runningMax`: per batch row the highest event time of its partition before it, `Int64.min` at the start.
    @discardableResult
    public func update(
        input: Int, batch: RecordBatch, selection: UnsafeBufferPointer<Int32>? = nil,
        measureSelections: [UnsafeBufferPointer<Int32>?] = [], runningMax: UnsafePointer<Int64>
    ) throws(AggregationError) -> UpdateCounts {
        let binding = inputs[input]
        scratch.reserve(batch.rowCount, wordCount: layout.wordCount)
        lateRows.removeAll(keepingCapacity: true)
        maybeLateRows.removeAll(keepingCapacity: true)
        let selected: UnsafePointer<Int32>
        if let base = selection?.baseAddress { selected = base } else { selected = UnsafePointer(scratch.identity) }
        guard case .int64(let times) = batch.columns[binding.timestamp] else {
            throw .wrongLayout(column: batch.schema.columns[binding.timestamp].name)
        }
        var counts = UpdateCounts()
        let selectedCount = selection?.count ?? batch.rowCount
        if calendar.kind == .session {
            assignSessionPanes(selected, count: selectedCount, times: times, runningMax: runningMax, &counts)
        } else {
            assignPanes(selected, count: selectedCount, times: times, runningMax: runningMax, &counts)
        }
        guard counts.counted > 0 else { return counts }
        try fillKeys(batch, binding, count: counts.counted)
        table.find(scratch.keys, count: counts.counted, into: scratch.groups)
        for index in maybeLateRows.indices {
            // What was put there was the row's place among the counted.
            maybeLateRows[index].group = scratch.groups[Int(maybeLateRows[index].group)]
        }
        try updateMeasures(batch, binding, measureSelections, count: counts.counted)
        try account?.settleWithinLimit(bytes: memoryBytes, groups: 0)
        return counts
    }

    private func assignPanes(
        _ selected: UnsafePointer<Int32>, count: Int, times: FixedVector<Int64>, runningMax: UnsafePointer<Int64>,
        _ counts: inout UpdateCounts
    ) {
        let (values, nulls, hasNulls) = (times.values, times.nulls, times.nullCount > 0)
        let (rows, slots) = (scratch.rows, scratch.slots)
        var cursor = PaneCursor()
        var other = PaneCursor()
        var kept = 0
        for index in 0..<count {
            let row = Int(selected[index])
            let time = values[row]
            if hasNulls && nulls[row] {
                counts.untimed += 1
                continue
            }
            var slot = cursor.slot
            if !(time >= cursor.start && time < cursor.end && runningMax[row] < cursor.limit) {
                if time >= other.start && time < other.end && runningMax[row] < other.limit {
                    swap(&cursor, &other)
                    slot = cursor.slot
                } else {
                    guard time.magnitude <= WindowCalendar.timeLimit.magnitude else {
                        counts.untimed += 1
                        continue
                    }
                    slot = resolve(row, time, highest: runningMax[row], &cursor, &other, &counts)
                    if slot < 0 { continue }
                }
            }
            rows[kept] = Int32(truncatingIfNeeded: row)
            slots[kept] = slot
            kept &+= 1
        }
        counts.counted = kept
    }

    /// The slot of a row that is in neither of the last panes, or for which some window may be closed; -1: not counted.
    @inline(never)
    private func resolve(
        _ row: Int, _ time: Int64, highest: Int64, _ cursor: inout PaneCursor, _ other: inout PaneCursor,
        _ counts: inout UpdateCounts
    ) -> Int32 {
        let start = calendar.paneStart(of: time)
        if let recent = paneSlots.cursor(of: start), highest < recent.limit {
            (cursor, other) = (recent, cursor)
            return cursor.slot
        }
        let first = calendar.firstWindow(ofPane: start)
        let last = calendar.lastWindow(ofPane: start)
        guard first <= last else {
            counts.outside += 1
            return -1
        }
        let limit = calendar.openLimit(ofWindow: first)
        if highest < limit {
            other = cursor
            // Clipped, so that a time beyond the limit never passes as one of the limit's pane.
            cursor = PaneCursor(
                pane: start, start: max(start, -WindowCalendar.timeLimit),
                end: min(start + calendar.paneMilliseconds, WindowCalendar.timeLimit + 1), limit: limit,
                slot: paneSlots.slot(PaneKey(start: start, firstWindow: first)))
            paneSlots.note(cursor)
            return cursor.slot
        }
        let firstOpen = max(first, calendar.firstOpenWindow(at: calendar.watermark(highest: highest)))
        guard firstOpen <= last else {
            counts.late += 1
            lateRows.append(Int32(row))
            return -1
        }
        return paneSlots.slot(PaneKey(start: start, firstWindow: firstOpen))
    }

    /// As ``assignPanes``: a pane is a run of one gap. A row before its floor goes to the pane's state of that floor.
    private func assignSessionPanes(
        _ selected: UnsafePointer<Int32>, count: Int, times: FixedVector<Int64>, runningMax: UnsafePointer<Int64>,
        _ counts: inout UpdateCounts
    ) {
        let (values, nulls, hasNulls) = (times.values, times.nulls, times.nullCount > 0)
        let (rows, slots) = (scratch.rows, scratch.slots)
        // `limit`: the floor of `highest`, which seldom changes from row to row.
        var highest = Int64.min
        var cursor = PaneCursor(limit: .min)
        var kept = 0
        for index in 0..<count {
            let row = Int(selected[index])
            let time = values[row]
            if hasNulls && nulls[row] || time.magnitude > WindowCalendar.timeLimit.magnitude {
                counts.untimed += 1
                continue
            }
            if runningMax[row] != highest {
                highest = runningMax[row]
                cursor.limit = sessionClock.floor(highest: highest)
            }
            if time < cursor.limit {
                counts.maybeLate += 1
                maybeLateRows.append(MaybeLateRow(row: Int32(row), group: Int32(truncatingIfNeeded: kept)))
                slots[kept] = paneSlots.slot(PaneKey(start: calendar.paneStart(of: time), firstWindow: cursor.limit))
            } else {
                if !(time >= cursor.start && time < cursor.end) {
                    cursor.start = calendar.paneStart(of: time)
                    cursor.end = cursor.start + calendar.paneMilliseconds
                    cursor.slot = paneSlots.slot(PaneKey(start: cursor.start, firstWindow: .min))
                }
                slots[kept] = cursor.slot
            }
            rows[kept] = Int32(truncatingIfNeeded: row)
            kept &+= 1
        }
        counts.counted = kept
    }

    private func fillKeys(_ batch: RecordBatch, _ binding: InputBinding, count: Int) throws(AggregationError) {
        let stride = layout.wordCount * 8
        let keys = UnsafeMutableRawPointer(scratch.keys)
        let (rows, slots) = (scratch.rows, scratch.slots)
        for index in 0..<count { keys.storeBytes(of: slots[index], toByteOffset: index &* stride, as: Int32.self) }
        for (group, type) in layout.types.enumerated() {
            let out = keys + layout.offsets[group]
            switch (type, batch.columns[binding.groups[group]]) {
            case (.bytes, .dictionary(let vector, let dictionary)):
                let cache = binding.groupCodes[group]
                let strings = encoder.strings[group]
                cache.refresh(for: dictionary) { strings.code(for: $0) }
                let (codes, nulls, hasNulls) = (vector.values, vector.nulls, vector.nullCount > 0)
                cache.values.withUnsafeBufferPointer { own in
                    for index in 0..<count {
                        let row = Int(rows[index])
                        let code = hasNulls && nulls[row] ? GroupKeyLayout.nullCode : own[Int(codes[row])]
                        out.storeBytes(of: code, toByteOffset: index &* stride, as: UInt32.self)
                    }
                }
            case (.bytes, .bytes(let vector)):
                let strings = encoder.strings[group]
                for index in 0..<count {
                    let row = Int(rows[index])
                    let code = vector.nulls[row] ? GroupKeyLayout.nullCode : strings.code(for: vector[row])
                    out.storeBytes(of: code, toByteOffset: index &* stride, as: UInt32.self)
                }
            case (.boolean, .boolean(let vector)):
                let hasNulls = vector.nullCount > 0
                for index in 0..<count {
                    let row = Int(rows[index])
                    let code = hasNulls && vector.nulls[row] ? GroupKeyLayout.nullCode : vector.values[row] ? 1 : 0
                    out.storeBytes(of: code, toByteOffset: index &* stride, as: UInt32.self)
                }
            case (.int64, .int64(let vector)):
                let values = vector.values
                fillWide(out, stride, count, vector.nullCount > 0 ? vector.nulls : nil) { values[$0] }
            case (.double, .double(let vector)):
                let values = vector.values
                fillWide(out, stride, count, vector.nullCount > 0 ? vector.nulls : nil) {
                    Int64(bitPattern: canonicalBits(values[$0]))
                }
            case (.int128, .int128(let vector)):
                let values = vector.values
                fillWide(out, stride, count, vector.nullCount > 0 ? vector.nulls : nil) { values[$0] }
            default: throw .wrongLayout(column: spec.groups[group].name)
            }
        }
    }

    @inline(__always)
    private func fillWide<Value: FixedWidthInteger & BitwiseCopyable>(
        _ out: UnsafeMutableRawPointer, _ stride: Int, _ count: Int, _ nulls: UnsafeMutablePointer<Bool>?,
        value: (Int) -> Value
    ) {
        let rows = scratch.rows
        for index in 0..<count {
            let row = Int(rows[index])
            let isNull = nulls.map { $0[row] } ?? false
            let place = out + index &* stride
            place.storeBytes(of: isNull ? 1 : 0, as: UInt32.self)
            place.storeBytes(of: isNull ? 0 : value(row), toByteOffset: 4, as: Value.self)
        }
    }

    private func updateMeasures(
        _ batch: RecordBatch, _ binding: InputBinding, _ selections: [UnsafeBufferPointer<Int32>?], count: Int
    ) throws(AggregationError) {
        let all = RowGroups(rows: scratch.rows, groups: scratch.groups, count: count)
        if selections.contains(where: { $0 != nil }) {
            scratch.groupOfRow.update(repeating: -1, count: batch.rowCount)
            for index in 0..<count { scratch.groupOfRow[Int(scratch.rows[index])] = scratch.groups[index] }
        }
        for (index, states) in measures.enumerated() {
            states.resize(to: table.count)
            if index == spec.measures.count {
                try states.update(MeasureColumn(vector: batch.columns[binding.timestamp], codeHashes: nil), all)
                continue
            }
            var column: MeasureColumn?
            if let position = binding.measures[index] {
                let vector = batch.columns[position]
                if case .dictionary(_, let dictionary) = vector, spec.measures[index].function == .countDistinct {
                    let cache = binding.measureHashes[index]
                    cache.refresh(for: dictionary) { sipHash128($0, key: hashKey) }
                    var failure: AggregationError?
                    cache.values.withUnsafeBufferPointer { hashes in
                        let column = MeasureColumn(vector: vector, codeHashes: hashes.baseAddress)
                        do throws(AggregationError) {
                            try update(states, column, all, index < selections.count ? selections[index] : nil)
                        } catch { failure = error }
                    }
                    if let failure { throw failure }
                    continue
                }
                column = MeasureColumn(vector: vector, codeHashes: nil)
            }
            try update(states, column, all, index < selections.count ? selections[index] : nil)
        }
    }

    private func update(
        _ states: any MeasureStates, _ column: MeasureColumn?, _ all: RowGroups,
        _ selection: UnsafeBufferPointer<Int32>?
    ) throws(AggregationError) {
        guard let selection else { return try states.update(column, all) }
        // The pane slots are in the keys by now; their memory serves for the filtered groups, that of the keys for rows.
        let groups = scratch.slots
        var kept = 0
        scratch.keys.withMemoryRebound(to: Int32.self, capacity: selection.count) { rows in
            for row in selection where scratch.groupOfRow[Int(row)] >= 0 {
                rows[kept] = row
                groups[kept] = scratch.groupOfRow[Int(row)]
                kept &+= 1
            }
        }
        var failure: AggregationError?
        scratch.keys.withMemoryRebound(to: Int32.self, capacity: selection.count) { rows in
            do throws(AggregationError) {
                try states.update(column, RowGroups(rows: rows, groups: groups, count: kept))
            } catch { failure = error }
        }
        scratch.keys.update(repeating: 0, count: (kept + 1) / 2)
        if let failure { throw failure }
    }
}
