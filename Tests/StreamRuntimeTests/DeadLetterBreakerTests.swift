import PlatformModel
import Testing

@testable import StreamRuntime

@Suite("The breaker of dead letters")
struct DeadLetterBreakerTests {
    private func sample(_ seconds: Int64, _ total: Int, _ bad: Int, _ codes: [String: Int] = [:])
        -> DeadLetterBreaker.Sample
    {
        .init(time: seconds * 1000, total: total, bad: bad, byCode: codes)
    }

    private func breaker(_ share: Double? = 0.05, minRecords: Int = 100) -> DeadLetterBreaker {
        DeadLetterBreaker(
            DeadLetterSettings(maxShare: share, windowMilliseconds: 60_000, minRecords: minRecords),
            from: sample(0, 0, 0))
    }

    @Test("a larger share of enough records trips it, and names the commonest cause")
    func trips() {
        var breaker = breaker()
        #expect(breaker.verdict(sample(0, 0, 0)) == nil)
        #expect(breaker.verdict(sample(1, 99, 99, ["SP6105": 99])) == nil, "too few to speak of a share")
        #expect(
            breaker.verdict(sample(2, 1000, 110, ["SP6105": 99, "SP6106": 100]))
                == .init(total: 1000, bad: 110, code: "SP6106", codeCount: 100))
    }

    @Test("the share itself is allowed, and without a share nothing trips")
    func limit() {
        var breaker = breaker()
        #expect(breaker.verdict(sample(0, 0, 0)) == nil)
        #expect(breaker.verdict(sample(1, 1000, 50)) == nil)
        #expect(breaker.verdict(sample(2, 1000, 51)) != nil)
        var off = self.breaker(nil)
        #expect(off.verdict(sample(1, 1000, 1000)) == nil)
        var none = self.breaker(0)
        _ = none.verdict(sample(0, 0, 0))
        #expect(none.verdict(sample(1, 1000, 1)) != nil, "a share of 0 allows none")
    }

    @Test("only the window counts: old trouble is forgotten, new trouble is not hidden by a good past")
    func window() {
        var breaker = breaker()
        _ = breaker.verdict(sample(0, 0, 0))
        for second in 1...300 { #expect(breaker.verdict(sample(Int64(second), second * 1000, 0)) == nil) }
        // 5 % of the last minute are 3,000 records.
        #expect(breaker.verdict(sample(301, 300_900, 2900, ["a": 2900])) == nil)
        let verdict = breaker.verdict(sample(302, 301_900, 3900, ["a": 3900]))
        #expect(verdict?.bad == 3900 && (verdict?.total ?? 0) < 63_000)
        for second in 303...400 { _ = breaker.verdict(sample(Int64(second), 301_900 + second * 1000, 3900)) }
        #expect(breaker.verdict(sample(401, 800_000, 3900)) == nil)
    }
}
