internal import DataPath
internal import Diagnostics
internal import PlatformModel
internal import PluginAPI

/// What becomes of records that `dlq replay` has sent. Each is looked at by itself: there are few.
extension Worker {
    /// A replayed record of the block.
    struct Replay {
        var entry: Int
        /// Its own offset; while it is counted, the block holds its original's.
        var offset: Int64
        var record: ReplayedRecord
    }

    /// The replayed records of the block, in their order. A mark that speaks of another partition is nobody's business
    /// here: the record counts like any other.
    func replays(of partition: PartitionState) -> [Replay] {
        var found: [Replay] = []
        for (index, entry) in block.entries.enumerated() where entry.headersLength > 0 {
            if let record = ReplayedRecord(entry, in: block), record.partition == partition.partition {
                found.append(Replay(entry: index, offset: entry.offset, record: record))
            }
        }
        return found
    }

    /// Counts a replayed record where its original was refused, and nowhere else.
    func countReplay(_ replay: Replay, _ partition: PartitionState) throws {
        let reading = partition.consumers.indices.filter { partition.consumers[$0].nextOffset <= replay.offset }
        let awaiting = reading.filter {
            partition.consumers[$0].refused.answer(replay.record.offset) != .counted
        }
        if !awaiting.isEmpty {
            // Event ids of messages that have none, and a new dead letter, are those of the original.
            block.entries[replay.entry].offset = replay.record.offset
            self.replay = replay
            defer {
                block.entries[replay.entry].offset = replay.offset
                self.replay = nil
            }
            try count(replay, awaiting, partition)
        }
        for position in reading { partition.consumers[position].nextOffset = replay.offset + 1 }
    }

    private func count(_ replay: Replay, _ awaiting: [Int], _ partition: PartitionState) throws {
        let range = replay.entry..<replay.entry + 1
        let input = shared.topology.inputs[partition.input]
        let decoder = decoders[partition.input]
        faults.removeAll(keepingCapacity: true)
        refused.removeAll(keepingCapacity: true)
        try decoder.decode(
            block, entries: range, of: partition.partition, bareSchema: partition.reader.writerSchema, faults: &faults)
        for fault in faults { report(fault, partition) }
        guard faults.isEmpty, case .int64(let times) = decoder.batch.columns[input.timestampColumn],
            rowsInTime(times, partition, range) == nil
        else { return }
        streams[partition.input].begin(decoder.batch, nil)
        for position in awaiting {
            let consumer = input.consumers[position]
            let source = source(of: consumer, decoder.batch, nil, partition, range)
            // A step fails on it still: the dead letter is on its way.
            guard source.failed.isEmpty else { continue }
            switch consumer {
            case .rawEvents:
                try sendRawEvents(decoder.batch, rows: nil, input: partition.input)
                partition.consumers[position].refused.remove(replay.record.offset)
            case .aggregation(let index, let inputPosition):
                try count(
                    replay, time: times.values[0], partition, position,
                    Target(index: index, input: inputPosition, source: source))
            case .stream(let stream):
                sendRows(of: stream, source, input: partition.input)
                partition.consumers[position].refused.remove(replay.record.offset)
            }
        }
    }

    private struct Target {
        var index: Int
        var input: Int
        var source: StreamSet.Source
    }

    private func count(
        _ replay: Replay, time: Int64, _ partition: PartitionState, _ position: Int, _ target: Target
    ) throws {
        let runner = runners[target.index]
        let consumer = partition.consumers[position]
        let judge = try ReplayJudge(runner.aggregation.spec)
        failedRows.removeAll(keepingCapacity: true)
        let isThere = target.source.rows?.count != 0
        let passes =
            try isThere
            && runner.passes(position: target.input, batch: target.source.batch, failedRows: &failedRows)
        guard failedRows.isEmpty else {
            return reportFailedRows(of: runner.aggregation, partition, replay.entry..<replay.entry + 1)
        }
        let answer = consumer.refused.answer(replay.record.offset)
        let start = clockStart(consumer, .aggregation(index: target.index, input: target.input))
        if let reason = recountReason(answer, judge, time: time, isCounted: passes, from: start) {
            let asker = RecountRequests.Asker(
                aggregation: target.index, partition: partition.partition, offset: replay.record.offset)
            switch shared.recounts.want(asker, reason, at: shared.host.clock.milliseconds) {
            case .willBeDone: return
            case .impossible(let isFirst):
                return countAsLate(replay, target.index, partition, isTold: isFirst)
            case .inVain:
                // The original is refused at its place still, such as one that came too early: its place is here. Whether
                // it is among those that were forgotten again is not known, so such a one is not counted.
                guard case .refused = answer else {
                    return countAsLate(replay, target.index, partition, isTold: false)
                }
            }
        }
        if passes {
            var times = time
            self.clock.run(&times, count: 1, rows: nil, from: start)
            do {
                countLate(
                    try runner.update(
                        position: target.input, batch: target.source.batch, eligible: nil, clock: self.clock,
                        failedRows: &failedRows), aggregation: target.index)
                keepLateRows(runner, partition, replay.entry..<replay.entry + 1)
            } catch let error as AggregationError {
                throw runner.aggregation.failure(error)
            }
        }
        partition.consumers[position].maxEventTime = max(start, time)
        partition.consumers[position].refused.remove(replay.record.offset)
    }

    /// Why the aggregation has to be counted anew for a record; nil when it can be counted here as at its original's place.
    ///
    /// - Parameters:
    ///   - isCounted: Whether it passes the aggregation's filter; if not, it only moves the clock.
    ///   - start: The consumer's clock.
    private func recountReason(
        _ answer: RefusedOffsets.Answer, _ judge: ReplayJudge, time: Int64, isCounted: Bool, from start: Int64
    ) -> RecountRequests.Reason? {
        guard case .refused(let clock) = answer else { return .clock }
        if judge.movesClock(time, past: clock) { return .clock }
        return isCounted && !judge.isOpen(time, at: start) ? .closedWindow : nil
    }

    /// The aggregation cannot be counted anew for the record, which is late therefore.
    ///
    /// - Parameter isTold: Whether to say that its topics no longer hold all that it counted.
    private func countAsLate(_ replay: Replay, _ index: Int, _ partition: PartitionState, isTold: Bool) {
        let aggregation = runners[index].aggregation
        countLate(1, aggregation: index)
        if aggregation.late == .sideOutput {
            lateRecords.add(
                LateWriter.record(
                    block.entries[replay.entry], of: block, partition: partition.partition, aggregation,
                    at: shared.host.clock.wallMilliseconds))
        }
        guard isTold else { return }
        shared.notify(
            "[\(DiagnosticCode.replayTooLate.id)] \(partition.partition.topic), partition "
                + "\(partition.partition.partition): a replayed record belongs to a window that aggregation "
                + "'\(aggregation.name)' has closed, and retention has deleted records that it "
                + "counted; the record is counted as late (further ones are only counted)")
    }

    /// A record of a batch that nobody can use, and where it stood among those that can be.
    struct LostRecord {
        var offset: Int64
        /// The next row that moves the clock; nil = there is none in the batch.
        var nextRow: Int?
    }

    /// The records of the batch that nobody can use, ascending.
    func refusedRecords(_ range: Range<Int>, eligible: Selection?) -> [LostRecord] {
        guard !refused.isEmpty else { return [] }
        let rows = entryOfRow(range)
        return refused.sorted().map { entry in
            let row = rows.firstIndex { $0 >= entry }
            var nextRow = row
            if let row, let eligible {
                nextRow = (0..<eligible.count).lazy.map { Int(eligible.rows[$0]) }.first { $0 >= row }
            }
            return LostRecord(offset: block.entries[entry].offset, nextRow: nextRow)
        }
    }

    /// Notes what a consumer has not counted of the batch that it has just read.
    ///
    /// - Parameter failed: Rows that it refused itself.
    func note(
        _ lost: [LostRecord], failed: [Int32], _ range: Range<Int>, _ partition: PartitionState,
        consumer position: Int
    ) {
        guard !lost.isEmpty || !failed.isEmpty else { return }
        let rows = entryOfRow(range)
        let all =
            lost.map { (offset: $0.offset, clock: $0.nextRow.map { clock.runningMax[$0] } ?? clock.highest) }
            + failed.map { (offset: block.entries[rows[Int($0)]].offset, clock: RefusedOffsets.timed) }
        for record in all.sorted(by: { $0.offset < $1.offset }) {
            partition.consumers[position].refused.add(record.offset, clock: record.clock)
        }
    }

    /// What a checkpoint keeps of the records that the partition's consumers have not counted.
    func refusedSections(_ partition: PartitionState) -> [Checkpoint.Section] {
        let input = shared.topology.inputs[partition.input]
        return zip(input.consumers, partition.consumers).map { consumer, state in
            state.refused.section(
                shared.topology.sectionName(consumer, of: input), fingerprint: shared.topology.fingerprint(consumer),
                partition.partition)
        }
    }
}
