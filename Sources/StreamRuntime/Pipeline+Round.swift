internal import DataPath
internal import Diagnostics
internal import Logging
internal import PlatformModel
internal import PluginAPI

/// One round of a run: from a checkpoint until the run should end or aggregations have to be counted anew. Each part is for
/// one thread, or all of them are driven from one by their steps.
struct Round {
    var shared: Worker.Shared
    var workers: [Worker]
    var sinks: SinkThread
    var coordinator: Coordinator
    /// Of the round's threads.
    var ending: Ending
}

extension Pipeline {
    /// Runs from the newest checkpoint that the sinks hold. Gives what has to be counted anew, from the checkpoint that it has
    /// saved; nil when there is nothing.
    ///
    /// - Parameter earlier: What the round before gave.
    func runOnce(
        _ store: CheckpointStore, _ lock: CheckpointStore.Lock, _ candidates: [Checkpoint], lowestEpoch: UInt64,
        after earlier: RecountRequests?
    ) throws -> RecountRequests? {
        try run(try openRound(store, lock, candidates, lowestEpoch: lowestEpoch, after: earlier), lock)
    }

    /// Starts the threads of a round that this process coordinates, and waits for their end. As ``runOnce`` gives it.
    ///
    /// - Parameter cluster: As for ``openRound``.
    func run(
        _ round: Round, _ lock: CheckpointStore.Lock, cluster: ClusterLead? = nil
    ) throws -> RecountRequests? {
        let threads = startThreads(round.workers, round.sinks)
        noteStart()
        round.coordinator.run()
        if let failure = round.shared.control.failure { cluster?.giveUp(failure) }
        let haveEnded = threads.allSatisfy { thread in
            round.ending.waits(for: thread) { cluster?.noteSlowEnd(afterMilliseconds: $0) }
        }
        guard haveEnded else { throw leaving(lock, round.shared.control) }
        return try finish(round)
    }

    /// Opens everything that a round needs, and takes it to where it goes on.
    ///
    /// - Parameter cluster: The processes that share the round, of which this one leads; nil for a round of its own.
    func openRound(
        _ store: CheckpointStore, _ lock: CheckpointStore.Lock, _ candidates: [Checkpoint], lowestEpoch: UInt64,
        after earlier: RecountRequests?, cluster: ClusterLead? = nil
    ) throws -> Round {
        let total = cluster?.workerCount ?? workerCount
        // A round of a cluster can be over without the run.
        let roundEnding = cluster == nil ? ending : ending.part()
        let control = RunControl(workerCount: total, ending: roundEnding, host: host)
        let sinkQueue = makeSinkQueue()
        let targets = makeTargets()
        let sinks = makeSinkThread(sinkQueue, targets.list, control, workerCount: cluster?.ownCount ?? workerCount)
        sinks.marking = cluster == nil ? .withRows : .afterAll
        readiness.hold(SinkThread.component, "opening")
        let watch = cluster?.watchOpening(control)
        let isOver = watch?.isOver
        let opened = Result {
            try openWhileRunning(sinks, watch: { watch?.look(afterMilliseconds: $0) }) { [self] in
                try open($0, candidates, epoch: lowestEpoch, control, isOver: isOver)
            }
        }
        watch?.end()
        guard let start = try opening(opened, sinks, control) else { throw leaving(lock, control) }
        var isOpen = false
        defer { if !isOpen { sinks.letGo() } }
        let checkpoint = start.checkpoint
        let hashKey = checkpoint?.hashKey ?? host.hashKey()
        let topics = try partitionCounts()
        func noteBeginning() throws {
            guard checkpoint?.stores != start.stores || checkpoint == nil else { return }
            // Before the first row: what a sink holds after a crash that comes before the first checkpoint of this run can
            // be told from what it held before. Earlier checkpoints do not fit the sinks any more.
            var beginning = checkpoint ?? Checkpoint(sequence: 0, epoch: start.epoch, hashKey: hashKey, sections: [])
            beginning.stores = start.stores
            try store.save(beginning, keepingPrevious: false, isShared: cluster != nil)
        }
        var crew = Crew.alone(total)
        if let cluster {
            crew = try cluster.begin(start, candidates, hashKey, topics)
            try noteBeginning()
        }
        func workers() throws -> (shared: Worker.Shared, workers: [Worker]) {
            try makeWorkers(
                crew, control, sinkQueue, targets, topics, checkpoint, hashKey, epoch: start.epoch, after: earlier)
        }
        let (shared, workers) =
            try cluster == nil ? workers() : goingOn(from: candidates.first?.number, in: store, workers)
        if cluster == nil { try noteBeginning() }
        readiness.release(Readiness.process)
        isOpen = true
        return Round(
            shared: shared, workers: workers, sinks: sinks,
            coordinator: Coordinator(
                self, shared, store, from: checkpoint, epoch: start.epoch, leader: cluster?.leader),
            ending: roundEnding)
    }

    func makeSinkQueue() -> BoundedQueue<SinkMessage> {
        BoundedQueue(capacity: host.queueCapacity, byteLimit: queueBytes) { $0.byteCount }
    }

    /// The workers of this process, which go on from the checkpoint.
    ///
    /// - Parameter topics: See ``partitionCounts()``.
    func makeWorkers(
        _ crew: Crew, _ control: RunControl, _ sinkQueue: BoundedQueue<SinkMessage>,
        _ targets: Targets, _ topics: [String: Int], _ checkpoint: Checkpoint?,
        _ hashKey: HashKey, epoch: UInt64, after earlier: RecountRequests?
    ) throws -> (shared: Worker.Shared, workers: [Worker]) {
        let (partitions, recounts) = try openPartitions(crew, checkpoint, topics, after: earlier)
        let shared = makeShared(crew, sinkQueue, hashKey, epoch, targets, recounts, control)
        let workers = try zip(crew.own, partitions).map { index, partitions in
            try Worker(index: index, shared: shared, partitions: partitions, checkpoint: checkpoint)
        }
        logStart(partitions: partitions.reduce(0) { $0 + $1.count }, checkpoint: checkpoint?.sequence)
        return (shared, workers)
    }

    /// After the end of all parts: throws why the round failed, or gives what has to be counted anew.
    func finish(_ round: Round) throws -> RecountRequests? {
        if let failure = round.shared.control.failure ?? round.coordinator.halted {
            deadLetterTally.tell(at: host.clock.milliseconds, isLast: true)
            if failure is RoundOver { throw failure }
            logger.error(
                "run failed", metadata: ["code": "\((failure as? PipelineError)?.code.id ?? "none")"])
            throw failure
        }
        let recounts = round.shared.recounts
        return recounts.wanted.isEmpty ? nil : recounts
    }
}
