extension LocalAggregator {
    /// The shard of a group whose key has this hash.
    public static func shard(of hash: UInt64, count: Int) -> Int {
        Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(count)).high)
    }

    /// Moves all deltas out, one batch a shard (nil for a shard that gets none), and begins anew.
    public func extract(shardCount: Int) throws(AggregationError) -> [PartialBatch?] {
        let groupCount = table.count
        var parts: [PaneState] = []
        var partOfCell = [Int32](repeating: -1, count: shardCount * panes.count)
        var shardOfPart: [Int] = []
        var part = [Int32](repeating: 0, count: groupCount)
        var index = [Int32](repeating: 0, count: groupCount)
        var key: [UInt8] = []
        for group in 0..<groupCount {
            let pane = encodeKey(of: group, into: &key)
            let hash = key.withUnsafeBytes { sipHash128($0, key: hashKey) }.low
            let cell = Self.shard(of: hash, count: shardCount) * panes.count + pane
            if partOfCell[cell] < 0 {
                partOfCell[cell] = Int32(parts.count)
                shardOfPart.append(cell / panes.count)
                var states: [any MeasureStates] = []
                for measure in spec.measures { states.append(try measure.makeStates(hashKey: hashKey, asList: true)) }
                parts.append(PaneState(key: panes[pane], measures: states))
            }
            part[group] = partOfCell[cell]
            index[group] = key.withUnsafeBytes { parts[Int(partOfCell[cell])].keys.insert($0, hash: hash) }
        }
        for (number, states) in measures.enumerated() where groupCount > 0 {
            for target in parts { target.measures[number].resize(to: target.keys.count) }
            let targets = parts.map { $0.measures[number] }
            var failure: AggregationError?
            part.withUnsafeBufferPointer { part in
                index.withUnsafeBufferPointer { index in
                    guard let part = part.baseAddress, let index = index.baseAddress else { return }
                    do throws(AggregationError) { try states.split(into: targets, part: part, index: index) } catch {
                        failure = error
                    }
                }
            }
            if let failure { throw failure }
        }
        reset()
        return (0..<shardCount).map { shard in
            let own = parts.indices.filter { shardOfPart[$0] == shard }.map { parts[$0] }
            return own.isEmpty ? nil : PartialBatch(panes: own)
        }
    }

    private func reset() {
        table.removeAll()
        for states in measures { states.removeAll() }
        panes.removeAll(keepingCapacity: true)
        paneSlots.removeAll(keepingCapacity: true)
        for (group, strings) in groupStrings.enumerated() where strings.count > 1 << 16 {
            // Strings are kept for the next round, but not without bound.
            strings.removeAll()
            for input in inputs { input.groupCodes[group].removeAll() }
        }
    }

    /// Writes the canonical key and returns the pane's slot.
    private func encodeKey(of group: Int, into key: inout [UInt8]) -> Int {
        key.removeAll(keepingCapacity: true)
        let words = UnsafeRawPointer(table.keys + group * table.wordCount)
        for (column, type) in layout.types.enumerated() {
            let place = words + layout.offsets[column]
            let code = place.loadUnaligned(as: UInt32.self)
            let isNull = type == .bytes || type == .boolean ? code == GroupKeyLayout.nullCode : code == 1
            key.append(isNull ? 0 : 1)
            if isNull { continue }
            switch type {
            case .boolean: key.append(UInt8(truncatingIfNeeded: code))
            case .int64, .double:
                let value = (place + 4).loadUnaligned(as: UInt64.self)
                withUnsafeBytes(of: value.littleEndian) { key.append(contentsOf: $0) }
            case .int128:
                let value = (place + 4).loadUnaligned(as: Int128.self)
                withUnsafeBytes(of: value.littleEndian) { key.append(contentsOf: $0) }
            case .bytes:
                let bytes = groupStrings[column][code]
                withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { key.append(contentsOf: $0) }
                key.append(contentsOf: bytes)
            }
        }
        return Int(words.loadUnaligned(as: Int32.self))
    }
}
