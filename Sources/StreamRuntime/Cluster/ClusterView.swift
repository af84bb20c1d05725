/// What one member knows of the cluster from the control log. The same records in the same order give the same round to all;
/// who is alive is judged by each member's own clock. A value; no I/O.
struct ClusterView {
    struct Member {
        var sign: MemberSign
        /// On the reader's clock.
        var lastSeen: Int64
    }

    struct Round {
        var number: Int64
        var plan: RoundPlan
        /// Its last checkpoint was written, it was abandoned, or its leader has left.
        var isOver = false
        var isDrained = false
        /// The newest barrier that the leader has asked for, and the newest that all have given their part of.
        var barrier: (number: Int, kind: RunControl.BarrierKind)?
        var passedBarrier = 0
    }

    private(set) var members: [String: Member] = [:]
    /// The newest round that counts.
    private(set) var round: Round?
    /// When ``round`` was over, or the view began without one; on the reader's clock.
    private(set) var quietSince: Int64
    private let began: Int64
    /// Until a round is known to be the current one, any that begins is taken to be: the log's front may be gone.
    private var isSure = false
    private var excluded: Set<String> = []
    let timeoutMilliseconds: Int64

    init(timeoutMilliseconds: Int64, now: Int64) {
        self.timeoutMilliseconds = timeoutMilliseconds
        quietSince = now
        began = now
    }

    /// - Parameters:
    ///   - offset: Of the record.
    ///   - isOld: It was written before this member began to read: it says nothing about who is alive.
    mutating func take(_ message: ClusterMessage, offset: Int64, now: Int64, isOld: Bool = false) {
        switch message {
        case .alive(let sign):
            if !isOld { members[sign.member] = Member(sign: sign, lastSeen: now) }
        case .leave(let member):
            members[member] = nil
            if round?.plan.leader == member { endRound(at: now) }
        case .begin(let plan):
            guard plan.isSound, plan.after == round?.number || !isSure && plan.after ?? -1 > round?.number ?? -1 else {
                return
            }
            isSure = isSure || round != nil || plan.after == nil
            round = Round(number: offset, plan: plan)
            // Whoever is named was alive for the leader; each gets the whole time to say so here.
            for share in plan.shares { members[share.member]?.lastSeen = now }
            quietSince = now
            // Of processes that have been gone for long nothing is remembered.
            members = members.filter { now - $0.value.lastSeen <= timeoutMilliseconds * 10 }
        case .ended(let number, let isDrained):
            guard round?.number == number else { return }
            round?.isDrained = isDrained
            endRound(at: now)
        case .abandon(let number, _, _): if round?.number == number { endRound(at: now) }
        case .barrier(let number, let barrier, let kind):
            // A message that was sent again may come behind a later one.
            if round?.number == number, barrier > round?.barrier?.number ?? 0 { round?.barrier = (barrier, kind) }
        case .go(let number, let barrier):
            if round?.number == number, barrier > round?.passedBarrier ?? 0 { round?.passedBarrier = barrier }
        case .arrived, .reported: break
        }
    }

    private mutating func endRound(at now: Int64) {
        if round?.isOver == false { quietSince = now }
        round?.isOver = true
    }

    func isAlive(_ member: String, at now: Int64) -> Bool {
        members[member].map { now - $0.lastSeen <= timeoutMilliseconds } ?? false
    }

    /// Members that are alive, want to work and can, by name.
    func live(at now: Int64) -> [MemberSign] {
        members.values.filter { now - $0.lastSeen <= timeoutMilliseconds }.map(\.sign)
            .filter { !$0.isLeaving && !$0.isHeldUp && !excluded.contains($0.member) }
            .sorted { $0.member < $1.member }
    }

    /// Leaves a member out of the rounds that this one begins.
    mutating func exclude(_ member: String) { excluded.insert(member) }

    /// Whether the current round goes on as far as anybody can tell.
    func isActive(at now: Int64) -> Bool {
        guard let round, !round.isOver else { return false }
        // A round that is only known from the past gets the time to show that its leader lives.
        return isAlive(round.plan.leader, at: now)
            || members[round.plan.leader] == nil && now - quietSince <= timeoutMilliseconds
    }

    /// Whether `own` is to begin a round: none is active, and every live member before it had its time to.
    ///
    /// - Parameter settling: How long others get to show themselves to a member that knows of none yet.
    func shouldBegin(_ own: MemberSign, at now: Int64, settling: Int64) -> Bool {
        guard !isActive(at: now), !isBehind(own.member, at: now) else { return false }
        let rank = live(at: now).count { $0.configuration == own.configuration && $0.member < own.member }
        let patience = Int64(rank) * timeoutMilliseconds
        return now - quietSince >= patience && now - began >= settling
    }

    /// Whether others are in a round that this member has not read of: the log no longer holds its beginning. They take a
    /// newcomer in by beginning another.
    private func isBehind(_ own: String, at now: Int64) -> Bool {
        members.values.contains {
            $0.sign.member != own && now - $0.lastSeen <= timeoutMilliseconds
                && $0.sign.round ?? -1 > round?.number ?? -1
        }
    }

    /// Whether the round does without somebody who could work, or with somebody who wants to leave.
    func isChangeWanted(at now: Int64, slots: Int) -> Bool {
        guard let round, !round.isOver else { return false }
        let named = Set(round.plan.shares.map(\.member))
        if named.contains(where: { members[$0]?.sign.isLeaving == true }) { return true }
        let free = slots - round.plan.workerCount
        return free > 0
            && live(at: now).contains { !named.contains($0.member) && $0.configuration == round.plan.configuration }
    }
}
