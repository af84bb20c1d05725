internal import Diagnostics
internal import Logging
internal import PlatformModel
internal import PluginAPI
internal import Synchronization

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
    /// run has to end first; the thread is inside a call then.
    func openWhileRunning(
        _ sinks: SinkThread, _ open: @escaping @Sendable (SinkThread) throws -> Beginning
    ) throws -> Beginning? {
        let outcome = Outcome()
        let thread = RunThread(name: "open sinks", confining: sinks, isInline: !host.hasThreads) { sinks in
            let result = Result { try open(sinks) }
            outcome.value.withLock { $0 = result }
        }
        guard ending.waits(for: thread) else { return nil }
        return try outcome.value.withLock { $0 }?.get()
    }

    private final class Outcome: Sendable {
        let value = Mutex<Result<Beginning, any Error>?>(nil)
    }

    /// Empties the tables that are counted anew, opens the sinks, takes an epoch above every one that they and the checkpoints have seen, and takes them back to the
    /// newest checkpoint whose rows all stores hold; nil = from the beginning.
    ///
    /// - Parameter epoch: The lowest that will do.
    func open(
        _ sinks: SinkThread, _ candidates: [Checkpoint], epoch: UInt64, _ control: RunControl
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
        let standing = try sinks.claim(claim) { body in
            try retrying(until: { self.ending.hasBegun }, body)
        }
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
    func join(_ sinks: SinkThread, _ plan: RoundPlan, _ checkpoint: Checkpoint?, _ control: RunControl) throws
        -> Beginning
    {
        let retrying = Retrying(component: "sinks", control: control)
        try open(sinks, retrying)
        let claim = WriterClaim(
            domain: topology.domain, environment: parts.environment, writer: plan.writer, epoch: plan.epoch, tables: [])
        let standing = try sinks.claim(claim) { body in
            try retrying(until: { self.ending.hasBegun }, body)
        }
        guard standing.epoch == plan.epoch else { throw RoundOver("another run has taken the tables over meanwhile") }
        let stores = try sinks.restore(
            checkpoint?.stores ?? [],
            after: CheckpointNumber(epoch: plan.epoch, sequence: checkpoint?.sequence ?? 0))
        return Beginning(checkpoint: checkpoint, epoch: plan.epoch, stores: stores, writer: plan.writer)
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
        sections.contains { ($0.name == table || $0.name == "raw:\(table)") && !$0.positions.isEmpty }
    }
}
