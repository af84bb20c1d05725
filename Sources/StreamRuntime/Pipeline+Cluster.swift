internal import DataPath
internal import Diagnostics
internal import Logging
internal import PlatformModel
internal import PluginAPI

/// A run that shares its work with other processes; docs/decisions/0007.
extension Pipeline {
    /// Leads or takes part in one round after the other until the run is stopped or everything is read.
    func runInCluster(_ settings: ClusterSettings, _ store: CheckpointStore, _ lock: CheckpointStore.Lock) throws {
        let topic = ClusterTopic.name(prefix: parts.topicPrefix, domain: topology.domain)
        guard try parts.broker.topics().contains(where: { $0.name == topic }) else { throw notApplied(topic: topic) }
        let session = try ClusterSession(
            topic: topic, settings: settings, workers: workerCount, configuration: clusterFingerprint,
            broker: parts.broker, host: host)
        session.start()
        defer { session.leave() }
        try takePart(session, store, lock)
    }

    /// What members must have in common.
    private var clusterFingerprint: String {
        let inputs = topology.inputs.map { "\($0.eventType.topic.name) \($0.eventType.rawEvents)" }
        let aggregations = topology.aggregations.map { "\($0.name) \($0.fingerprint) \($0.sink)" }
        // Results that go elsewhere have a folder of their own.
        let place = [parts.environment, String(parts.checkpointFolder.split(separator: "/").last ?? "")]
        let text = (["1"] + place + inputs + aggregations).joined(separator: "\n")
        return String(Array(text.utf8).withUnsafeBytes { CRC32C.checksum($0) }, radix: 16)
    }

    private func takePart(_ session: ClusterSession, _ store: CheckpointStore, _ lock: CheckpointStore.Lock) throws {
        var earlier: RecountRequests?
        var taken: Int64?
        var fromEarliest = options.fromEarliest
        var hasSaidOther = false
        readiness.hold(Readiness.process, "looking for the other processes of the cluster")
        while true {
            try session.poll { _ in }
            let now = host.clock.milliseconds
            let round = session.view.round
            if shouldEnd { return }
            if let round, round.number == taken, round.isDrained, options.untilIdle { return }
            if let round, session.view.isActive(at: now) {
                if round.number != taken, let share = round.plan.share(of: session.member) {
                    taken = round.number
                    earlier = try surviving(session, { round.number }) {
                        try runMember(session, round, share, store, lock, after: earlier)
                    }
                    continue
                }
                if !hasSaidOther, round.plan.configuration != session.sign.configuration {
                    hasSaidOther = true
                    parts.notify(
                        "the cluster runs another version of domain '\(topology.domain)': this process waits until the others "
                            + "have ended or run the same")
                }
            } else if session.view.shouldBegin(
                session.sign, at: now, settling: Int64(session.heartbeatMilliseconds) * 2)
            {
                let lead = ClusterLead(session, broker: parts.broker, folder: store.folder, host: host)
                earlier = try surviving(session, { lead.number }) {
                    try runLeader(lead, store, lock, fromEarliest: fromEarliest, after: earlier)
                }
                if let number = lead.number { (taken, fromEarliest) = (number, false) }
                continue
            }
            host.clock.sleep(milliseconds: 10)
        }
    }

    private func runLeader(
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
        return try run(round, lock)
    }

    private func runMember(
        _ session: ClusterSession, _ round: ClusterView.Round, _ share: RoundPlan.Share, _ store: CheckpointStore,
        _ lock: CheckpointStore.Lock, after earlier: RecountRequests?
    ) throws -> RecountRequests? {
        let plan = round.plan
        guard plan.hashKey.count == 2 else { throw RoundOver("the round's plan cannot be read") }
        let roundEnding = ending.part()
        let control = RunControl(workerCount: share.workerCount, role: .member, ending: roundEnding, host: host)
        let sinkQueue = makeSinkQueue()
        let targets = makeTargets()
        let sinks = makeSinkThread(sinkQueue, targets.list, control, workerCount: share.workerCount)
        let checkpoint = try plan.checkpoint.map { try savedCheckpoint($0, in: store) }
        readiness.hold(SinkThread.component, "opening")
        guard let start = try openWhileRunning(sinks, { [self] in try join($0, plan, checkpoint, control) }) else {
            throw leaving(lock, control)
        }
        let crew = Crew(
            total: plan.workerCount, own: share.workers, readers: plan.readers,
            exchange: Exchange.Place(topic: session.topic, round: round.number, inboxOffsets: plan.inboxOffsets))
        let (shared, workers) = try makeWorkers(
            crew, control, sinkQueue, targets, plan.partitions, start.checkpoint,
            HashKey(k0: plan.hashKey[0], k1: plan.hashKey[1]), epoch: plan.epoch, after: earlier)
        readiness.release(Readiness.process)
        logRound(round.number, members: plan.shares.count, workers: plan.workerCount, role: "member")
        let threads = startThreads(workers, sinks)
        noteStart()
        RoundMember(self, session, plan, number: round.number, shared).run()
        guard threads.allSatisfy({ roundEnding.waits(for: $0) }) else { throw leaving(lock, control) }
        if let failure = control.failure { throw failure }
        return shared.recounts
    }

    private func savedCheckpoint(_ number: [UInt64], in store: CheckpointStore) throws -> Checkpoint {
        guard let found = try store.load().candidates.first(where: { [$0.epoch, $0.sequence] == number }) else {
            throw PipelineError(
                .checkpointStorage, "\(store.folder) does not hold the checkpoint that the cluster goes on from",
                hint: "runtime.checkpoint.path must be one folder that all processes of the cluster reach", exitCode: 1)
        }
        return found
    }

    /// Runs a round. When it could not go on for a reason that is not this process's own, says so; another one follows.
    ///
    /// - Parameter number: The round's, once it has one.
    private func surviving(
        _ session: ClusterSession, _ number: () -> Int64?, _ body: () throws -> RecountRequests?
    ) throws -> RecountRequests? {
        let reason: String
        do {
            return try body()
        } catch let over as RoundOver {
            reason = over.description
        } catch let error as PipelineError where error.code == .writerReplaced {
            // By another round, which is in the control log by now; else by somebody else.
            guard try isReplaced(session, number()) else { throw error }
            reason = error.message
        } catch {
            if let number = number() {
                session.sendIfPossible(.abandon(round: number, member: session.member, reason: "\(error)"))
            }
            throw error
        }
        logger.warning(
            "round given up, another one follows", metadata: ["round": "\(number() ?? 0)", "reason": "\(reason)"])
        if let number = number(), session.view.round?.number == number, session.view.round?.isOver == false {
            session.sendIfPossible(.abandon(round: number, member: session.member, reason: reason))
        }
        session.updateSign { $0.round = nil }
        return nil
    }

    /// Whether another round has begun since that one; waits for one as long as a member may be silent.
    private func isReplaced(_ session: ClusterSession, _ number: Int64?) throws -> Bool {
        let limit = host.clock.milliseconds + session.settings.sessionTimeoutMilliseconds
        while host.clock.milliseconds < limit, !shouldEnd {
            try session.poll { _ in }
            if let round = session.view.round, number.map({ round.number > $0 }) ?? true { return true }
            host.clock.sleep(milliseconds: 10)
        }
        return false
    }

    private func logRound(_ number: Int64, members: Int, workers: Int, role: String) {
        logger.notice(
            "round begun",
            metadata: [
                "round": "\(number)", "members": "\(members)", "workers": "\(workers)", "role": "\(role)",
            ])
    }
}
