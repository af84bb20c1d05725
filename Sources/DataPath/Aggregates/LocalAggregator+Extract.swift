extension LocalAggregator {
    /// The shard of a group whose key has this hash.
    public static func shard(of hash: UInt64, count: Int) -> Int {
        Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(count)).high)
    }

    /// Moves all deltas out, one batch a shard (nil for a shard that gets none), and begins anew.
    ///
    /// Cost: O(groups + pairs of distinct values) since the last call; one shard and one pane take the states as they are.
    public func extract(shardCount: Int) throws(AggregationError) -> [PartialBatch?] {
        let groupCount = table.count
        guard groupCount > 0 else { return Array(repeating: nil, count: shardCount) }
        let part = GroupMap(count: groupCount)
        let index = GroupMap(count: groupCount)
        let cells = assignParts(part.groups, index.groups, shardCount: shardCount)
        var parts: [PaneState] = []
        if cells.count == 1 {
            // The parts' groups are numbered in the order of the table's: these are the table's numbers.
            parts.append(PaneState(key: paneSlots.panes[cells[0].pane], keys: cells[0].keys, measures: measures))
            let old = measures
            measures = try spec.makeStates(hashKey: hashKey)
            for (new, old) in zip(measures, old) { new.takeWorkingMemory(of: old) }
        } else {
            for cell in cells {
                let states = try spec.makeStates(hashKey: hashKey)
                for own in states { own.resize(to: cell.keys.count) }
                parts.append(PaneState(key: paneSlots.panes[cell.pane], keys: cell.keys, measures: states))
            }
            for (number, states) in measures.enumerated() {
                try states.split(into: parts.map { $0.measures[number] }, part: part.groups, index: index.groups)
                states.removeAll()
            }
        }
        for kept in keptRecords {
            parts[Int(part.groups[Int(kept.group)])].records.append((index.groups[Int(kept.group)], kept.record))
        }
        keptRecords.removeAll()
        reset()
        var shards = [[PaneState]](repeating: [], count: shardCount)
        for (cell, part) in zip(cells, parts) { shards[cell.shard].append(part) }
        account?.settle(bytes: memoryBytes, groups: 0)
        return shards.map { $0.isEmpty ? nil : PartialBatch(panes: $0, account: account?.sibling()) }
    }

    /// The groups of one pane that go to one shard.
    private struct Cell {
        let shard: Int
        let pane: Int
        let keys: KeyTable
    }

    /// Writes each group's part and its number there; gives the parts.
    private func assignParts(
        _ part: UnsafeMutablePointer<Int32>, _ index: UnsafeMutablePointer<Int32>, shardCount: Int
    ) -> [Cell] {
        var cells: [Cell] = []
        let paneCount = paneSlots.panes.count
        var partOfCell = [Int32](repeating: -1, count: shardCount * paneCount)
        let expected = table.count / max(shardCount * paneCount, 1)
        for group in 0..<table.count {
            let words = UnsafeRawPointer(table.keys + group * table.wordCount)
            if group % 32 == 0 {
                encoder.fetch(words, count: min(32, table.count - group), stride: table.wordCount * 8)
            }
            let pane = Int(words.loadUnaligned(as: Int32.self))
            let key = encoder.encode(words)
            let hash = sipHash128(key, key: hashKey).low
            let shard = Self.shard(of: hash, count: shardCount)
            var number = Int(partOfCell[shard * paneCount + pane])
            if number < 0 {
                number = cells.count
                partOfCell[shard * paneCount + pane] = Int32(number)
                cells.append(Cell(shard: shard, pane: pane, keys: KeyTable(capacity: expected)))
            }
            part[group] = Int32(truncatingIfNeeded: number)
            index[group] = Int32(truncatingIfNeeded: cells[number].keys.count)
            cells[number].keys.append(key, hash: hash)
        }
        return cells
    }

    private func reset() {
        table.removeAll()
        paneSlots.removeAll()
        for (group, strings) in encoder.strings.enumerated()
        where strings.count > Self.stringLimit || strings.byteCount > Self.stringByteLimit {
            strings.removeAll()
            for input in inputs { input.groupCodes[group].removeAll() }
        }
    }

    /// Strings of group columns are kept for the next round, up to so many: numbering them anew costs more than all else.
    private static let stringLimit = 1 << 20
    private static let stringByteLimit = 1 << 26
}
