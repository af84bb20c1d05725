/// How long a token lives and what must be done about it. A value: time comes in, a decision comes out.
///
///     ├────────── use ──────────┼── renew, else log in ──┤ log in, else expired
///     received            two thirds                  expires
struct TokenLease: Hashable, Sendable {
    enum Action: Hashable, Sendable {
        case use
        case renew
        case logIn
        /// Nothing helps but another token.
        case expired
    }

    private var received: ContinuousClock.Instant
    private var lifetime: Duration?
    private var isRenewable: Bool

    /// - Parameter seconds: 0 = the token does not expire.
    init(seconds: Int, isRenewable: Bool, at now: ContinuousClock.Instant) {
        received = now
        lifetime = seconds > 0 ? .seconds(seconds) : nil
        self.isRenewable = isRenewable
    }

    /// When something is to be done before the token expires; nil for one that does not.
    var renewalTime: ContinuousClock.Instant? { lifetime.map { received + $0 * 2 / 3 } }
    var expirationTime: ContinuousClock.Instant? { lifetime.map { received + $0 } }

    func action(at now: ContinuousClock.Instant, canLogIn: Bool) -> Action {
        guard let renewalTime, let expirationTime else { return .use }
        if now >= expirationTime { return canLogIn ? .logIn : .expired }
        if now < renewalTime { return .use }
        if isRenewable { return .renew }
        return canLogIn ? .logIn : .use
    }

    /// The lease after a renewal. One that got shorter than the last is cut by the token's maximal lifetime: renewing
    /// it again would gain nothing. 0 seconds are less than one.
    func renewed(seconds: Int, isRenewable: Bool, at now: ContinuousClock.Instant) -> TokenLease {
        if seconds <= 0, lifetime != nil { return withoutRenewal }
        let isCut = lifetime.map { .seconds(seconds) < $0 } ?? false
        return TokenLease(seconds: seconds, isRenewable: isRenewable && !isCut, at: now)
    }

    /// The lease of a token that the server will not renew.
    var withoutRenewal: TokenLease {
        var result = self
        result.isRenewable = false
        return result
    }
}
