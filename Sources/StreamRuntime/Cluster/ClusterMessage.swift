internal import Foundation
internal import PluginAPI

/// What the members of a cluster tell each other in the control log: JSON, one record a message.
enum ClusterMessage: Codable, Equatable, Sendable {
    case alive(MemberSign)
    /// The member is gone; it says nothing more.
    case leave(member: String)
    /// Begins a round, whose number is the offset of this record.
    case begin(RoundPlan)
    case barrier(round: Int64, number: Int, kind: RunControl.BarrierKind)
    /// All workers of a member have given their part of a barrier.
    case arrived(round: Int64, number: Int, member: String)
    /// All workers of all members have: they count on.
    case go(round: Int64, number: Int)
    /// The member's sinks have committed what came before a barrier.
    case reported(round: Int64, number: Int, member: String, reports: [ReportPlace], recounts: [Recount])
    /// The round's last checkpoint is written. `isDrained`: everything was read, and the leader ends.
    case ended(round: Int64, isDrained: Bool)
    /// The round ends without another checkpoint.
    case abandon(round: Int64, member: String, reason: String)

    /// Where a worker's report is: one piece in a file of the checkpoint's folder.
    struct ReportPlace: Codable, Equatable, Sendable {
        var worker: Int
        var file: String
        var length: Int
        var checksum: UInt32
    }

    /// An aggregation that a member's replayed records want to have counted anew.
    struct Recount: Codable, Equatable, Sendable {
        var aggregation: Int
        /// Whether rows may have to go; see ``RecountRequests/Reason``.
        var isClock: Bool
    }

    /// Nil when the bytes are no message of this version.
    init?(decoding bytes: UnsafeRawBufferPointer) {
        guard let message = try? JSONDecoder().decode(ClusterMessage.self, from: Data(bytes)) else { return nil }
        self = message
    }

    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return Array(try encoder.encode(self))
    }
}

/// What a member says of itself several times a second.
struct MemberSign: Codable, Equatable, Sendable {
    /// Unique; the lowest of all leads.
    var member: String
    /// For people: process and host.
    var name: String
    var workers: Int
    /// Members with another one do not share work.
    var configuration: String
    /// It wants to be left out of the next round.
    var isLeaving = false
    /// Others leave it out of rounds: its stores do not open, or its threads of an earlier round have not ended.
    var isHeldUp = false
    /// The round that it is in, and how far it is there.
    var round: Int64?
    /// The least of its workers' counts of rounds without anything to read; see ``WorkerProgress``.
    var quiet = 0
    var lag = 0
    /// Since the process began.
    var eventsRead = 0
}

/// One distribution of the work.
struct RoundPlan: Codable, Equatable, Sendable {
    struct Share: Codable, Equatable, Sendable {
        var member: String
        var firstWorker: Int
        var workerCount: Int

        var workers: Range<Int> { firstWorker..<firstWorker + workerCount }
    }

    /// The number of the round that it replaces; nil for none.
    var after: Int64?
    /// The leader's is the first.
    var shares: [Share]
    var configuration: String
    var epoch: UInt64
    /// The name under which all members claim the epoch.
    var writer: String
    var hashKey: [UInt64]
    /// Epoch and sequence of the checkpoint to go on from; nil = from the earliest offsets.
    var checkpoint: [UInt64]?
    /// By source topic.
    var partitions: [String: Int]
    /// Where the round's messages in each worker's inbox begin at the earliest.
    var inboxOffsets: [Int64]

    /// Whether it can be worked by: another version of the program may have written it.
    var isSound: Bool {
        var next = 0
        for share in shares {
            guard share.firstWorker == next, (1...Self.mostWorkers).contains(share.workerCount) else { return false }
            next += share.workerCount
        }
        return next > 0 && next == inboxOffsets.count && hashKey.count == 2 && checkpoint?.count ?? 2 == 2
    }

    private static let mostWorkers = 1 << 16

    var leader: String { shares.first?.member ?? "" }
    var workerCount: Int { shares.reduce(0) { $0 + $1.workerCount } }
    func share(of member: String) -> Share? { shares.first { $0.member == member } }

    /// All workers: the first of every member, then the second, and so on.
    var readers: [Int] {
        let longest = shares.map(\.workerCount).max() ?? 0
        return (0..<longest).flatMap { turn in
            shares.filter { turn < $0.workerCount }.map { $0.firstWorker + turn }
        }
    }
}
