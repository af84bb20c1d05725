import Diagnostics
import PluginAPI

extension VaultSession {
    /// What comes of keeping the token alive.
    struct Maintenance: Sendable {
        /// When to come again; nil = never.
        var next: ContinuousClock.Instant?
        /// What a person should know.
        var message: String?
    }

    private static let longestPause = Duration.seconds(30)
    private static let shortestPause = Duration.seconds(1)

    /// Renews the token, or logs in anew, when two thirds of its life are over. A failure is tried again, more often
    /// the sooner the token expires, and said once.
    func maintain(now: ContinuousClock.Instant) -> Maintenance {
        do throws(PipelineError) {
            switch token.lease.action(at: now, canLogIn: token.canLogIn) {
            case .renew: try token.renewOrLogIn(now: now)
            case .logIn: try token.logIn(now: now)
            case .expired:
                return Maintenance(message: "the token of the vault at \(settings.address) has expired")
            case .use:
                guard let renewalTime = token.lease.renewalTime, let expirationTime = token.lease.expirationTime,
                    now >= renewalTime
                else { return Maintenance(next: token.lease.renewalTime) }
                let seconds = (expirationTime - now).components.seconds
                return Maintenance(
                    message:
                        "the token of the vault at \(settings.address) expires in \(seconds) s and cannot be renewed")
            }
            isMaintenanceFailing = false
            return Maintenance(next: token.lease.renewalTime)
        } catch {
            let isNew = !isMaintenanceFailing
            isMaintenanceFailing = true
            let left = token.lease.expirationTime.map { $0 - now } ?? .zero
            let pause = left > .zero ? min(Self.longestPause, left / 4) : Self.longestPause
            return Maintenance(
                next: now + max(Self.shortestPause, pause),
                message: isNew ? "the token of the vault is not renewed: \(error.message)" : nil)
        }
    }
}
