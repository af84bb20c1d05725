internal import Diagnostics
internal import Logging
internal import PlatformModel
internal import PluginAPI

/// How a run becomes the writer of its tables, and where it goes on.
extension Pipeline {
    /// Where a run begins.
    struct Beginning: Sendable {
        /// Nil = from the earliest offsets.
        var checkpoint: Checkpoint?
        var epoch: UInt64
        /// What the sinks want to get back from now on.
        var stores: [Checkpoint.Store]
        /// The name under which the epoch was taken.
        var writer: String
    }

    /// Opens the sinks on a thread of its own: a server that does not answer must not hold up the end of the run. Nil when the
    /// run has to end first; the thread is inside a call then. After a failure no sink is open.
    ///
    /// - Parameter watch: Called several times a second meanwhile, with the milliseconds since the call.
    func openWhileRunning(
        _ sinks: SinkThread, watch: (Int64) -> Void = { _ in },
        _ open: @escaping @Sendable (SinkThread) throws -> Beginning
    ) throws -> Beginning? {
        let outcome = ThreadOutcome<Beginning>()
        let thread = RunThread(name: "open sinks", confining: sinks, isInline: !host.hasThreads) { sinks in
            outcome.set {
                do {
                    return try open(sinks)
                } catch {
                    sinks.letGo()
                    throw error
                }
            }
        }
        guard ending.waits(for: thread, watch) else { return nil }
        return try outcome.get()
    }

    /// Empties the tables that are counted anew, opens the sinks, takes an epoch above every one that they and the checkpoints have seen, and takes them back to the
    /// newest checkpoint whose rows all stores hold; nil = from the beginning.
    ///
    /// - Parameters:
    ///   - epoch: The lowest that will do.
    ///   - isOver: Whether the cluster has gone on without this process meanwhile.
    func open(
        _ sinks: SinkThread, _ candidates: [Checkpoint], epoch: UInt64, _ control: RunControl,
        isOver: OpeningWatch.Flag? = nil
    ) throws -> Beginning {
        let retrying = Retrying(component: "sinks", control: control)
        var candidates = candidates
        // Before the sinks are open: clearing takes epochs, and only a claim behind it is above them.
        if try beginRecounts(candidates.first, retrying) {
            // As after an `apply` that empties a table: the stores have forgotten what they hold of checkpoints.
            candidates[0].epoch = 0
        }
        try open(sinks, retrying)
        let claim = WriterClaim(
            domain: topology.domain, environment: parts.environment, writer: String(host.random(), radix: 16),
            epoch: epoch, tables: [])
        let standing = try take(claim, sinks, retrying, isOver)
        if parts.settings.cluster != nil, candidates.isEmpty, !options.fromEarliest,
            let (name, number) = standing.committed.first(where: { $0.value.sequence > 0 })
        {
            throw PipelineError(
                .checkpointStorage,
                "\(parts.checkpointFolder) holds no checkpoint, and the store of sink '\(name)' holds the rows of checkpoint "
                    + "\(number.sequence)",
                hint:
                    "runtime.checkpoint.path must be one folder that all processes of the cluster reach; --from-earliest "
                    + "counts everything anew", exitCode: 1)
        }
        let checkpoint = try newest(of: candidates, heldBy: standing.committed, sinks)
        let stores = try sinks.restore(
            checkpoint?.stores ?? [],
            after: CheckpointNumber(epoch: standing.epoch, sequence: checkpoint?.sequence ?? 0))
        logger.info("epoch taken", metadata: ["epoch": "\(standing.epoch)"])
        return Beginning(checkpoint: checkpoint, epoch: standing.epoch, stores: stores, writer: claim.writer)
    }

    /// Opens the sinks of a member that does not lead: under the epoch that the leader has taken.
    func join(
        _ sinks: SinkThread, _ plan: RoundPlan, _ checkpoint: Checkpoint?, _ control: RunControl,
        isOver: OpeningWatch.Flag
    ) throws -> Beginning {
        let retrying = Retrying(component: "sinks", control: control)
        try open(sinks, retrying)
        let claim = WriterClaim(
            domain: topology.domain, environment: parts.environment, writer: plan.writer, epoch: plan.epoch, tables: [])
        let standing = try take(claim, sinks, retrying, isOver)
        guard standing.epoch == plan.epoch else { throw RoundOver("another run has taken the tables over meanwhile") }
        let stores = try sinks.restore(
            checkpoint?.stores ?? [],
            after: CheckpointNumber(epoch: plan.epoch, sequence: checkpoint?.sequence ?? 0))
        return Beginning(checkpoint: checkpoint, epoch: plan.epoch, stores: stores, writer: plan.writer)
    }

    /// Takes an epoch in all stores. For a round that is over that would take it away from the one that goes on.
    private func take(
        _ claim: WriterClaim, _ sinks: SinkThread, _ retrying: Retrying, _ isOver: OpeningWatch.Flag?
    ) throws -> (epoch: UInt64, committed: [String: CheckpointNumber]) {
        func isLate() -> Bool { isOver?.isRaised == true }
        let standing = try sinks.claim(claim) { body in
            if isLate() { throw RoundOver("the cluster has gone on meanwhile") }
            return try retrying(until: { self.ending.hasBegun || isLate() }, body)
        }
        KillPoint.afterClaim.pass()
        return standing
    }

    /// At the start of the run a server that is not there is said at once; later rounds wait for it.
    private func open(_ sinks: SinkThread, _ retrying: Retrying) throws {
        try sinks.open { name in
            guard hasStarted else { return try parts.openSink(name) }
            return try retrying(until: { self.ending.hasBegun }) { try parts.openSink(name) }
        }
    }

    /// The newest checkpoint that no store is behind. A store can be behind after a backup of it was put back, or when the
    /// machine lost power and the store had not made its last commits durable.
    private func newest(
        of candidates: [Checkpoint], heldBy committed: [String: CheckpointNumber], _ sinks: SinkThread
    ) throws -> Checkpoint? {
        guard let newest = candidates.first else { return nil }
        for checkpoint in candidates {
            let behind = committed.filter { name, number in
                checkpoint.epoch > 0 && checkpoint.sequence > 0 && number < checkpoint.number
                    && sinks.tables(of: name).contains { checkpoint.counts(table: $0.name) }
            }
            guard let (name, number) = behind.min(by: { $0.value < $1.value }) else {
                if checkpoint.sequence < newest.sequence {
                    parts.notify(
                        "a store of results does not hold checkpoint \(newest.sequence); the run goes on from the one "
                            + "before, \(checkpoint.sequence)")
                }
                return checkpoint
            }
            guard checkpoint.sequence == candidates.last?.sequence else { continue }
            throw PipelineError(
                .storeBehindCheckpoint,
                "the store of sink '\(name)' holds the rows of checkpoint \(number.sequence) (epoch \(number.epoch)), and "
                    + "the run would go on from checkpoint \(newest.sequence) (epoch \(newest.epoch))",
                hint: "an older copy of the store was put back, or it lost commits with the machine's power: run with "
                    + "--from-earliest to count everything anew")
        }
        return nil
    }
}

extension Checkpoint {
    /// Whether rows of a table are counted as written.
    fileprivate func counts(table: String) -> Bool {
        sections.contains { $0.isOf(table: table) && !$0.positions.isEmpty }
    }
}
