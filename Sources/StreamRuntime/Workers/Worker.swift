internal import DataPath
internal import Diagnostics
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
        /// Of the workers of this process.
        var inboxes: [BoundedQueue<ShardMessage>]
        /// Where the inboxes of other processes are; nil when this one is alone.
        var exchange: Exchange.Place?
        var sinkQueue: BoundedQueue<SinkMessage>
        var control: RunControl
        var status: PipelineStatus
        var progress: [WorkerProgress]
        var watermarks: PublishedWatermarks
        var metrics: RunMetrics
        var deadLetterTally: DeadLetterTally
        var recounts: RecountRequests
        var host: RunHost
        var notify: @Sendable (String) -> Void

        /// Nil for a worker of another process.
        func inbox(of worker: Int) -> BoundedQueue<ShardMessage>? {
            settings.ownWorkers.contains(worker) ? inboxes[worker - settings.ownWorkers.lowerBound] : nil
        }
    }

    struct Settings: Sendable {
        /// Over all processes.
        var workerCount: Int
        /// Those of this process.
        var ownWorkers: Range<Int>
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
        /// The position of a stream's table among them.
        var streamTargets: [Int: Int]
    }

    let index: Int
    let shared: Shared
    let partitions: [PartitionState]
    let runners: [AggregationRunner]
    let shard: Shard
    let decoders: [RecordDecoder]
    /// Per input.
    let streams: [StreamSet]
    let deadLetters: DeadLetterWriter
    let lateRecords: LateWriter
    let exchange: Exchange?
    let dictionary: StringDictionary
    /// Per input the columns that are decoded.
    let decodedColumns: [Set<String>]
    let block = RecordBlock(byteCapacity: 1 << 20)
    let clock = EventClock()
    let inTime = Selection()
    var faults: [RecordDecoder.Fault] = []
    var failedRows: [Int32] = []
    /// Rows of the batch that steps or filters failed on, and of which this run has sent letters.
    var rowsWithLetter: Set<Int32> = []
    /// Entries of the batch that are of no use to anybody.
    var refused: [Int] = []
    /// The replayed record that is being counted.
    var replay: Replay?
    var lastFlush: Int64 = 0
    var reachedBarrier = 0
    var phase = Phase.counting
    var outbox = Outbox()
    /// The partition that the present round of reading goes on with, and whether it has read anything.
    private var nextPartition = 0
    private var hasRead = false
    private let logger: Logger
    var shardGauges: ShardGauges

    private static let fetchBytes = 1 << 20
    /// Local groups and distinct values that are handed over even before the flush interval.
    static let localEntryLimit = 1 << 16
    /// Strings that the dictionary may hold before it is emptied, at a moment when no code of it is in use.
    static let dictionaryLimit = 1 << 20
    static let dictionaryByteLimit = 1 << 26

    /// What it is about between two steps.
    enum Phase {
        case counting
        /// Everything from before the barrier was sent; what the others send is waited for.
        case gathering(RunControl.Barrier)
        /// What is due is emitted, and the barrier is on its way to the sink thread.
        case emitted(RunControl.Barrier)
        /// Its part of the checkpoint is given; the others' are waited for.
        case reported(RunControl.Barrier)
    }

    init(index: Int, shared: Shared, partitions: [PartitionState], checkpoint: Checkpoint?) throws {
        logger = shared.host.logger
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
        streams = try topology.inputs.map { try StreamSet(of: $0, in: topology) }
        for (input, streams) in zip(topology.inputs, streams) {
            for case .aggregation(let aggregation, let position) in input.consumers {
                let stream = topology.aggregations[aggregation].streams[position]
                try runners[aggregation].bind(
                    position: position, schema: stream.flatMap { streams[$0]?.output } ?? input.schema)
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
            workerCount: shared.settings.workerCount, memory: shared.memory, longestChain: shared.host.longestChain,
            fault: shared.host.fault)
        shardGauges = ShardGauges(topology.aggregations, worker: index)
        if let checkpoint {
            do {
                try shard.restore(
                    checkpoint, in: shared.settings.checkpointFolder, shared.host.files, index: index,
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
        exchange = shared.exchange.map { place in
            Exchange(
                place, worker: index, aggregations: topology.aggregations.count, broker: shared.broker,
                retrying: Retrying(component: "cluster", control: shared.control))
        }
        lastFlush = shared.host.clock.milliseconds
    }

    /// Works until the last barrier or until the run is abandoned.
    func run() {
        while true {
            switch step() {
            case .worked: continue
            case .waiting: wait()
            case .ended: return
            }
        }
    }

    /// One round: delivers what waits, takes the inbox, reads, counts, and flushes if that is due; or the next part of a
    /// barrier. Waits for no other part of the run.
    func step() -> StepProgress {
        shared.control.guarding {
            if shared.control.shouldAbandon { return try end() }
            guard try outbox.deliver(handOver) else {
                // The own inbox is emptied meanwhile, so that two workers never wait for each other.
                try takeInbox()
                return .waiting
            }
            // What waited in the outbox may have been for another process.
            try exchange?.flush()
            switch phase {
            case .counting:
                if shared.control.requestedBarrier.load(ordering: .acquiring) > reachedBarrier,
                    let barrier = shared.control.currentBarrier
                {
                    try begin(barrier)
                    return .worked
                }
                try takeInbox()
                let hasRead = try readRound()
                try flushIfDue()
                return hasRead ? .worked : .waiting
            case .gathering(let barrier):
                try takeInbox()
                guard shard.hasBarrier(from: shared.settings.workerCount) else { return .waiting }
                try emit(before: barrier)
                return .worked
            case .emitted(let barrier):
                // All is delivered: whoever goes on when all have reported cannot reach the sinks before the barrier.
                try report(barrier)
                return .worked
            case .reported(let barrier):
                // Nobody goes on before all have reported: a message from after the barrier must not reach a shard before it.
                guard shared.control.hasAllReports(of: barrier.number) else { return .waiting }
                if case .final = barrier.kind { return try end() }
                phase = .counting
                return .worked
            }
        }
    }

    /// Waits until a step may have something to do.
    private func wait() {
        var milliseconds = 5
        if !outbox.isEmpty {
            milliseconds = 1
        } else if case .reported(let barrier) = phase {
            return shared.control.waitForAllReports(of: barrier.number)
        }
        guard let message = shared.inbox(of: index)?.pop(waitingMilliseconds: milliseconds) else { return }
        _ = shared.control.guarding {
            try shard.take(message)
            return .worked
        }
    }

    private func end() throws -> StepProgress {
        for partition in partitions { try partition.reader.close() }
        // A broker that is away would hold up the end of a run that failed.
        if shared.control.shouldAbandon {
            deadLetters.abandon()
            lateRecords.abandon()
            exchange?.abandon()
        } else {
            try deadLetters.close()
            try lateRecords.close()
            try exchange?.close()
        }
        return .ended
    }

    // MARK: Reading.

    /// Reads one block of every partition; true if there was any record. It is left, and gone on with by the next call, when
    /// a barrier is asked for, or what was counted is to be handed over first or cannot be handed over.
    private func readRound() throws -> Bool {
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
