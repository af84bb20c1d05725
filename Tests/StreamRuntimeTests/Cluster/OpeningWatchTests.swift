import DataPath
import Glibc
import PlatformModel
import PluginAPI
import Synchronization
import Testing

@testable import StreamRuntime

@Suite("A member of a cluster while its stores are being opened")
struct OpeningWatchTests {
    private let broker = MemoryBroker()
    private let control = RunControl(workerCount: 1)

    private func session() throws -> ClusterSession {
        try ClusterSession(
            topic: "t", settings: ClusterSettings(sessionTimeoutMilliseconds: 10_000, slots: 8), workers: 1,
            configuration: "c", broker: broker, host: RunHost(), isLeaving: { false })
    }

    private func say(_ message: ClusterMessage) throws {
        let bytes = try message.encoded()
        let log = TopicPartition(topic: "t", partition: ClusterTopic.controlPartition)
        broker.records.withLock { $0[log, default: []].append(bytes) }
        // The log is not read twice within some milliseconds.
        usleep(20_000)
    }

    private func begin(_ members: [String], after: Int64?) throws {
        try say(
            .begin(
                RoundPlan(
                    after: after,
                    shares: members.enumerated().map { RoundPlan.Share(member: $1, firstWorker: $0, workerCount: 1) },
                    configuration: "c", epoch: 1, writer: "w", hashKey: [1, 2], checkpoint: nil, partitions: [:],
                    inboxOffsets: members.map { _ in 0 })))
    }

    @Test("one whose round is over stops to open them, and claims nothing")
    func over() throws {
        let session = try session()
        try begin(["a", session.member], after: nil)
        try session.poll(every: 0) { _ in }
        let watch = OpeningWatch(session, control, round: 0)
        watch.look(afterMilliseconds: 50)
        #expect(!watch.isOver.isRaised && control.failure == nil && !session.sign.isHeldUp)
        try say(.abandon(round: 0, member: "a", reason: ""))
        watch.look(afterMilliseconds: 100)
        #expect(watch.isOver.isRaised && control.failure is RoundOver)
        // The call that opens them may hang: no other round is to begin with it.
        #expect(!session.sign.isHeldUp)
        watch.look(afterMilliseconds: 11_000)
        #expect(session.sign.isHeldUp)
        watch.end()
        #expect(!session.sign.isHeldUp)
    }

    @Test("one that takes too long says that it is held up, and goes on trying when the others have left it behind")
    func heldUp() throws {
        let session = try session()
        try begin(["a", session.member], after: nil)
        try session.poll(every: 0) { _ in }
        let watch = OpeningWatch(session, control, round: 0)
        watch.look(afterMilliseconds: 9_000)
        #expect(!session.sign.isHeldUp)
        watch.look(afterMilliseconds: 11_000)
        #expect(session.sign.isHeldUp && !watch.isOver.isRaised)
        try begin(["a"], after: 0)
        watch.look(afterMilliseconds: 12_000)
        #expect(watch.isOver.isRaised && control.failure == nil)
    }

    @Test("one that would lead stops when another has begun a round")
    func other() throws {
        let session = try session()
        let watch = OpeningWatch(session, control, round: nil)
        watch.look(afterMilliseconds: 50)
        #expect(!watch.isOver.isRaised)
        try begin(["a", session.member], after: nil)
        watch.look(afterMilliseconds: 100)
        #expect(watch.isOver.isRaised && control.failure is RoundOver)
    }
}
