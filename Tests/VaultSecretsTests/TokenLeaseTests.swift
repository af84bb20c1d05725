import Testing

@testable import VaultSecrets

/// Times are seconds after the token was received; it lives nine.
///
///     0 ───── use ───── 6 ── renew ── 9 expired
@Suite("Leases of tokens")
struct TokenLeaseTests {
    private let begin = ContinuousClock.now

    private func lease(_ seconds: Int = 9, isRenewable: Bool = true, at time: Double = 0) -> TokenLease {
        TokenLease(seconds: seconds, isRenewable: isRenewable, at: begin + .seconds(time))
    }

    @Test(
        "what is to be done when",
        arguments: [
            (5.9, true, true, .use), (6, true, true, .renew), (6, true, false, .renew), (8.9, false, true, .logIn),
            (8.9, false, false, .use), (9, true, true, .logIn), (9, true, false, .expired),
            (99, false, false, .expired),
        ] as [(Double, Bool, Bool, TokenLease.Action)])
    func action(time: Double, isRenewable: Bool, canLogIn: Bool, expected: TokenLease.Action) {
        #expect(lease(isRenewable: isRenewable).action(at: begin + .seconds(time), canLogIn: canLogIn) == expected)
    }

    @Test("a token without an end is used for ever", arguments: [true, false])
    func endless(canLogIn: Bool) {
        #expect(lease(0).action(at: begin + .seconds(1e9), canLogIn: canLogIn) == .use)
        #expect(lease(0).renewalTime == nil)
    }

    @Test("a renewal begins a new life of its own length")
    func renewed() {
        let lease = lease().renewed(seconds: 12, isRenewable: true, at: begin + .seconds(6))
        #expect(lease.renewalTime == begin + .seconds(14))
        #expect(lease.expirationTime == begin + .seconds(18))
        #expect(lease.action(at: begin + .seconds(14), canLogIn: true) == .renew)
    }

    @Test("a renewal that gives less than the last is the last")
    func cut() {
        let lease = lease().renewed(seconds: 6, isRenewable: true, at: begin + .seconds(6))
        #expect(lease.action(at: begin + .seconds(9), canLogIn: true) == .use)
        #expect(lease.action(at: begin + .seconds(10), canLogIn: true) == .logIn)
        #expect(lease.action(at: begin + .seconds(10), canLogIn: false) == .use)
        #expect(lease.action(at: begin + .seconds(12), canLogIn: false) == .expired)
    }

    @Test("a renewal that gives no whole second leaves the end where it was")
    func nothingLeft() {
        let lease = lease().renewed(seconds: 0, isRenewable: true, at: begin + .seconds(8))
        #expect(lease.expirationTime == begin + .seconds(9))
        #expect(lease.action(at: begin + .seconds(8), canLogIn: true) == .logIn)
    }
}
