internal import DataPath
internal import PlatformModel
internal import PluginAPI

/// How the leader of a cluster begins a round. Threads: one.
final class ClusterLead {
    private let session: ClusterSession
    private let shares: [RoundPlan.Share]
    private let broker: any Broker
    private let folder: String
    private let host: RunHost
    /// Of the round that has begun.
    private(set) var leader: RoundLeader?
    private(set) var number: Int64?

    var workerCount: Int { shares.reduce(0) { $0 + $1.workerCount } }
    var memberCount: Int { shares.count }
    var ownCount: Int { shares[0].workerCount }

    init(_ session: ClusterSession, broker: any Broker, folder: String, host: RunHost) {
        self.session = session
        self.broker = broker
        self.folder = folder
        self.host = host
        shares = Self.deal(session.sign, session.view.live(at: host.clock.milliseconds), slots: session.settings.slots)
    }

    /// Looks after the cluster while the stores are opened.
    func watchOpening(_ control: RunControl) -> OpeningWatch { OpeningWatch(session, control, round: nil) }

    /// The round has failed: the others are to know before this process has ended its part.
    func giveUp(_ failure: any Error) { if let number { session.giveUp(number, failure) } }

    /// Notes that this process cannot work before what it did in the round has ended.
    func noteSlowEnd(afterMilliseconds: Int64) { session.noteSlowEnd(afterMilliseconds: afterMilliseconds) }

    /// Numbers the workers of all members that run the same pipeline: the leader's first, then by name, as many as fit.
    static func deal(_ own: MemberSign, _ live: [MemberSign], slots: Int) -> [RoundPlan.Share] {
        var shares: [RoundPlan.Share] = []
        var next = 0
        for sign in [own] + live.filter({ $0.member != own.member && $0.configuration == own.configuration }) {
            let count = min(sign.workers, slots - next)
            guard count > 0 else { break }
            shares.append(RoundPlan.Share(member: sign.member, firstWorker: next, workerCount: count))
            next += count
        }
        return shares
    }

    /// Tells the others of the round. Throws ``RoundOver`` when another member was faster.
    ///
    /// - Parameter topics: The number of partitions of each topic that is read.
    func begin(
        _ start: Pipeline.Beginning, _ candidates: [Checkpoint], _ hashKey: HashKey, _ topics: [String: Int]
    ) throws -> Crew {
        // As it is in the store: what was found out about the sinks changes a copy of it.
        let saved = start.checkpoint.flatMap { found in candidates.first { $0.sequence == found.sequence } }
        let plan = RoundPlan(
            after: session.view.round?.number, shares: shares, configuration: session.sign.configuration,
            epoch: start.epoch, writer: start.writer, hashKey: [hashKey.k0, hashKey.k1],
            checkpoint: saved.map { [$0.epoch, $0.sequence] }, partitions: topics,
            inboxOffsets: try (0..<workerCount).map { worker in
                try broker.offsets(
                    TopicPartition(topic: session.topic, partition: ClusterTopic.inbox(ofWorker: worker))
                ).next
            })
        try session.send(.begin(plan))
        let limit = host.clock.milliseconds + session.settings.sessionTimeoutMilliseconds
        while session.view.round?.plan.writer != plan.writer {
            try session.poll(every: 0) { _ in }
            if session.view.round?.plan.writer == plan.writer { break }
            guard host.clock.milliseconds < limit else { throw RoundOver("the round could not be begun") }
            if let round = session.view.round, round.number != plan.after, round.plan.writer != plan.writer {
                throw RoundOver("another member has begun a round")
            }
            host.clock.sleep(milliseconds: 2)
        }
        guard let number = session.view.round?.number else { throw RoundOver("the round could not be begun") }
        self.number = number
        KillPoint.afterBegin.pass()
        leader = RoundLeader(session, plan, number: number, folder: folder, host: host)
        return Crew(
            total: workerCount, own: shares[0].workers, readers: plan.readers,
            exchange: Exchange.Place(topic: session.topic, round: number, inboxOffsets: plan.inboxOffsets))
    }
}
