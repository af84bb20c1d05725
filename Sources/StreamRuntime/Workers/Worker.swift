internal import DataPath
internal import Diagnostics
internal import Foundation
internal import Logging
internal import Metrics
internal import PlatformModel
internal import PluginAPI
internal import Synchronization

/// One worker: it owns partitions, local aggregates, one shard of the groups, and its C handles. Threads: its own.
///
/// Its round: take what other workers sent to the shard; read, decode and count one block of each partition; at every
/// flush interval hand the deltas to the shards and emit what is due. See docs/runtime.md.
final class Worker {
    /// What the workers of a run share.
    struct Shared: Sendable {
        var topology: Topology
        var settings: Settings
        var broker: any Broker
        var schemas: any SchemaRegistry
        var hashKey: HashKey
        var memory: MemoryBudget
        var inboxes: [BoundedQueue<ShardMessage>]
        var sinkQueue: BoundedQueue<SinkMessage>
        var control: RunControl
        var status: PipelineStatus
        var progress: [WorkerProgress]
        var watermarks: PublishedWatermarks
        var metrics: RunMetrics
        var deadLetterTally: DeadLetterTally
        var recounts: RecountRequests
        var notify: @Sendable (String) -> Void
    }

    struct Settings: Sendable {
        var workerCount: Int
        var batchRows: Int
        var flushIntervalMilliseconds: Int64
        var idleTimeoutMilliseconds: Int64
        var maxFutureSkewMilliseconds: Int64
        var deadLetterTopic: String
        var lateTopic: String
        /// Where the workers write their state, and the epoch that tells this run's files from others.
        var checkpointFolder: String
        var epoch: UInt64
        /// Per aggregation.
        var emission: [EmissionMode]
        /// The position of an input's raw table among the sink's targets.
        var rawTargets: [Int: Int]
    }

    let index: Int
    let shared: Shared
    let partitions: [PartitionState]
    let runners: [AggregationRunner]
    let shard: Shard
    let decoders: [RecordDecoder]
    let deadLetters: DeadLetterWriter
    let lateRecords: LateWriter
    let dictionary: StringDictionary
    /// Per input the columns that are decoded.
    let decodedColumns: [Set<String>]
    let block = RecordBlock(byteCapacity: 1 << 20)
    let clock = EventClock()
    let inTime = Selection()
    var faults: [RecordDecoder.Fault] = []
    var failedRows: [Int32] = []
    /// Entries of the batch that are of no use to anybody.
    var refused: [Int] = []
    /// The replayed record that is being counted.
    var replay: Replay?
    private var lastFlush: Int64 = 0
    private var reachedBarrier = 0
    private let logger = Logger(label: "runtime")
    private var shardGauges: ShardGauges

    private static let fetchBytes = 1 << 20
    /// Local groups that are handed over even before the flush interval: beyond it the local table outgrows the caches.
    private static let localGroupLimit = 1 << 18
    /// Strings that the dictionary may hold before it is emptied, at a moment when no code of it is in use.
    private static let dictionaryLimit = 1 << 20
    private static let dictionaryByteLimit = 1 << 26

    init(index: Int, shared: Shared, partitions: [PartitionState], checkpoint: Checkpoint?) throws {
        self.index = index
        self.shared = shared
        self.partitions = partitions
        let topology = shared.topology
        let dictionary = StringDictionary()
        self.dictionary = dictionary
        runners = try topology.aggregations.enumerated().map { index, aggregation in
            try AggregationRunner(
                aggregation, hashKey: shared.hashKey, account: shared.memory.account(of: index))
        }
        for input in topology.inputs {
            for case .aggregation(let aggregation, let position) in input.consumers {
                try runners[aggregation].bind(position: position, schema: input.schema)
            }
        }
        decoders = try topology.inputs.map { input in
            try RecordDecoder(
                input: input, schemas: shared.schemas,
                retrying: Retrying(component: "schema registry", control: shared.control), hashKey: shared.hashKey,
                dictionary: dictionary,
                capacity: shared.settings.batchRows)
        }
        decodedColumns = topology.inputs.map { Set($0.schema.columns.map(\.name)) }
        shard = try Shard(
            aggregations: topology.aggregations, emission: shared.settings.emission,
            schemas: topology.tables.map { BatchSchema($0.columns) }, hashKey: shared.hashKey,
            workerCount: shared.settings.workerCount, memory: shared.memory)
        shardGauges = ShardGauges(topology.aggregations, worker: index)
        if let checkpoint {
            do {
                try shard.restore(
                    checkpoint, in: shared.settings.checkpointFolder, index: index,
                    count: shared.settings.workerCount)
            } catch let error as PipelineError where error.code == .memoryLimit {
                throw error
            } catch var error as PipelineError {
                error.message = "the checkpoint's state cannot be used: \(error.message)"
                error.hint = "run with --from-earliest to count everything anew"
                throw error
            }
            shared.watermarks.raise(shard.reachedWatermarks)
        }
        deadLetters = DeadLetterWriter(
            topic: shared.settings.deadLetterTopic, broker: shared.broker, status: shared.status,
            tally: shared.deadLetterTally,
            retrying: Retrying(component: "dead letters", control: shared.control))
        lateRecords = LateWriter(
            topic: shared.settings.lateTopic, broker: shared.broker, status: shared.status,
            retrying: Retrying(component: "late records", control: shared.control))
    }

    /// Monotonic milliseconds.
    static func now() -> Int64 { Int64(nanoseconds() / 1_000_000) }

    /// Monotonic nanoseconds.
    static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Works until the last barrier or until the run is abandoned.
    func run() {
        do {
            lastFlush = Worker.now()
            while !shared.control.shouldAbandon {
                if shared.control.requestedBarrier.load(ordering: .acquiring) > reachedBarrier {
                    guard try passBarrier() else { break }
                    continue
                }
                try takeInbox()
                let hasRead = try readRound()
                try flushIfDue()
                if !hasRead, let message = shared.inboxes[index].pop(waitingMilliseconds: 5) { try shard.take(message) }
            }
            for partition in partitions { try partition.reader.close() }
            // A broker that is away would hold up the end of a run that failed.
            if shared.control.shouldAbandon {
                deadLetters.abandon()
                lateRecords.abandon()
            } else {
                try deadLetters.close()
                try lateRecords.close()
            }
        } catch {
            shared.control.fail(error)
        }
    }

    // MARK: Reading.

    /// Reads one block of every partition; true if there was any record.
    private func readRound() throws -> Bool {
        var hasRead = false
        for partition in partitions {
            if shared.control.requestedBarrier.load(ordering: .relaxed) > reachedBarrier { return true }
            switch try fetch(partition) {
            case .endOfPartition:
                partition.isAtEnd = true
                partition.lag = 0
            case .nothingYet:
                // Not idle and not drained: when no partition has records the round ends with a short wait.
                partition.isAtEnd = false
            case .records:
                partition.isAtEnd = false
                partition.lastRecordAt = Worker.now()
                hasRead = true
                try count(partition)
                try takeInbox()
            }
        }
        shared.progress[index].publish(
            isAtEnd: !hasRead && partitions.allSatisfy(\.isAtEnd), lag: partitions.reduce(0) { $0 + $1.lag })
        return hasRead
    }

    /// Reads the next block. A partition whose next records retention has deleted goes on at its earliest record, aloud.
    private func fetch(_ partition: PartitionState) throws -> FetchResult {
        do {
            return try partition.reader.fetch(into: block, maxBytes: Worker.fetchBytes)
        } catch let error as OffsetOutOfRangeError where error.position < error.earliest {
            shared.notify(
                "\(partition.partition.topic), partition \(partition.partition.partition): offsets \(error.position) to "
                    + "\(error.earliest - 1) were deleted by retention before they were counted")
            try partition.reader.close()
            partition.reader = try shared.broker.makeReader(partition.partition, at: error.earliest)
            return try partition.reader.fetch(into: block, maxBytes: Worker.fetchBytes)
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
            let begin = Worker.nanoseconds()
            try countBatch(partition, start..<end)
            if deadLetters.isFull { try deadLetters.flush() }
            if lateRecords.isFull { try lateRecords.flush() }
            shared.metrics.batchDuration.recordNanoseconds(Int64(Worker.nanoseconds() - begin))
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
        try decoder.decode(block, entries: range, of: partition.partition, faults: &faults)
        KillPoint.afterDecode.pass()
        for fault in faults { report(fault, partition) }
        let batch = decoder.batch
        guard case .int64(let times) = batch.columns[input.timestampColumn] else { return }
        let eligible = rowsInTime(times, partition, range)
        let lost = refusedRecords(range, eligible: eligible)
        var failed: Set<Int32> = []
        var lastStart: Int64?
        for (position, consumer) in input.consumers.enumerated() {
            guard partition.consumers[position].nextOffset <= firstOffset else { continue }
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
                do {
                    let late = try runner.update(
                        position: inputPosition, batch: batch, eligible: eligible, clock: clock,
                        failedRows: &failedRows)
                    countLate(late, aggregation: index)
                    keepLateRows(runner, partition, range)
                } catch let error as AggregationError {
                    throw runner.aggregation.failure(error)
                }
                if !failedRows.isEmpty { reportFailedRows(of: runner.aggregation, partition, range) }
                failed.formUnion(failedRows)
                note(lost, failed: failedRows, range, partition, consumer: position)
            case .rawEvents:
                try sendRawEvents(batch, rows: eligible, input: partition.input)
                note(lost, failed: [], range, partition, consumer: position)
            }
            partition.consumers[position].nextOffset = nextOffset
            partition.consumers[position].maxEventTime = clock.highest
        }
        shared.status.badRecords.add(failed.count, ordering: .relaxed)
        KillPoint.afterState.pass()
        if runners.contains(where: { $0.local.groupCount > Worker.localGroupLimit }) { try flush() }
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
        if copy.rowCount > 0 { _ = shared.sinkQueue.push(.rows(table: target, copy)) }
    }

    // MARK: Handing over.

    private func flushIfDue() throws {
        let now = Worker.now()
        guard now - lastFlush >= shared.settings.flushIntervalMilliseconds else { return }
        try flush()
        let published = shared.watermarks.all
        try takeInbox()
        try emit(at: published)
        if index == 0 { shared.watermarks.raise(shard.combinedWatermarks) }
        for partition in partitions where !partition.isAtEnd {
            if let end = try partition.reader.knownEnd {
                partition.lag = Int(clamping: end - partition.reader.position)
            }
        }
        for partition in partitions { partition.lagGauge.record(partition.lag) }
        shardGauges.show(shard, at: now)
    }

    /// Sends the local deltas to their shards, then the watermarks that cover them.
    private func flush() throws {
        lastFlush = Worker.now()
        try deadLetters.flush()
        try lateRecords.flush()
        for (aggregation, runner) in runners.enumerated() {
            do {
                for (target, batch) in try runner.local.extract(shardCount: shared.settings.workerCount).enumerated() {
                    if let batch { try send(.partial(aggregation: aggregation, batch), to: target) }
                }
            } catch let error as AggregationError {
                throw runner.aggregation.failure(error)
            }
        }
        // No local group refers to a code any more.
        if dictionary.count > Worker.dictionaryLimit || dictionary.byteCount > Worker.dictionaryByteLimit {
            dictionary.removeAll()
        }
        let reports = watermarkReports(at: lastFlush)
        for target in shared.inboxes.indices { try send(.watermarks(worker: index, reports), to: target) }
    }

    private func watermarkReports(at now: Int64) -> [WatermarkReport] {
        var reports = [WatermarkReport](repeating: WatermarkReport(), count: runners.count)
        for partition in partitions {
            let isIdle = partition.isIdle(now: now, timeout: shared.settings.idleTimeoutMilliseconds)
            for (position, consumer) in shared.topology.inputs[partition.input].consumers.enumerated() {
                guard case .aggregation(let aggregation, _) = consumer else { continue }
                let highest = partition.consumers[position].maxEventTime
                reports[aggregation].add(
                    maxEventTime: highest,
                    delay: runners[aggregation].aggregation.spec.watermarkDelayMilliseconds,
                    isIdle: isIdle)
            }
        }
        return reports
    }

    /// A full inbox is waited for; meanwhile the own one is emptied, so that two workers never wait for each other.
    private func send(_ message: ShardMessage, to target: Int) throws {
        if target == index { return try shard.take(message) }
        while !shared.inboxes[target].tryPush(message) {
            if shared.control.shouldAbandon { return }
            if let mine = shared.inboxes[index].pop(waitingMilliseconds: 1) { try shard.take(mine) }
        }
    }

    private func takeInbox() throws {
        while let message = shared.inboxes[index].pop(waitingMilliseconds: 0) { try shard.take(message) }
    }

    private func emit(at published: [Int64]) throws {
        try shard.emit(at: published) { self.shared.sinkQueue.push(.rows(table: $0, $1)) }
        takeLate()
        if let watermark = shard.watermark { shared.status.watermark.store(watermark, ordering: .relaxed) }
    }

    // MARK: Barriers.

    /// Takes part in the barrier that was asked for; false after the last one.
    private func passBarrier() throws -> Bool {
        guard let barrier = shared.control.currentBarrier else { return true }
        reachedBarrier = barrier.number
        var isFinal = false
        var closesWindows = false
        if case .final(let closeWindows) = barrier.kind { (isFinal, closesWindows) = (true, closeWindows) }
        try flush()
        for target in shared.inboxes.indices { try send(.barrier(worker: index, number: barrier.number), to: target) }
        while !shard.hasBarrier(from: shared.settings.workerCount) {
            if shared.control.shouldAbandon { return false }
            if let message = shared.inboxes[index].pop(waitingMilliseconds: 10) { try shard.take(message) }
        }
        shard.clearBarrier()
        // Every shard has the same reports now, so all close the same windows and their states fit together.
        shared.watermarks.raise(shard.combinedWatermarks)
        try emit(at: shared.watermarks.all)
        if closesWindows { try shard.emitOpenWindows { self.shared.sinkQueue.push(.rows(table: $0, $1)) } }
        let positions = positions()
        _ = shared.sinkQueue.push(.barrier(barrier.number, positions))
        // What the shard found to be late is in its state no more.
        try lateRecords.flush()
        shared.control.report(
            RunControl.Report(positions: positions, state: try saveState(barrier.number), letters: reportedLetters()),
            worker: index)
        // Nobody goes on before all have reported: a message from after the barrier must not reach a shard before it.
        guard shared.control.waitForAllReports(of: barrier.number) else { return false }
        return !isFinal
    }

    private func saveState(_ barrier: Int) throws -> [StateFile] {
        try shard.save(
            to: shared.settings.checkpointFolder,
            name: StateFile.name(epoch: shared.settings.epoch, barrier: barrier, worker: index))
    }

    private func reportedLetters() -> [Checkpoint.Section] {
        partitions.flatMap { partition in
            let position = partition.consumers.map(\.nextOffset).min() ?? .min
            partition.reported = partition.reported.advanced(
                to: position, current: decodedColumns[partition.input])
            return [partition.reported.section(partition.partition)] + refusedSections(partition)
        }
    }

    private func positions() -> [RunControl.SectionPosition] {
        partitions.flatMap { partition in
            let input = shared.topology.inputs[partition.input]
            return input.consumers.enumerated().map { position, consumer in
                RunControl.SectionPosition(
                    section: shared.topology.sectionName(consumer, of: input),
                    position: Checkpoint.Position(
                        partition: partition.partition, nextOffset: partition.consumers[position].nextOffset,
                        maxEventTime: partition.consumers[position].maxEventTime))
            }
        }
    }
}
