internal import Diagnostics
internal import Logging
internal import PlatformModel
internal import PluginAPI

/// One process's way through the rounds of its cluster: leads some, takes part in others. Threads: one.
final class ClusterRun {
    private let pipeline: Pipeline
    private let session: ClusterSession
    private let store: CheckpointStore
    private let lock: CheckpointStore.Lock
    private var recounts: RecountRequests?
    private var fromEarliest: Bool
    /// The newest round that this process has worked in, and whether it has given it up.
    private var taken: Int64?
    private var hasGivenUp = false
    private var lastAbandon = Int64.min / 2
    /// Rounds in a row that ended because the stores had another writer.
    private var replacements = 0
    private var hasSaidOther = false
    private var hasSaidFull = false

    init(
        _ pipeline: Pipeline, _ session: ClusterSession, _ store: CheckpointStore, _ lock: CheckpointStore.Lock
    ) {
        self.pipeline = pipeline
        self.session = session
        self.store = store
        self.lock = lock
        fromEarliest = pipeline.options.fromEarliest
    }

    private var clock: any RunClock { pipeline.host.clock }

    /// Works until the run is stopped, or everything is read and it was to end then.
    func run() throws {
        pipeline.readiness.hold(Readiness.process, "looking for the other processes of the cluster")
        while true {
            try session.poll { _ in }
            let now = clock.milliseconds
            let view = session.view
            if let round = view.round, round.number == taken, round.isDrained, pipeline.options.untilIdle { return }
            let isActive = view.isActive(at: now)
            if pipeline.shouldEnd {
                // The last checkpoint of a round that it has done its part of is still being written.
                let isWaiting = isActive && view.round?.number == taken && !hasGivenUp
                if !isWaiting || pipeline.ending.isOverdue { return }
            } else if let round = view.round, isActive {
                if try takePart(in: round) { continue }
            } else if view.shouldBegin(session.sign, at: now, settling: Int64(session.heartbeatMilliseconds) * 2),
                try session.reachesBroker()
            {
                try lead()
                continue
            }
            clock.sleep(milliseconds: 10)
        }
    }

    /// True when it has worked in the round.
    private func takePart(in round: ClusterView.Round) throws -> Bool {
        if round.number != taken, let share = round.plan.share(of: session.member) {
            guard round.plan.leader != session.member else {
                // It has begun the round and could not know in time that it counts.
                abandon(round.number, "its leader was held up")
                return false
            }
            (taken, hasGivenUp, fromEarliest) = (round.number, false, false)
            try surviving({ round.number }) {
                let requests = try pipeline.runMember(session, round, share, store, lock, after: recounts)
                recounts = requests ?? recounts
            }
            return true
        }
        if round.number == taken, hasGivenUp { abandon(round.number, "a member has given it up") }
        tellWhyWaiting(round.plan)
        return false
    }

    private func lead() throws {
        let lead = ClusterLead(session, broker: pipeline.parts.broker, folder: store.folder, host: pipeline.host)
        try surviving({ lead.number }) {
            let requests = try pipeline.runLeader(lead, store, lock, fromEarliest: fromEarliest, after: recounts)
            recounts = requests ?? recounts
        }
        if let number = lead.number { (taken, fromEarliest) = (number, false) }
    }

    /// Runs a round. When it could not go on for a reason that is not this process's own, says so; another one follows.
    ///
    /// - Parameter number: The round's, once it has one.
    private func surviving(_ number: () -> Int64?, _ body: () throws -> Void) throws {
        let begin = clock.milliseconds
        defer { session.updateSign { ($0.round, $0.isHeldUp) = (nil, false) } }
        let reason: String
        do {
            try body()
            hasGivenUp = false
            replacements = 0
            return
        } catch let over as RoundOver {
            reason = over.description
        } catch let error as PipelineError where error.code == .writerReplaced && mayBeReplaced(since: begin) {
            reason = error.message
        } catch let error as PipelineError where error.retry == .backoff && pipeline.hasStarted {
            reason = error.message
        } catch {
            if let number = number() { abandon(number, "\(error)") }
            throw error
        }
        hasGivenUp = true
        pipeline.logger.warning(
            "round given up, another one follows", metadata: ["round": "\(number() ?? 0)", "reason": "\(reason)"])
        if let number = number() { abandon(number, reason) }
        // What fails at once is not tried again at once.
        if !pipeline.shouldEnd { clock.sleep(milliseconds: 200) }
    }

    /// A late member's claim can take a round's epoch away: the next round takes it back. What takes it away again and again
    /// is no member.
    private func mayBeReplaced(since begin: Int64) -> Bool {
        if clock.milliseconds - begin > session.settings.sessionTimeoutMilliseconds { replacements = 0 }
        replacements += 1
        return replacements <= 5
    }

    /// Says that a round is over, until all know.
    private func abandon(_ number: Int64, _ reason: String) {
        let now = clock.milliseconds
        guard now - lastAbandon >= 200 else { return }
        lastAbandon = now
        session.abandon(number, reason)
    }

    private func tellWhyWaiting(_ plan: RoundPlan) {
        if !hasSaidOther, plan.configuration != session.sign.configuration {
            hasSaidOther = true
            pipeline.parts.notify(
                "the cluster runs another version of domain '\(pipeline.topology.domain)' or other settings: this process waits "
                    + "until the others have ended or run the same")
        } else if !hasSaidFull, plan.share(of: session.member) == nil, plan.workerCount >= session.settings.slots {
            hasSaidFull = true
            pipeline.parts.notify(
                "all \(session.settings.slots) slots of the cluster are taken: this process waits for one; raise "
                    + "runtime.cluster.slots, or give each process fewer workers")
        }
    }
}
