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
    var nextPartition = 0
    var hasRead = false
    let logger: Logger
    var shardGauges: ShardGauges

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
}
