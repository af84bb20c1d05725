import PlatformModel
import PluginAPI
import Synchronization
import Testing

@testable import StreamRuntime

@Suite("A member's connection to the control log")
struct ClusterSessionTests {
    @Test("what comes behind a message that ends a round is not lost: the next round's beginning may be there")
    func behindTheEnd() throws {
        let broker = MemoryBroker()
        let session = try ClusterSession(
            topic: "t", settings: ClusterSettings(sessionTimeoutMilliseconds: 10_000, slots: 8), workers: 1,
            configuration: "c", broker: broker, host: RunHost(), isLeaving: { false })
        let begin = { (after: Int64?) in
            ClusterMessage.begin(
                RoundPlan(
                    after: after, shares: [RoundPlan.Share(member: "a", firstWorker: 0, workerCount: 1)],
                    configuration: "c", epoch: 1, writer: "w", hashKey: [1, 2], checkpoint: nil, partitions: [:],
                    inboxOffsets: [0]))
        }
        // Read at once, as one block.
        for message in [begin(nil), .abandon(round: 0, member: "a", reason: ""), begin(0)] {
            let bytes = try message.encoded()
            broker.records.withLock {
                $0[TopicPartition(topic: "t", partition: ClusterTopic.controlPartition), default: []].append(bytes)
            }
        }
        struct Refused: Error {}
        #expect(throws: Refused.self) {
            try session.poll(every: 0) { if case .abandon = $0 { throw Refused() } }
        }
        #expect(session.view.round?.number == 2 && session.view.round?.isOver == false)
    }
}
