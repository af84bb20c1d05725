internal import DataPath
internal import Diagnostics
internal import Logging
internal import Metrics
internal import PlatformModel
internal import PluginAPI
internal import Synchronization

/// The part of a round that takes checkpoints at every interval, sees when the round should end, and ends it with a last
/// checkpoint. Threads: one.
final class Coordinator {
    private let pipeline: Pipeline
    private let shared: Worker.Shared
    private let store: CheckpointStore
    /// The other processes of the round; nil when there are none.
    private let leader: RoundLeader?
    private let epoch: UInt64
    private var sequence: UInt64
    private let hashKey: HashKey
    /// See ``Pipeline/others(in:)``.
    private let others: [Checkpoint.Section]
    /// Whether the newest checkpoint leaves aggregations out. It is never the one before another: whoever went back to it
    /// would count them anew into tables that hold their rows already.
    private var isIncomplete: Bool
    private var phase = Phase.watching
    private var lastCheckpoint: Int64
    private var lastShown = Int64.min / 2
    private var recordBreaker: DeadLetterBreaker
    private var rowBreaker: DeadLetterBreaker
    private var stillness: Stillness?
    private var warnedBarrier = 0
    private static let patienceNanoseconds: UInt64 = 10_000_000_000
    /// Everything has been read, and the round ends because of that.
    private(set) var isDrained = false
    /// Why the run ends though nobody asked it to: too much of what it reads cannot be used.
    private(set) var halted: PipelineError?

    private enum Phase {
        case watching
        case awaiting(barrier: Int, isFinal: Bool, askedNanoseconds: UInt64)
        case ended
    }

    /// All partitions were found at their ends; that counts when they are found so again.
    private struct Stillness {
        var eventsRead: Int
        /// By worker.
        var quiet: [Int]
    }

    /// - Parameter checkpoint: The one that the round goes on from.
    init(
        _ pipeline: Pipeline, _ shared: Worker.Shared, _ store: CheckpointStore, from checkpoint: Checkpoint?,
        epoch: UInt64, leader: RoundLeader? = nil
    ) {
        self.leader = leader
        self.pipeline = pipeline
        self.shared = shared
        self.store = store
        self.epoch = epoch
        sequence = checkpoint?.sequence ?? 0
        hashKey = shared.hashKey
        others = pipeline.others(in: checkpoint)
        isIncomplete = checkpoint?.asksForRecounts ?? false
        let now = shared.host.clock.milliseconds
        lastCheckpoint = now
        recordBreaker = DeadLetterBreaker(pipeline.parts.deadLetters, from: pipeline.recordSample(at: now))
        rowBreaker = DeadLetterBreaker(pipeline.parts.deadLetters, from: pipeline.rowSample(at: now))
    }

    /// Works until the round has ended.
    func run() {
        while step() != .ended {
            switch phase {
            case .awaiting(let barrier, _, _):
                shared.control.waitForBarrier(barrier, milliseconds: leader == nil ? 100 : 5)
            case .watching: shared.host.clock.sleep(milliseconds: 2)
            case .ended: break
            }
        }
    }

    /// Looks once at how the round is doing, or whether a barrier is complete. Waits for no other part of the run.
    func step() -> StepProgress {
        let progress = shared.control.guarding {
            if shared.control.shouldAbandon { return .ended }
            try leader?.poll(shared)
            switch phase {
            case .watching: return try watch()
            case .ended: return .ended
            case .awaiting(let barrier, let isFinal, let asked):
                try leader?.release(shared.control)
                guard let outcome = shared.control.outcome(ofBarrier: barrier) else {
                    try pipeline.checkStopTimeout()
                    warn(barrier, askedNanoseconds: asked)
                    return .waiting
                }
                try save(outcome, askedNanoseconds: asked)
                lastCheckpoint = shared.host.clock.milliseconds
                phase = .watching
                if isFinal { try leader?.end(isDrained: isDrained && shared.recounts.wanted.isEmpty) }
                return isFinal ? .ended : .worked
            }
        }
        if progress == .ended {
            phase = .ended
            // The sink thread ends when it has taken what is left.
            shared.sinkQueue.close()
        }
        return progress
    }

    /// Says once what a checkpoint waits for that takes unusually long.
    private func warn(_ barrier: Int, askedNanoseconds: UInt64) {
        guard warnedBarrier != barrier, MachineClock.nanoseconds() - askedNanoseconds > Self.patienceNanoseconds else {
            return
        }
        warnedBarrier = barrier
        var metadata: Logger.Metadata = ["waits_for": "\(shared.control.missing(at: barrier))"]
        if let leader { metadata["members"] = "\(leader.membersWithoutReport.joined(separator: ", "))" }
        pipeline.logger.warning("a checkpoint takes long", metadata: metadata)
    }

    private func watch() throws -> StepProgress {
        let now = shared.host.clock.milliseconds
        if shouldEnd(at: now) {
            // It ends as a run that is told to: within the stop timeout.
            if halted != nil { pipeline.ending.begin() }
            pipeline.readiness.hold(
                Readiness.process,
                "\(pipeline.isHandingOver ? "reloading" : "draining"): what was read is being written")
            let closesWindows =
                pipeline.options.closeWindows && !pipeline.isHandingOver && shared.recounts.wanted.isEmpty
                && halted == nil && (leader == nil || isDrained)
            try ask(.final(closeWindows: closesWindows), isFinal: true)
            return .worked
        }
        guard now - lastCheckpoint >= pipeline.parts.settings.checkpointIntervalMilliseconds else { return .waiting }
        try ask(.checkpoint, isFinal: false)
        return .worked
    }

    private func ask(_ kind: RunControl.BarrierKind, isFinal: Bool) throws {
        let asked = MachineClock.nanoseconds()
        let barrier = shared.control.requestBarrier(kind)
        try leader?.ask(kind, barrier)
        phase = .awaiting(barrier: barrier, isFinal: isFinal, askedNanoseconds: asked)
    }

    private func save(_ outcome: RunControl.Outcome, askedNanoseconds: UInt64) throws {
        KillPoint.afterSink.pass()
        sequence += 1
        var checkpoint = pipeline.makeCheckpoint(outcome.reports, sequence: sequence, hashKey: hashKey, others: others)
        checkpoint.epoch = epoch
        checkpoint.stores = outcome.stores
        let wanted = shared.recounts.wanted
        pipeline.leaveOut(wanted, of: &checkpoint)
        // One that still has the state of an aggregation whose table is to be cleared must not be gone on from, either.
        let bytes =
            try store.save(checkpoint, keepingPrevious: wanted.isEmpty && !isIncomplete, isShared: leader != nil)
            + checkpoint.writtenStateBytes
        isIncomplete = !wanted.isEmpty
        KillPoint.beforeOffsetCommit.pass()
        pipeline.commitGroupOffsets(checkpoint)
        let taken = Int64(MachineClock.nanoseconds() - askedNanoseconds)
        pipeline.metrics.checkpoints.increment()
        pipeline.metrics.checkpointDuration.recordNanoseconds(taken)
        pipeline.metrics.checkpointBytes.record(bytes)
        pipeline.logger.debug(
            "checkpoint written",
            metadata: ["sequence": "\(sequence)", "bytes": "\(bytes)", "ms": "\(taken / 1_000_000)"])
        pipeline.status.checkpoints.add(1, ordering: .relaxed)
    }

    /// Whether it is time for the last checkpoint; notes the reason in ``halted`` when that is because too much cannot be used.
    private func shouldEnd(at now: Int64) -> Bool {
        let others = leader?.progress
        pipeline.status.lag.store(shared.progress.reduce(others?.lag ?? 0) { $0 + $1.lag }, ordering: .relaxed)
        if now - lastShown >= 500 {
            lastShown = now
            pipeline.metrics.show(watermarks: shared.watermarks.all)
            pipeline.deadLetterTally.tell(at: now)
        }
        if pipeline.shouldEnd { return true }
        if shared.recounts.isDue(at: now) { return true }
        if isHalted(at: now) { return true }
        if leader?.isChangeWanted == true { return true }
        // Between the last look at the breakers and the end of the topics bad records may have come.
        guard pipeline.options.untilIdle, isStill() else { return false }
        _ = isHalted(at: now)
        isDrained = true
        return true
    }

    private func isHalted(at now: Int64) -> Bool {
        halted =
            recordBreaker.verdict(pipeline.recordSample(at: now)).map { pipeline.halt($0, of: "records") }
            ?? rowBreaker.verdict(pipeline.rowSample(at: now)).map { pipeline.halt($0, of: "rows") }
        return halted != nil
    }

    /// Every worker has found all its partitions at their ends, and, on a second look, finds them so again.
    private func isStill() -> Bool {
        var eventsRead = pipeline.status.eventsRead.load(ordering: .acquiring)
        var quiet = shared.progress.map(\.quiet)
        if let leader {
            guard let others = leader.progress else { return false }
            eventsRead += others.eventsRead
            quiet += others.quiet
        }
        guard quiet.allSatisfy({ $0 > 0 }) else {
            stillness = nil
            return false
        }
        guard let first = stillness else {
            stillness = Stillness(eventsRead: eventsRead, quiet: quiet)
            return false
        }
        guard !zip(quiet, first.quiet).contains(where: { $0 <= $1 }) else { return false }
        stillness = nil
        return eventsRead == first.eventsRead
    }
}
