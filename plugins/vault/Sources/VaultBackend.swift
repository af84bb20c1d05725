import Dispatch
import PluginAPI
import Synchronization

/// An open connection to a vault, which keeps its token alive while the backend is held.
///
/// Threads: any; calls wait for each other, as they share one connection.
final class VaultBackend: SecretBackend {
    private let session: Mutex<VaultSession>
    private let notify: @Sendable (String) -> Void
    private let queue = DispatchQueue(label: "streamplat.secrets.vault")

    init(settings: VaultSettings, notify: @escaping @Sendable (String) -> Void) throws {
        session = Mutex(try VaultSession(settings))
        self.notify = notify
        maintain(at: session.withLock { $0.token.lease.renewalTime })
    }

    func secret(named key: String) throws -> Secret? {
        let path = try VaultPath(key: key)
        return try session.withLock { session in try session.secret(path) }
    }

    func health() throws -> ComponentHealth { try session.withLock { session in try session.health() } }

    private func maintain(at time: ContinuousClock.Instant?) {
        guard let time else { return }
        let milliseconds = max(0, Int(((time - .now) / .milliseconds(1)).rounded(.up)))
        // Without holding the backend: when nobody holds it any more, nobody needs its token.
        queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [weak self] in
            guard let self else { return }
            let result = session.withLock { $0.maintain(now: .now) }
            if let message = result.message { notify(message) }
            maintain(at: result.next)
        }
    }
}
