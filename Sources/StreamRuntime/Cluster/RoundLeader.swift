internal import Diagnostics
internal import PlatformModel
internal import PluginAPI
internal import Synchronization

/// The leader's side of a round: gives barriers to the other members and collects their parts. Threads: the coordinator's.
final class RoundLeader {
    private let session: ClusterSession
    private let plan: RoundPlan
    private let number: Int64
    private let folder: String
    private let host: RunHost
    private var announced = 0
    private var released = 0
    private var reportedMembers: Set<String> = []
    /// The barrier is the round's last one.
    private var isLast = false

    init(_ session: ClusterSession, _ plan: RoundPlan, number: Int64, folder: String, host: RunHost) {
        self.session = session
        self.plan = plan
        self.number = number
        self.folder = folder
        self.host = host
    }

    private var others: ArraySlice<RoundPlan.Share> { plan.shares.dropFirst() }

    /// Takes what the others have said. Throws ``RoundOver`` when the round cannot go on.
    func poll(_ shared: Worker.Shared) throws {
        try session.poll { try take($0, shared) }
        let now = host.clock.milliseconds
        guard session.view.round?.number == number else { throw RoundOver("another member has begun a round") }
        if session.view.round?.isOver == true { throw RoundOver("a member has given the round up") }
        // One that has given its last part may go.
        if let missing = others.first(where: {
            !session.view.isAlive($0.member, at: now) && !(isLast && reportedMembers.contains($0.member))
        }) {
            throw RoundOver("\(name(of: missing.member)) does not answer")
        }
        if let late = others.first(where: { session.view.members[$0.member]?.sign.isHeldUp == true }) {
            throw RoundOver("\(name(of: late.member)) is held up: the others go on without it")
        }
        session.updateSign {
            $0.round = number
            $0.eventsRead = shared.status.eventsRead.load(ordering: .relaxed)
        }
    }

    /// Those that have not given all of their part of the newest barrier.
    var membersWithoutReport: [String] {
        others.map(\.member).filter { !reportedMembers.contains($0) }.map(name(of:))
    }

    private func name(of member: String) -> String { session.view.members[member]?.sign.name ?? member }

    private func take(_ message: ClusterMessage, _ shared: Worker.Shared) throws {
        switch message {
        case .arrived(number, announced, let member):
            if let share = plan.share(of: member) { shared.control.arrive(share.workers) }
        case .reported(number, announced, let member, let reports, let recounts):
            guard let share = plan.share(of: member), reportedMembers.insert(member).inserted else { return }
            guard reports.map(\.worker) == Array(share.workers) else { throw RoundOver("\(member) reports for others") }
            var parts: [Int: RunControl.Report] = [:]
            do {
                for place in reports { parts[place.worker] = try RunControl.Report(place, host.files, folder) }
            } catch let error as PipelineError {
                // Its folder is another one, or its file is not whole: the others go on without it.
                session.exclude(member)
                throw RoundOver("\(name(of: member)) is left out: \(error.message)")
            }
            for recount in recounts where shared.topology.aggregations.indices.contains(recount.aggregation) {
                shared.recounts.add(
                    recount.aggregation, recount.isClock ? .clock : .closedWindow, at: host.clock.milliseconds)
            }
            shared.control.add(parts)
        default: break
        }
    }

    func ask(_ kind: RunControl.BarrierKind, _ barrier: Int) throws {
        announced = barrier
        reportedMembers = []
        if case .final = kind { isLast = true }
        try session.send(.barrier(round: number, number: barrier, kind: kind))
    }

    /// Lets the others go on when all workers have given their part.
    func release(_ control: RunControl) throws {
        guard released < announced, control.haveAllArrived(at: announced) else { return }
        released = announced
        try session.send(.go(round: number, number: announced))
        KillPoint.afterGo.pass()
    }

    /// Whether members want to come or go.
    var isChangeWanted: Bool {
        session.view.isChangeWanted(at: host.clock.milliseconds, slots: session.settings.slots)
    }

    /// The others' counts of quiet rounds, and the records that they have read; nil while one is not in the round.
    var progress: (quiet: [Int], eventsRead: Int, lag: Int)? {
        let signs = others.compactMap { session.view.members[$0.member]?.sign }
        guard signs.count == others.count, signs.allSatisfy({ $0.round == number }) else { return nil }
        return (
            signs.map(\.quiet), signs.reduce(0) { $0 + $1.eventsRead }, signs.reduce(0) { $0 + $1.lag }
        )
    }

    /// Says that the last checkpoint is written.
    func end(isDrained: Bool) throws { try session.send(.ended(round: number, isDrained: isDrained)) }
}
