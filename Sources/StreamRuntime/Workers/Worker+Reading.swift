internal import DataPath
internal import Diagnostics
internal import Logging
internal import Metrics
internal import PlatformModel
internal import PluginAPI
internal import Synchronization

/// Reading of partitions, and counting of what was read.
extension Worker {
    private static let fetchBytes = 1 << 20

    /// Reads one block of every partition; true if there was any record. It is left, and gone on with by the next call, when
    /// a barrier is asked for, or what was counted is to be handed over first or cannot be handed over.
    func readRound() throws -> Bool {
        while nextPartition < partitions.count {
            if shared.control.requestedBarrier.load(ordering: .relaxed) > reachedBarrier || !outbox.isEmpty || isFull {
                return true
            }
            let partition = partitions[nextPartition]
            nextPartition += 1
            switch try fetch(partition) {
            case .endOfPartition:
                partition.isAtEnd = true
                partition.lag = 0
            case .nothingYet:
                // Not idle and not drained: when no partition has records the round ends with a short wait.
                partition.isAtEnd = false
            case .records:
                partition.isAtEnd = false
                partition.lastRecordAt = shared.host.clock.milliseconds
                hasRead = true
                try count(partition)
                try takeInbox()
            }
        }
        shared.progress[index - shared.settings.ownWorkers.lowerBound].publish(
            isAtEnd: !hasRead && partitions.allSatisfy(\.isAtEnd), lag: partitions.reduce(0) { $0 + $1.lag })
        defer { (nextPartition, hasRead) = (0, false) }
        return hasRead
    }

    /// Reads the next block. A partition whose next records retention has deleted goes on at its earliest record, aloud.
    private func fetch(_ partition: PartitionState) throws -> FetchResult {
        do {
            return try partition.reader.fetch(into: block, maxBytes: Self.fetchBytes)
        } catch let error as OffsetOutOfRangeError where error.position < error.earliest {
            shared.notify(
                "\(partition.partition.topic), partition \(partition.partition.partition): offsets \(error.position) to "
                    + "\(error.earliest - 1) were deleted by retention before they were counted")
            try partition.reader.close()
            partition.reader = try shared.broker.makeReader(partition.partition, at: error.earliest)
            return try partition.reader.fetch(into: block, maxBytes: Self.fetchBytes)
        }
    }

    /// Counts the records of the fetched block.
    private func count(_ partition: PartitionState) throws {
        var replays = replays(of: partition)[...]
        let entries = block.entries
        var start = 0
        while start < entries.count {
            if let next = replays.first, next.entry == start {
                try countReplay(next, partition)
                replays.removeFirst()
                start += 1
                continue
            }
            var end = min(start + shared.settings.batchRows, replays.first?.entry ?? entries.count)
            // A batch lies wholly before or wholly behind the place where a consumer begins.
            for consumer in partition.consumers where consumer.nextOffset > entries[start].offset {
                while end > start + 1, entries[end - 1].offset >= consumer.nextOffset { end -= 1 }
            }
            let begin = MachineClock.nanoseconds()
            try countBatch(partition, start..<end)
            if deadLetters.isFull { try deadLetters.flush() }
            if lateRecords.isFull { try lateRecords.flush() }
            shared.metrics.batchDuration.recordNanoseconds(Int64(MachineClock.nanoseconds() - begin))
            shared.metrics.batchRows.record(end - start)
            shared.metrics.batches.increment()
            start = end
        }
        shared.status.eventsRead.add(entries.count, ordering: .relaxed)
        shared.metrics.eventsRead[partition.input].increment(by: entries.count)
        logger.debug(
            "fetched",
            metadata: [
                "topic": "\(partition.partition.topic)", "partition": "\(partition.partition.partition)",
                "records": "\(entries.count)", "bytes": "\(block.byteCount)",
            ])
    }

    private func countBatch(_ partition: PartitionState, _ range: Range<Int>) throws {
        let input = shared.topology.inputs[partition.input]
        let decoder = decoders[partition.input]
        let firstOffset = block.entries[range.lowerBound].offset
        let nextOffset = block.entries[range.upperBound - 1].offset + 1
        faults.removeAll(keepingCapacity: true)
        refused.removeAll(keepingCapacity: true)
        try decoder.decode(
            block, entries: range, of: partition.partition, bareSchema: partition.reader.writerSchema, faults: &faults)
        KillPoint.afterDecode.pass()
        for fault in faults { report(fault, partition) }
        let batch = decoder.batch
        guard case .int64(let times) = batch.columns[input.timestampColumn] else { return }
        let eligible = rowsInTime(times, partition, range)
        let lost = refusedRecords(range, eligible: eligible)
        streams[partition.input].begin(batch, eligible)
        rowsWithLetter.removeAll(keepingCapacity: true)
        var lastStart: Int64?
        for (position, consumer) in input.consumers.enumerated() {
            guard partition.consumers[position].nextOffset <= firstOffset || shared.host.fault == .duplicateCounted
            else { continue }
            let start = clockStart(partition.consumers[position], consumer)
            // Consumers that began together share one pass.
            if lastStart != start {
                clock.run(UnsafePointer(times.values), count: batch.rowCount, rows: eligible, from: start)
                lastStart = start
            }
            switch consumer {
            case .aggregation(let index, let inputPosition):
                let runner = runners[index]
                failedRows.removeAll(keepingCapacity: true)
                let source = source(of: consumer, batch, eligible, partition, range)
                do {
                    let late = try runner.update(
                        position: inputPosition, batch: source.batch, eligible: source.rows, clock: clock,
                        failedRows: &failedRows)
                    countLate(late, aggregation: index)
                    keepLateRows(runner, partition, range)
                } catch let error as AggregationError {
                    throw runner.aggregation.failure(error)
                }
                if !failedRows.isEmpty { reportFailedRows(of: runner.aggregation, partition, range) }
                note(lost, failed: failedRows + source.failed, range, partition, consumer: position)
            case .rawEvents:
                try sendRawEvents(batch, rows: eligible, input: partition.input)
                note(lost, failed: [], range, partition, consumer: position)
            case .stream(let stream):
                let source = source(of: consumer, batch, eligible, partition, range)
                sendRows(of: stream, source, input: partition.input)
                note(lost, failed: source.failed, range, partition, consumer: position)
            }
            partition.consumers[position].nextOffset = nextOffset
            partition.consumers[position].maxEventTime = clock.highest
        }
        shared.status.badRecords.add(rowsWithLetter.count, ordering: .relaxed)
        KillPoint.afterState.pass()
    }

    /// Where a consumer's clock stands: at its highest event time, or, in a partition that was left out as idle, where the
    /// others have moved the watermark meanwhile, so that what comes for closed windows is counted as late.
    func clockStart(_ position: PartitionState.ConsumerPosition, _ consumer: Topology.Consumer) -> Int64 {
        guard case .aggregation(let index, _) = consumer else { return position.maxEventTime }
        let published = shared.watermarks.all[index]
        guard published != .min else { return position.maxEventTime }
        return max(position.maxEventTime, published + runners[index].aggregation.spec.watermarkDelayMilliseconds)
    }

    /// Hands a copy of the batch to the sink: the decoder's own batch is used again.
    func sendRawEvents(_ batch: RecordBatch, rows: Selection?, input: Int) throws {
        guard let target = shared.settings.rawTargets[input] else { return }
        // Without the event type's name, which comes last and is no column of the table.
        let width = shared.topology.inputs[input].eventType.columns.count
        let stored = RecordBatch(
            schema: BatchSchema(Array(batch.schema.columns.prefix(width))), columns: Array(batch.columns.prefix(width)),
            rowCount: batch.rowCount)
        let copy = RecordBatch(schema: stored.schema, capacity: batch.rowCount)
        copy.append(stored, rows: rows.map { UnsafeBufferPointer(start: UnsafePointer($0.rows), count: $0.count) })
        if copy.rowCount > 0 { send(.rows(table: target, copy)) }
    }
}
