import PlatformModel
import Testing

@testable import StreamRuntime

@Suite("What a member knows of its cluster")
struct ClusterViewTests {
    private static func sign(_ member: String, workers: Int = 2, configuration: String = "c") -> MemberSign {
        MemberSign(member: member, name: member, workers: workers, configuration: configuration)
    }

    private static func plan(_ members: [String], after: Int64?) -> RoundPlan {
        RoundPlan(
            after: after,
            shares: members.enumerated().map { RoundPlan.Share(member: $1, firstWorker: $0 * 2, workerCount: 2) },
            configuration: "c", epoch: 1, writer: "w", hashKey: [1, .max], checkpoint: [3, 4],
            partitions: ["events.a": 3], inboxOffsets: Array(repeating: 0, count: members.count * 2))
    }

    private func view(now: Int64 = 0) -> ClusterView { ClusterView(timeoutMilliseconds: 1000, now: now) }

    @Test("messages come back from their bytes; other bytes are no message")
    func coding() throws {
        let messages: [ClusterMessage] = [
            .alive(Self.sign("a")), .leave(member: "a"), .begin(Self.plan(["a", "b"], after: 7)),
            .barrier(round: 1, number: 2, kind: .final(closeWindows: true)), .arrived(round: 1, number: 2, member: "b"),
            .go(round: 1, number: 2),
            .reported(
                round: 1, number: 2, member: "b",
                reports: [.init(worker: 2, file: "state-1-2-report-2", length: 9, checksum: .max)],
                recounts: [.init(aggregation: 0, isClock: true)]),
            .ended(round: 1, isDrained: true), .abandon(round: 1, member: "a", reason: "x"),
        ]
        for message in messages {
            #expect(try message.encoded().withUnsafeBytes { ClusterMessage(decoding: $0) } == message)
        }
        #expect(Array("{\"alive\":3}".utf8).withUnsafeBytes { ClusterMessage(decoding: $0) } == nil)
    }

    @Test("of two members that begin a round at once the first in the log leads, for everybody")
    func twoBegin() {
        var view = view()
        view.take(.begin(Self.plan(["a"], after: nil)), offset: 5, now: 0)
        view.take(.begin(Self.plan(["b"], after: 5)), offset: 9, now: 0)
        view.take(.begin(Self.plan(["c"], after: 5)), offset: 10, now: 0)
        #expect(view.round?.number == 9 && view.round?.plan.leader == "b")
        view.take(.ended(round: 5, isDrained: true), offset: 11, now: 0)
        #expect(view.round?.isOver == false)
        view.take(.ended(round: 9, isDrained: true), offset: 12, now: 0)
        #expect(view.round?.isOver == true && view.round?.isDrained == true)
    }

    @Test("the front of the log may be gone: the newest round counts, and an older one's successor does not replace it")
    func truncated() {
        var view = view()
        view.take(.begin(Self.plan(["a"], after: 40)), offset: 50, now: 0, isOld: true)
        view.take(.begin(Self.plan(["b"], after: 50)), offset: 60, now: 0)
        view.take(.begin(Self.plan(["z"], after: 40)), offset: 61, now: 0)
        #expect(view.round?.number == 60)
    }

    @Test("who is silent for too long is dead; what was said before one came says nothing about who lives")
    func silence() {
        var view = view()
        view.take(.alive(Self.sign("a")), offset: 0, now: 0, isOld: true)
        #expect(!view.isAlive("a", at: 0))
        view.take(.alive(Self.sign("a")), offset: 1, now: 0)
        #expect(view.isAlive("a", at: 1000) && !view.isAlive("a", at: 1001))
        view.take(.leave(member: "a"), offset: 2, now: 500)
        #expect(!view.isAlive("a", at: 500))
    }

    @Test("the lowest live member begins; when it does not, the next does after its time")
    func succession() {
        var view = view()
        for member in ["a", "b"] { view.take(.alive(Self.sign(member)), offset: 0, now: 100) }
        #expect(!view.shouldBegin(Self.sign("a"), at: 100, settling: 200), "others may still show themselves")
        #expect(view.shouldBegin(Self.sign("a"), at: 200, settling: 200))
        #expect(!view.shouldBegin(Self.sign("b"), at: 900, settling: 200))
        view.take(.begin(Self.plan(["a", "b"], after: nil)), offset: 1, now: 950)
        #expect(view.isActive(at: 1000) && !view.shouldBegin(Self.sign("a"), at: 1000, settling: 0))
        // The leader falls silent.
        view.take(.alive(Self.sign("b")), offset: 2, now: 1900)
        #expect(view.isActive(at: 1950) && !view.isActive(at: 1951))
        #expect(view.shouldBegin(Self.sign("b"), at: 1951, settling: 0))
        // Another configuration waits for none of this one's.
        view.take(.abandon(round: 1, member: "b", reason: ""), offset: 3, now: 2000)
        #expect(view.shouldBegin(Self.sign("c", configuration: "d"), at: 2000, settling: 0))
        #expect(!view.shouldBegin(Self.sign("c"), at: 2000, settling: 0))
    }

    @Test("a newcomer, or one that wants to go, changes the round; a full one, or another configuration, does not")
    func changes() {
        var view = view()
        for member in ["a", "b"] { view.take(.alive(Self.sign(member)), offset: 0, now: 0) }
        view.take(.begin(Self.plan(["a", "b"], after: nil)), offset: 1, now: 0)
        #expect(!view.isChangeWanted(at: 0, slots: 8))
        view.take(.alive(Self.sign("x", configuration: "d")), offset: 2, now: 0)
        #expect(!view.isChangeWanted(at: 0, slots: 8))
        view.take(.alive(Self.sign("c")), offset: 3, now: 0)
        #expect(view.isChangeWanted(at: 0, slots: 8))
        #expect(!view.isChangeWanted(at: 0, slots: 4))
        view.take(.leave(member: "c"), offset: 4, now: 0)
        var leaving = Self.sign("b")
        leaving.isLeaving = true
        view.take(.alive(leaving), offset: 5, now: 0)
        #expect(view.isChangeWanted(at: 0, slots: 4))
        #expect(view.live(at: 0).map(\.member) == ["a", "x"])
    }

    @Test("whoever is held up is in no round that begins, and comes back as a newcomer does")
    func heldUp() {
        var view = view()
        var sign = Self.sign("b")
        sign.isHeldUp = true
        for sign in [Self.sign("a"), sign] { view.take(.alive(sign), offset: 0, now: 0) }
        #expect(view.live(at: 0).map(\.member) == ["a"] && view.isAlive("b", at: 0))
        view.take(.begin(Self.plan(["a"], after: nil)), offset: 1, now: 0)
        #expect(!view.isChangeWanted(at: 0, slots: 8))
        view.take(.alive(Self.sign("b")), offset: 2, now: 0)
        #expect(view.isChangeWanted(at: 0, slots: 8))
    }

    @Test("a newcomer to a log whose front is gone begins no round while others are in one")
    func behind() {
        var view = view()
        var sign = Self.sign("b")
        sign.round = 70
        view.take(.alive(sign), offset: 100, now: 0)
        #expect(!view.shouldBegin(Self.sign("a"), at: 500, settling: 0))
        view.take(.begin(Self.plan(["b", "a"], after: 70)), offset: 101, now: 600)
        #expect(view.round?.number == 101)
        sign.round = nil
        view.take(.alive(sign), offset: 102, now: 700)
        view.take(.abandon(round: 101, member: "b", reason: ""), offset: 103, now: 800)
        #expect(view.shouldBegin(Self.sign("a"), at: 800, settling: 0))
    }

    @Test("a barrier that comes with its round, or before the member works on it, is not forgotten")
    func barrier() {
        var view = view()
        view.take(.begin(Self.plan(["a", "b"], after: nil)), offset: 1, now: 0)
        view.take(.barrier(round: 1, number: 1, kind: .checkpoint), offset: 2, now: 0)
        view.take(.barrier(round: 0, number: 9, kind: .final(closeWindows: false)), offset: 3, now: 0)
        view.take(.go(round: 1, number: 1), offset: 4, now: 0)
        #expect(view.round?.barrier?.number == 1 && view.round?.passedBarrier == 1)
        // One that was sent twice, because the broker was away, may come behind the next one.
        view.take(.barrier(round: 1, number: 2, kind: .checkpoint), offset: 5, now: 0)
        view.take(.go(round: 1, number: 2), offset: 6, now: 0)
        view.take(.barrier(round: 1, number: 1, kind: .checkpoint), offset: 7, now: 0)
        view.take(.go(round: 1, number: 1), offset: 8, now: 0)
        #expect(view.round?.barrier?.number == 2 && view.round?.passedBarrier == 2)
    }

    @Test("a plan that does not hold together, as another version may write it, is no round")
    func unsound() {
        let changes: [(inout RoundPlan) -> Void] = [
            { $0.shares = [] }, { $0.shares[1].firstWorker = 3 }, { $0.shares[0].workerCount = -1 },
            { $0.inboxOffsets.removeLast() }, { $0.hashKey = [1] }, { $0.checkpoint = [1] },
        ]
        for change in changes {
            var plan = Self.plan(["a", "b"], after: nil)
            #expect(plan.isSound)
            change(&plan)
            var view = view()
            view.take(.begin(plan), offset: 1, now: 0)
            #expect(view.round == nil)
        }
    }

    @Test("workers are numbered through the members of one configuration, as many as there are slots")
    func dealing() {
        let live = [Self.sign("a", workers: 3), Self.sign("b", workers: 4), Self.sign("c", configuration: "d")]
        let shares = ClusterLead.deal(live[1], live, slots: 6)
        #expect(shares.map(\.member) == ["b", "a"])
        #expect(shares.map(\.workers) == [0..<4, 4..<6])
        var plan = Self.plan([], after: nil)
        plan.shares = shares
        #expect(plan.readers == [0, 4, 1, 5, 2, 3], "partitions are dealt to each process in turn")
    }
}
