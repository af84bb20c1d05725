import DataPath
import PluginAPI
import Testing

@testable import StreamRuntime

@Suite("Dead letters of streams that earlier runs have sent")
struct ReportedStepsTests {
    private static let partition = TopicPartition(topic: "events.purchase", partition: 3)

    private func steps(
        _ checkpoint: Checkpoint?, fingerprint: String = "f", end: Int64 = 100, readers: [Int64] = [0]
    ) -> ReportedSteps {
        ReportedSteps(
            "big", fingerprint: fingerprint, Self.partition, in: checkpoint, end: end, readers: readers)
    }

    @Test("a checkpoint keeps how far the letters are, for the stream as it is and the topic that is there")
    func checkpoint() throws {
        let section = ReportedSteps(nextOffset: 40).section("big", fingerprint: "f", Self.partition)
        let checkpoint = try Checkpoint(
            decoding: Checkpoint(sequence: 1, epoch: 1, hashKey: HashKey(k0: 1, k1: 2), sections: [section]).encoded())
        #expect(steps(checkpoint).nextOffset == 40, "also when its only reader begins anew")
        #expect(steps(checkpoint, fingerprint: "g").nextOffset == 0)
        #expect(steps(checkpoint, end: 39).nextOffset == 0)
        #expect(steps(nil).nextOffset == 0)
    }

    @Test("what one reader has passed is told, whoever comes later")
    func readers() {
        #expect(steps(nil, readers: [0, 30, 7]).nextOffset == 30)
        var reported = ReportedSteps(nextOffset: 40)
        reported.advance(to: [50, 3])
        reported.advance(to: [20])
        #expect(reported.nextOffset == 50)
    }
}
