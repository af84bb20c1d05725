import Diagnostics
import HTTPClient
import PluginAPI

/// What went wrong between us and the server: facts. ``error(_:)`` writes the sentences.
enum VaultFailure: Error {
    /// No whole answer.
    case transport(HTTPError)
    case sealed
    case notInitialized
    /// A node that sends its clients elsewhere.
    case redirected(status: Int)
    /// The server cannot answer now.
    case unavailable(status: Int, words: String)
    /// The answer is not one of a Vault.
    case malformed(status: Int)
    /// 403: the token or what it may do.
    case denied
    case notFound(VaultAnswer)
    /// The mount is no key-value engine, but this.
    case otherEngine(String)
    /// Another refusal.
    case refused(status: Int, words: String)

    init(_ response: HTTPResponse, _ answer: VaultAnswer?, words: String) {
        switch response.status {
        case 301, 302, 303, 307, 308: self = .redirected(status: response.status)
        // A proxy that forbids answers with a page of its own.
        case 403 where answer?.errors != nil: self = .denied
        case 429, 472, 473: self = .unavailable(status: response.status, words: words)
        case 501: self = .notInitialized
        case 500...599:
            self = words.contains("sealed") ? .sealed : .unavailable(status: response.status, words: words)
        case _ where answer == nil: self = .malformed(status: response.status)
        case 404: self = answer.map(Self.notFound) ?? .malformed(status: response.status)
        default: self = .refused(status: response.status, words: words)
        }
    }

    /// - Parameter action: What was being done: `log in by auth/approle`.
    func error(_ action: String, _ settings: VaultSettings) -> PipelineError {
        let (code, message, hint, isTransient) = sentence(action, settings)
        return PipelineError(
            code, message, hint: hint, component: "secrets vault", retry: isTransient ? .backoff : .never, exitCode: 3)
    }

    private func sentence(_ action: String, _ settings: VaultSettings) -> (DiagnosticCode, String, String?, Bool) {
        let address = settings.address
        return switch self {
        case .transport(let error): Self.sentence(error, action, address)
        case .sealed:
            (
                .vaultSealed, "the vault at \(address) is sealed",
                "somebody who holds its keys must unseal it: 'vault operator unseal' or 'bao operator unseal'", true
            )
        case .notInitialized:
            (
                .vaultSealed, "the vault at \(address) is not initialised",
                "'vault operator init' or 'bao operator init' does it once", false
            )
        case .redirected(let status):
            (
                .vaultUnavailable, "cannot \(action): \(address) answers \(status), a redirect, which is not followed",
                "a token must not travel further than 'address': name the active node or its load balancer, with its "
                    + "scheme", true
            )
        case .unavailable(let status, let words):
            (
                .vaultUnavailable, "cannot \(action): \(address) answers \(status)\(words.isEmpty ? "" : ": \(words)")",
                "the server or what stands before it is overloaded or broken; its log says more", true
            )
        case .malformed(let status):
            (
                .vaultMalformedAnswer,
                "cannot \(action): \(address) answers \(status) with something that no vault would say",
                "is 'address' the vault itself, and nothing else between?", false
            )
        case .denied:
            (
                .vaultForbidden, "cannot \(action): permission denied (403)",
                "a policy of the token or role must allow it", false
            )
        case .notFound(let answer): Self.sentence(notFound: answer, action, settings)
        case .otherEngine(let type):
            (
                .vaultMountMissing, "cannot \(action): the mount is an engine of type '\(type)', not 'kv'",
                "'mount' of the secret backend 'vault' names a key-value engine", false
            )
        case .refused(let status, let words):
            (
                .vaultForbidden, "cannot \(action): the vault refuses (\(status))\(words.isEmpty ? "" : ": \(words)")",
                nil, false
            )
        }
    }

    private static func sentence(
        notFound answer: VaultAnswer, _ action: String, _ settings: VaultSettings
    ) -> (DiagnosticCode, String, String?, Bool) {
        let namespace = settings.namespace.map { " in the namespace '\($0)'" } ?? ""
        return switch answer.errors?.first {
        case .some(let words) where words.contains("namespace not found"):
            (
                .vaultMountMissing, "the vault at \(settings.address) has no namespace '\(settings.namespace ?? "")'",
                "'namespace' of the secret backend 'vault' names it, from the root on", false
            )
        case .some(let words) where words.contains("no handler for route"):
            (
                .vaultMountMissing, "cannot \(action): the vault has no such mount\(namespace)",
                "'mount' of the secret backend 'vault' names the key-value engine, 'auth_mount' the auth method", false
            )
        default:
            (
                .vaultMountMissing, "cannot \(action): the vault at \(settings.address) has no such path (404)",
                "is 'address' a vault, without anything after its port?", false
            )
        }
    }

    private static func sentence(
        _ error: HTTPError, _ action: String, _ address: String
    ) -> (DiagnosticCode, String, String?, Bool) {
        switch error.kind {
        case .unresolved, .refused, .other:
            (
                .vaultUnreachable, "cannot reach the vault at \(address): \(error.detail)",
                "is it running, and is 'address' right?", true
            )
        case .timeout:
            (
                .vaultTimeout, "cannot \(action): no answer from \(address) in time: \(error.detail)",
                "'connect_timeout' and 'timeout' of the secret backend 'vault' say how long to wait", true
            )
        case .tls:
            (
                .vaultTLS, "no secure connection to the vault at \(address): \(error.detail)",
                "'ca_file' names the authority that signed its certificate; the certificate must name the host", false
            )
        case .cut:
            (
                .vaultMalformedAnswer, "cannot \(action): the answer of \(address) is not whole: \(error.detail)",
                "the connection was lost, or what listens there is no vault", true
            )
        case .tooLarge:
            (
                .vaultMalformedAnswer, "cannot \(action): the answer of \(address) is too long: \(error.detail)",
                "is 'address' a vault?", false
            )
        case .invalid:
            (
                .vaultOptions, "cannot \(action): \(error.detail)", "look at the options of the secret backend 'vault'",
                false
            )
        }
    }
}
