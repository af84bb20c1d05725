internal import Diagnostics
internal import Foundation
internal import PluginAPI
internal import Synchronization

/// The side of a member that does not lead: passes barriers on to its workers and their parts to the leader. Threads: one.
final class RoundMember {
    private let pipeline: Pipeline
    private let session: ClusterSession
    private let plan: RoundPlan
    private let number: Int64
    private let shared: Worker.Shared
    private var barrier = 0
    private var passedBarrier = 0
    private var isFinal = false
    private var recordBreaker: DeadLetterBreaker
    private var rowBreaker: DeadLetterBreaker
    private var lastShown = Int64.min / 2
    private var hasSaidLeaving = false
    private var hasArrived = true
    private var hasReported = true

    init(_ pipeline: Pipeline, _ session: ClusterSession, _ plan: RoundPlan, number: Int64, _ shared: Worker.Shared) {
        self.pipeline = pipeline
        self.session = session
        self.plan = plan
        self.number = number
        self.shared = shared
        let now = shared.host.clock.milliseconds
        recordBreaker = DeadLetterBreaker(pipeline.parts.deadLetters, from: pipeline.recordSample(at: now))
        rowBreaker = DeadLetterBreaker(pipeline.parts.deadLetters, from: pipeline.rowSample(at: now))
    }

    /// Works until the member has given its part of the last barrier, or the round is over.
    func run() {
        while step() != .ended { shared.host.clock.sleep(milliseconds: 2) }
        shared.sinkQueue.close()
        if let failure = shared.control.failure { session.giveUp(number, failure) }
    }

    private func step() -> StepProgress {
        shared.control.guarding {
            if shared.control.shouldAbandon { return .ended }
            try session.poll { _ in }
            let view = session.view
            guard view.round?.number == number, view.round?.isOver == false else {
                throw RoundOver("the round was given up, or another one has begun")
            }
            guard view.isAlive(plan.leader, at: shared.host.clock.milliseconds) else {
                throw RoundOver("the leader does not answer")
            }
            takeBarrier(view)
            tell()
            try watchDeadLetters()
            try pipeline.checkStopTimeout()
            return try giveParts() ? .ended : .waiting
        }
    }

    /// Passes on what the leader has asked for, also before this member began to work.
    private func takeBarrier(_ view: ClusterView) {
        if let asked = view.round?.barrier, asked.number > barrier {
            (barrier, hasArrived, hasReported) = (asked.number, false, false)
            isFinal = asked.kind != .checkpoint
            if isFinal { pipeline.readiness.hold(Readiness.process, "draining: what was read is being written") }
            shared.control.requestBarrier(asked.kind, number: barrier)
        }
        if let passed = view.round?.passedBarrier, passed > passedBarrier {
            passedBarrier = passed
            shared.control.pass(barrier: passed)
        }
    }

    /// Throws when too much of what this process reads, or of its rows, cannot be used.
    private func watchDeadLetters() throws {
        let now = shared.host.clock.milliseconds
        if let halted = recordBreaker.verdict(pipeline.recordSample(at: now)) {
            throw pipeline.halt(halted, of: "records")
        }
        if let halted = rowBreaker.verdict(pipeline.rowSample(at: now)) { throw pipeline.halt(halted, of: "rows") }
        guard now - lastShown >= 500 else { return }
        lastShown = now
        pipeline.metrics.show(watermarks: shared.watermarks.all)
        pipeline.deadLetterTally.tell(at: now)
    }

    /// Says how far it is, and that it wants to go.
    private func tell() {
        session.updateSign { sign in
            sign.round = number
            sign.quiet = shared.progress.map(\.quiet).min() ?? 0
            sign.lag = shared.progress.reduce(0) { $0 + $1.lag }
            sign.eventsRead = shared.status.eventsRead.load(ordering: .relaxed)
        }
        shared.status.lag.store(session.sign.lag, ordering: .relaxed)
        guard session.sign.isLeaving, !hasSaidLeaving else { return }
        hasSaidLeaving = true
        session.sendIfPossible(.alive(session.sign))
    }

    /// True when nothing is left to give in this round.
    private func giveParts() throws -> Bool {
        if !hasArrived, shared.control.haveAllArrived(at: barrier) {
            hasArrived = true
            try session.send(.arrived(round: number, number: barrier, member: session.member))
            KillPoint.afterArrived.pass()
        }
        if !hasReported, let outcome = shared.control.outcome(ofBarrier: barrier) {
            KillPoint.afterSink.pass()
            hasReported = true
            let own = plan.share(of: session.member)?.workers ?? 0..<0
            let places = try zip(own, outcome.reports).map { worker, report in
                try report.save(
                    shared.host.files, shared.settings.checkpointFolder, epoch: plan.epoch, barrier: barrier,
                    worker: worker)
            }
            let recounts = shared.recounts.wanted.sorted { $0.key < $1.key }.map {
                ClusterMessage.Recount(aggregation: $0.key, isClock: $0.value == .clock)
            }
            try session.send(
                .reported(
                    round: number, number: barrier, member: session.member, reports: places, recounts: recounts))
            KillPoint.afterReported.pass()
            pipeline.status.checkpoints.add(1, ordering: .relaxed)
        }
        // The own workers end when all others have given their part, too.
        return isFinal && hasReported && shared.control.hasAllReports(of: barrier)
    }
}
