internal import DataPath
internal import Diagnostics
internal import Logging
internal import PlatformModel
internal import PluginAPI

/// A run that shares its work with other processes; docs/decisions/0007.
extension Pipeline {
    /// Leads or takes part in one round after the other until the run is stopped or everything is read.
    func runInCluster(_ settings: ClusterSettings, _ store: CheckpointStore, _ lock: CheckpointStore.Lock) throws {
        // On a thread of its own: a broker that does not answer must not hold up the end of the run.
        let outcome = ThreadOutcome<Void>()
        let thread = RunThread(name: "cluster rounds", confining: (), isInline: !host.hasThreads) { [self] in
            outcome.set { try takePart(settings, store, lock) }
        }
        // Twice: what a round of it waits for is noticed there first, and said.
        guard ending.waits(for: thread) || ending.waits(for: thread) else { throw leaving(lock, nil) }
        _ = try outcome.get()
    }

    private func takePart(
        _ settings: ClusterSettings, _ store: CheckpointStore, _ lock: CheckpointStore.Lock
    ) throws {
        let topic = ClusterTopic.name(prefix: parts.topicPrefix, domain: topology.domain)
        guard try parts.broker.topics().contains(where: { $0.name == topic }) else { throw notApplied(topic: topic) }
        let ending = ending
        let session = try ClusterSession(
            topic: topic, settings: settings, workers: workerCount, configuration: clusterFingerprint,
            broker: parts.broker, host: host, isLeaving: { ending.hasBegun })
        session.start()
        defer { session.leave() }
        try ClusterRun(self, session, store, lock).run()
    }

    /// What members must have in common: all that decides about rows, and where they go.
    private var clusterFingerprint: String {
        let settings = parts.settings
        var lines = ["2", parts.environment, String(parts.checkpointFolder.split(separator: "/").last ?? "")]
        lines += [
            "\(settings.maxFutureSkewMilliseconds) \(settings.idleTimeoutMilliseconds)",
            "\(settings.cluster?.sessionTimeoutMilliseconds ?? 0) \(settings.cluster?.slots ?? 0)",
        ]
        for input in topology.inputs {
            let type = input.eventType
            lines.append("\(type.topic.name) \(type.format) \(type.rawEvents)")
            lines += type.columns.map { "\($0.name) \($0.type) \($0.isNullable)" }
        }
        for stream in topology.streams { lines.append("\(stream.name) \(stream.fingerprint) \(stream.sink ?? "")") }
        for aggregation in topology.aggregations {
            let spec = aggregation.spec
            lines.append(
                "\(aggregation.name) \(aggregation.fingerprint) \(aggregation.sink) \(aggregation.late) "
                    + "\(aggregation.emit.map { "\($0)" } ?? "") \(spec.watermarkDelayMilliseconds) "
                    + "\(spec.allowedLatenessMilliseconds)")
        }
        let text = lines.joined(separator: "\n")
        return String(Array(text.utf8).withUnsafeBytes { CRC32C.checksum($0) }, radix: 16)
    }

    /// A round that this process leads; gives what has to be counted anew.
    func runLeader(
        _ lead: ClusterLead, _ store: CheckpointStore, _ lock: CheckpointStore.Lock, fromEarliest: Bool,
        after earlier: RecountRequests?
    ) throws -> RecountRequests? {
        // Counting anew, one that cannot be read does no harm: the stores keep the epoch, too.
        let saved = fromEarliest ? (try? store.load()) ?? CheckpointStore.Saved() : try store.load()
        if !fromEarliest, let warning = saved.warning { parts.notify(warning) }
        let round = try openRound(
            store, lock, fromEarliest ? [] : saved.candidates, lowestEpoch: saved.highestEpoch + 1, after: earlier,
            cluster: lead)
        logRound(lead.number ?? 0, members: lead.memberCount, workers: lead.workerCount, role: "leader")
        return try run(round, lock, cluster: lead)
    }

    /// A round that another process leads.
    func runMember(
        _ session: ClusterSession, _ round: ClusterView.Round, _ share: RoundPlan.Share, _ store: CheckpointStore,
        _ lock: CheckpointStore.Lock, after earlier: RecountRequests?
    ) throws -> RecountRequests? {
        let plan = round.plan
        let roundEnding = ending.part()
        let control = RunControl(workerCount: share.workerCount, role: .member, ending: roundEnding, host: host)
        let sinkQueue = makeSinkQueue()
        let targets = makeTargets()
        let sinks = makeSinkThread(sinkQueue, targets.list, control, workerCount: share.workerCount)
        let checkpoint = try plan.checkpoint.map { try savedCheckpoint($0, in: store, session.settings) }
        let newest = newestCheckpoint(in: store)
        readiness.hold(SinkThread.component, "opening")
        let watch = OpeningWatch(session, control, round: round.number)
        let isOver = watch.isOver
        let opened = Result {
            try openWhileRunning(sinks, watch: watch.look) { [self] in
                try join($0, plan, checkpoint, control, isOver: isOver)
            }
        }
        watch.end()
        guard let start = try opening(opened, sinks, control) else { throw leaving(lock, control) }
        var isOpen = false
        defer { if !isOpen { sinks.letGo() } }
        let crew = Crew(
            total: plan.workerCount, own: share.workers, readers: plan.readers,
            exchange: Exchange.Place(topic: session.topic, round: round.number, inboxOffsets: plan.inboxOffsets))
        let (shared, workers) = try goingOn(from: newest, in: store) {
            try makeWorkers(
                crew, control, sinkQueue, targets, plan.partitions, start.checkpoint,
                HashKey(k0: plan.hashKey[0], k1: plan.hashKey[1]), epoch: plan.epoch, after: earlier)
        }
        readiness.release(Readiness.process)
        logRound(round.number, members: plan.shares.count, workers: plan.workerCount, role: "member")
        // From here on the sinks are those of their thread.
        isOpen = true
        let threads = startThreads(workers, sinks)
        noteStart()
        RoundMember(self, session, plan, number: round.number, shared).run()
        let haveEnded = threads.allSatisfy { roundEnding.waits(for: $0, session.noteSlowEnd) }
        guard haveEnded else { throw leaving(lock, control) }
        if let failure = control.failure { throw failure }
        return shared.recounts
    }

    /// Why a round is over says more than what the opening came to because of that. When it throws, no sink is open.
    func opening(
        _ result: Result<Beginning?, any Error>, _ sinks: SinkThread, _ control: RunControl
    ) throws -> Beginning? {
        if case .success(nil) = result { return nil }
        if let failure = control.failure {
            sinks.letGo()
            throw failure
        }
        return try result.get()
    }

    /// A shared file system may show what another machine has written somewhat later.
    private func savedCheckpoint(
        _ number: [UInt64], in store: CheckpointStore, _ settings: ClusterSettings
    ) throws -> Checkpoint {
        let limit = host.clock.milliseconds + settings.sessionTimeoutMilliseconds
        while true {
            let candidates = try store.load().candidates
            if let found = candidates.first(where: { [$0.epoch, $0.sequence] == number }) { return found }
            if let newest = candidates.first?.number,
                newest > CheckpointNumber(epoch: number.first ?? 0, sequence: number.last ?? 0)
            {
                throw RoundOver(Self.hasGoneOn)
            }
            if shouldEnd { throw RoundOver("the process is stopped") }
            guard host.clock.milliseconds < limit else {
                throw PipelineError(
                    .checkpointStorage, "\(store.folder) does not hold the checkpoint that the cluster goes on from",
                    hint: "runtime.checkpoint.path must be one folder that all processes of the cluster reach",
                    exitCode: 1)
            }
            host.clock.sleep(milliseconds: 100)
        }
    }

    private static let hasGoneOn = "the cluster has gone on to another checkpoint meanwhile"

    /// The number of the newest checkpoint on the disk; nil when there is none that can be read.
    func newestCheckpoint(in store: CheckpointStore) -> CheckpointNumber? {
        (try? store.load())?.candidates.first?.number
    }

    /// Reads state. What a process is to go on from may be replaced, and its files removed, by the others while it is
    /// paused: then that is the end of a round and not damage.
    ///
    /// - Parameter newest: ``newestCheckpoint(in:)`` before.
    func goingOn<Result>(
        from newest: CheckpointNumber?, in store: CheckpointStore, _ body: () throws -> Result
    ) throws -> Result {
        do {
            return try body()
        } catch let error as PipelineError
            where error.code == .checkpointUnreadable && newestCheckpoint(in: store) != newest
        {
            throw RoundOver(Self.hasGoneOn)
        }
    }

    private func logRound(_ number: Int64, members: Int, workers: Int, role: String) {
        logger.notice(
            "round begun",
            metadata: [
                "round": "\(number)", "members": "\(members)", "workers": "\(workers)", "role": "\(role)",
            ])
    }
}
