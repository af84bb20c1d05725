import DataPath
import PluginAPI
import Testing

@testable import StreamRuntime

@Suite("What a consumer has not counted")
struct RefusedOffsetsTests {
    private static let partition = TopicPartition(topic: "events.a", partition: 3)

    @Test("neighbours with one clock share a run; a record that is counted leaves it")
    func runs() {
        var refused = RefusedOffsets(start: 2)
        for offset: Int64 in [5, 6, 7, 6, 9] { refused.add(offset, clock: 100) }
        refused.add(10, clock: 200)
        #expect(refused.runs.map(\.first) == [5, 9, 10])
        #expect(refused.answer(6) == .refused(clock: 100))
        #expect(refused.answer(8) == .counted)
        #expect(refused.answer(1) == .counted, "the consumer began behind it")
        refused.remove(6)
        #expect(refused.runs.map(\.first) == [5, 7, 9, 10])
        #expect(refused.answer(6) == .counted)
        #expect(refused.answer(10) == .refused(clock: 200))
        refused.remove(6)
        #expect(refused.runs.count == 4)
    }

    @Test("when there are too many runs, the oldest are unknown, never counted")
    func limit() {
        var refused = RefusedOffsets(start: 0)
        for number in 0...Int64(RefusedOffsets.runLimit) { refused.add(number * 2, clock: 0) }
        #expect(refused.runs.count <= RefusedOffsets.runLimit)
        #expect(refused.answer(0) == .unknown)
        #expect(refused.answer(1) == .unknown)
        #expect(refused.answer(Int64(RefusedOffsets.runLimit) * 2) == .refused(clock: 0))
    }

    @Test("a checkpoint keeps it; one of a version before makes the records before it unknown")
    func checkpoint() throws {
        var refused = RefusedOffsets(start: 4)
        refused.add(7, clock: .min)
        refused.add(8, clock: RefusedOffsets.timed)
        let section = refused.section("orders", fingerprint: "f", Self.partition)
        let written = Checkpoint(sequence: 1, epoch: 0, hashKey: HashKey(k0: 1, k1: 2), sections: [section])
        let read = try Checkpoint(decoding: written.encoded())
        func load(_ fingerprint: String, in checkpoint: Checkpoint?) throws -> RefusedOffsets {
            try RefusedOffsets("orders", fingerprint: fingerprint, Self.partition, in: checkpoint, position: 10)
        }
        #expect(try load("f", in: read) == refused)
        #expect(try load("other", in: read).answer(9) == .unknown)
        #expect(try load("other", in: read).answer(10) == .counted)

        var damaged = section
        damaged.shards = [[1, 2, 3]]
        #expect(throws: (any Error).self) {
            try load("f", in: Checkpoint(sequence: 1, epoch: 0, hashKey: HashKey(k0: 1, k1: 2), sections: [damaged]))
        }
    }

    @Test("whether a record's clock would have closed a window, and whether its windows are open")
    func judge() throws {
        // Windows of 100 ms, delay 10 ms: the window [0, 100) closes at a clock of 110.
        let judge = try ReplayJudge(
            AggregationSpec(
                name: "a", window: WindowSpec(durationMilliseconds: 100), groups: [],
                measures: [], watermarkDelayMilliseconds: 10))
        #expect(!judge.movesClock(109, past: 50))
        #expect(judge.movesClock(110, past: 109))
        #expect(!judge.movesClock(105, past: 110))
        #expect(!judge.movesClock(10_000, past: RefusedOffsets.timed))
        #expect(judge.movesClock(5, past: Int64.min), "nobody knows what came before the first clock")
        #expect(judge.isOpen(99, at: 109))
        #expect(!judge.isOpen(99, at: 110))
        #expect(judge.isOpen(0, at: Int64.min))
    }

    private func makeJudge(_ window: WindowSpec, lateness: Int64 = 0) throws -> ReplayJudge {
        try ReplayJudge(
            AggregationSpec(
                name: "a", window: window, groups: [], measures: [], watermarkDelayMilliseconds: 10,
                allowedLatenessMilliseconds: lateness))
    }

    @Test("a window is open until its end and the allowed lateness")
    func lateness() throws {
        let judge = try makeJudge(WindowSpec(durationMilliseconds: 100), lateness: 50)
        #expect(judge.isOpen(99, at: 159))
        #expect(!judge.isOpen(99, at: 160))
        #expect(!judge.movesClock(159, past: 110))
        #expect(judge.movesClock(160, past: 159))
    }

    @Test("a record belongs to the first of its cumulating windows, too")
    func cumulate() throws {
        let judge = try makeJudge(.cumulate(durationMilliseconds: 100, stepMilliseconds: 25))
        #expect(judge.isOpen(24, at: 34))
        #expect(!judge.isOpen(24, at: 35))
        #expect(judge.isOpen(30, at: 35))
        #expect(judge.movesClock(35, past: 34))
    }

    @Test("of sessions a record is never simply counted, and each step of the clock may close one")
    func sessions() throws {
        let judge = try makeJudge(.session(gapMilliseconds: 100))
        #expect(!judge.isOpen(99, at: Int64.min))
        #expect(judge.movesClock(101, past: 100))
        #expect(!judge.movesClock(100, past: 100))
    }

    @Test("what was counted anew in vain for a record is not counted anew for it once more in the same run")
    func inVain() {
        func asker(_ offset: Int64) -> RecountRequests.Asker {
            .init(aggregation: 1, partition: Self.partition, offset: offset)
        }
        let first = RecountRequests(isPossible: [true, true], after: nil)
        guard case .willBeDone = first.want(asker(5), .clock, at: 0) else {
            Issue.record()
            return
        }
        guard case .willBeDone = first.want(asker(5), .clock, at: 1) else {
            Issue.record()
            return
        }
        // The third round knows of the first, too.
        let second = RecountRequests(isPossible: [true, true], after: first)
        let third = RecountRequests(isPossible: [true, false], after: second)
        guard case .inVain = third.want(asker(5), .clock, at: 2) else {
            Issue.record()
            return
        }
        guard case .impossible = third.want(asker(6), .clock, at: 3) else {
            Issue.record()
            return
        }
        #expect(third.wanted.isEmpty)
    }
}
