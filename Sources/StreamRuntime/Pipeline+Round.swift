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
        let round = try openRound(store, lock, candidates, lowestEpoch: lowestEpoch, after: earlier)
        let threads = startThreads(round.workers, round.sinks)
        noteStart()
        round.coordinator.run()
        guard threads.allSatisfy({ ending.waits(for: $0) }) else { throw leaving(lock, round.shared.control) }
        return try finish(round)
    }

    /// Opens everything that a round needs, and takes it to where it goes on.
    func openRound(
        _ store: CheckpointStore, _ lock: CheckpointStore.Lock, _ candidates: [Checkpoint], lowestEpoch: UInt64,
        after earlier: RecountRequests?
    ) throws -> Round {
        let control = RunControl(workerCount: workerCount, ending: ending, host: host)
        let sinkQueue = BoundedQueue<SinkMessage>(capacity: host.queueCapacity, byteLimit: queueBytes) { $0.byteCount }
        let targets = makeTargets()
        let sinks = makeSinkThread(sinkQueue, targets.list, control)
        readiness.hold(SinkThread.component, "opening")
        guard let start = try openWhileRunning(sinks, candidates, epoch: lowestEpoch, control) else {
            throw leaving(lock, control)
        }
        let checkpoint = start.checkpoint
        let hashKey = checkpoint?.hashKey ?? host.hashKey()
        let (partitions, recounts) = try openPartitions(checkpoint, after: earlier)
        let shared = makeShared(sinkQueue, hashKey, start.epoch, targets, recounts, control)
        let workers = try (0..<workerCount).map { index in
            try Worker(
                index: index, shared: shared,
                partitions: partitions.enumerated().filter { $0.offset % workerCount == index }.map(\.element),
                checkpoint: checkpoint)
        }
        logStart(partitions: partitions.count, checkpoint: checkpoint?.sequence)
        if checkpoint?.stores != start.stores || checkpoint == nil {
            // Before the first row: what a sink holds after a crash that comes before the first checkpoint of this run can
            // be told from what it held before. Earlier checkpoints do not fit the sinks any more.
            var beginning = checkpoint ?? Checkpoint(sequence: 0, epoch: start.epoch, hashKey: hashKey, sections: [])
            beginning.stores = start.stores
            try store.save(beginning, keepingPrevious: false)
        }
        readiness.release(Readiness.process)
        return Round(
            shared: shared, workers: workers, sinks: sinks,
            coordinator: Coordinator(self, shared, store, from: checkpoint, epoch: start.epoch))
    }

    /// After the end of all parts: throws why the round failed, or gives what has to be counted anew.
    func finish(_ round: Round) throws -> RecountRequests? {
        if let failure = round.shared.control.failure ?? round.coordinator.halted {
            deadLetterTally.tell(at: host.clock.milliseconds, isLast: true)
            logger.error(
                "run failed", metadata: ["code": "\((failure as? PipelineError)?.code.id ?? "none")"])
            throw failure
        }
        let recounts = round.shared.recounts
        return recounts.wanted.isEmpty ? nil : recounts
    }
}
