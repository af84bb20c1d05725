import Diagnostics
import PluginAPI
import Synchronization

/// Passes on what a secret backend says and remembers with which exit code it failed.
final class ObservedSecrets: SecretBackend {
    private let backend: any SecretBackend
    private let failureCode = Mutex<Int32?>(nil)

    init(_ backend: any SecretBackend) { self.backend = backend }

    func secret(named key: String) throws -> Secret? {
        do {
            return try backend.secret(named: key)
        } catch let error as PipelineError {
            failureCode.withLock { $0 = max($0 ?? 0, error.exitCode) }
            throw error
        }
    }

    func health() throws -> ComponentHealth { try backend.health() }

    /// The command's exit code: the backend's own when it failed and nothing else is wrong, else 2.
    func exitCode(of diagnostics: Diagnostics) -> Int32 {
        let isBackendOnly = diagnostics.items.allSatisfy { $0.severity != .error || $0.code == .secretBackendFailed }
        return isBackendOnly ? failureCode.withLock { $0 } ?? 2 : 2
    }
}
