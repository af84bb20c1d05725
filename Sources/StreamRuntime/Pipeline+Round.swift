internal import DataPath
internal import Diagnostics
internal import Foundation
internal import Logging
internal import Metrics
internal import PlatformModel
internal import PluginAPI
internal import Synchronization

/// One round of a run: from a checkpoint until the run should end or aggregations have to be counted anew.
extension Pipeline {
    /// Runs from the newest checkpoint that the sinks hold. Gives what has to be counted anew, from the checkpoint that it has
    /// saved; nil when there is nothing.
    ///
    /// - Parameter earlier: What the round before gave.
    func runOnce(
        _ store: CheckpointStore, _ lock: CheckpointStore.Lock, _ candidates: [Checkpoint], lowestEpoch: UInt64,
        after earlier: RecountRequests?
    ) throws -> RecountRequests? {
        let control = RunControl(workerCount: workerCount, ending: ending)
        let sinkQueue = BoundedQueue<SinkMessage>(capacity: 64, byteLimit: queueBytes) { $0.byteCount }
        let targets = makeTargets()
        let sinkThread = makeSinkThread(sinkQueue, targets.list, control)
        readiness.hold(SinkThread.component, "opening")
        guard let start = try openWhileRunning(sinkThread, candidates, epoch: lowestEpoch, control) else {
            throw leaving(lock, control)
        }
        let (checkpoint, epoch) = (start.checkpoint, start.epoch)
        let hashKey = checkpoint?.hashKey ?? HashKey.random()
        var sequence = checkpoint?.sequence ?? 0
        let (partitions, recounts) = try openPartitions(checkpoint, after: earlier)
        let shared = makeShared(sinkQueue, hashKey, epoch, targets, recounts, control)
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
            var beginning = checkpoint ?? Checkpoint(sequence: 0, epoch: epoch, hashKey: hashKey, sections: [])
            beginning.stores = start.stores
            try store.save(beginning, keepingPrevious: false)
        }
        readiness.release(Readiness.process)
        let breakers = (
            DeadLetterBreaker(parts.deadLetters, from: recordSample(at: Worker.now())),
            DeadLetterBreaker(parts.deadLetters, from: rowSample(at: Worker.now()))
        )
        let threads = startThreads(workers, sinkThread)
        noteStart()

        // Whether the newest checkpoint leaves aggregations out. It is never the one before another: whoever went back to it
        // would count them anew into tables that hold their rows already.
        var isIncomplete = checkpoint?.asksForRecounts ?? false
        func takeCheckpoint(_ kind: RunControl.BarrierKind) throws {
            let asked = Worker.nanoseconds()
            guard let (reports, stores) = try control.runBarrier(kind, check: checkStopTimeout) else { return }
            KillPoint.afterSink.pass()
            sequence += 1
            var checkpoint = makeCheckpoint(reports, sequence: sequence, hashKey: hashKey)
            checkpoint.epoch = epoch
            checkpoint.stores = stores
            let wanted = recounts.wanted
            leaveOut(wanted, of: &checkpoint)
            // One that still has the state of an aggregation whose table is to be cleared must not be gone on from, either.
            let stateBytes = checkpoint.sections.flatMap(\.files).reduce(0) { $0 + $1.length }
            let bytes =
                try store.save(checkpoint, keepingPrevious: wanted.isEmpty && !isIncomplete) + stateBytes
            isIncomplete = !wanted.isEmpty
            KillPoint.beforeOffsetCommit.pass()
            commitGroupOffsets(checkpoint)
            let taken = Int64(Worker.nanoseconds() - asked)
            metrics.checkpoints.increment()
            metrics.checkpointDuration.recordNanoseconds(taken)
            metrics.checkpointBytes.record(bytes)
            logger.debug(
                "checkpoint written",
                metadata: ["sequence": "\(sequence)", "bytes": "\(bytes)", "ms": "\(taken / 1_000_000)"])
            status.checkpoints.add(1, ordering: .relaxed)
        }

        var halted: PipelineError?
        do {
            halted = try supervise(shared, breakers: breakers) { try takeCheckpoint(.checkpoint) }
            // It ends as a run that is told to: within the stop timeout.
            if halted != nil { ending.begin() }
            readiness.hold(
                Readiness.process,
                "\(isHandingOver ? "reloading" : "draining"): what was read is being written")
            if !control.shouldAbandon {
                try takeCheckpoint(
                    .final(
                        closeWindows: options.closeWindows && !isHandingOver && recounts.wanted.isEmpty
                            && halted == nil))
            }
        } catch {
            control.fail(error)
        }
        sinkQueue.close()
        guard threads.allSatisfy({ ending.waits(for: $0) }) else { throw leaving(lock, control) }
        if let failure = control.failure ?? halted {
            deadLetterTally.tell(at: Worker.now(), isLast: true)
            logger.error(
                "run failed", metadata: ["code": "\((failure as? PipelineError)?.code.id ?? "none")"])
            throw failure
        }
        return recounts.wanted.isEmpty ? nil : recounts
    }

    /// Takes a checkpoint at every interval until the round should end; gives the reason when that is because too much of
    /// what it reads cannot be used.
    private func supervise(
        _ shared: Worker.Shared, breakers: (records: DeadLetterBreaker, rows: DeadLetterBreaker),
        checkpoint: () throws -> Void
    ) throws -> PipelineError? {
        let progress = shared.progress
        var lastCheckpoint = Worker.now()
        var lastShown = Int64.min / 2
        var (breaker, rowBreaker) = breakers
        while !shared.control.shouldAbandon, !shouldEnd {
            usleep(2000)
            status.lag.store(progress.reduce(0) { $0 + $1.lag }, ordering: .relaxed)
            let now = Worker.now()
            if now - lastShown >= 500 {
                lastShown = now
                metrics.show(watermarks: shared.watermarks.all)
                deadLetterTally.tell(at: now)
            }
            if let halted = breaker.verdict(recordSample(at: now)) { return halt(halted, of: "records") }
            if let halted = rowBreaker.verdict(rowSample(at: now)) { return halt(halted, of: "rows") }
            if shared.recounts.isDue(at: now) { return nil }
            if options.untilIdle, try isDrained(progress, shared.control) { break }
            if Worker.now() - lastCheckpoint >= parts.settings.checkpointIntervalMilliseconds {
                try checkpoint()
                lastCheckpoint = Worker.now()
            }
        }
        guard !shouldEnd else { return nil }
        let now = Worker.now()
        return breaker.verdict(recordSample(at: now)).map { halt($0, of: "records") }
            ?? rowBreaker.verdict(rowSample(at: now)).map { halt($0, of: "rows") }
    }

    /// Every worker has found all its partitions at their ends, and, on a second look, finds them so again.
    private func isDrained(_ progress: [WorkerProgress], _ control: RunControl) throws -> Bool {
        let first = status.eventsRead.load(ordering: .acquiring)
        let quiet = progress.map(\.quiet)
        guard quiet.allSatisfy({ $0 > 0 }) else { return false }
        while !control.shouldAbandon, !ending.hasBegun,
            zip(progress, quiet).contains(where: { $0.quiet <= $1 && $0.quiet > 0 })
        {
            usleep(1000)
        }
        return !ending.hasBegun && progress.allSatisfy { $0.quiet > 0 }
            && status.eventsRead.load(ordering: .acquiring) == first
    }
}
