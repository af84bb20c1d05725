import ConfigTree
import Diagnostics
import HTTPClient
import PluginAPI

/// The options of the plugin, typed.
struct VaultSettings: Sendable {
    enum Method: String, CaseIterable, Sendable {
        case token, approle, kubernetes

        init(_ options: OptionValues) { self = options.string("auth").flatMap(Self.init) ?? .token }

        /// The options that only this way to log in takes.
        var keys: [String] {
            switch self {
            case .token: ["token"]
            case .approle: ["role_id", "secret_id"]
            case .kubernetes: ["role", "jwt_file"]
            }
        }

        var requiredKeys: [String] {
            switch self {
            case .token: ["token"]
            case .approle: ["role_id"]
            case .kubernetes: ["role", "jwt_file"]
            }
        }
    }

    enum Login: Sendable {
        case token(Secret)
        case appRole(roleID: String, secretID: Secret?)
        case kubernetes(role: String, jwtFile: String)

        /// The options that say who logs in.
        var options: [String] {
            switch self {
            case .token: ["token"]
            case .appRole: ["role_id", "secret_id"]
            case .kubernetes: ["role", "jwt_file"]
            }
        }
    }

    var address: String
    var login: Login
    /// Below `auth/`.
    var authMount: String
    var namespace: String?
    var mount: String
    /// Nil = the server is asked.
    var version: Int?
    var cacheLimit: Duration?
    var http: HTTPClientOptions

    init(_ options: OptionValues, _ context: PluginContext) throws(PipelineError) {
        func needed(_ key: String) throws(PipelineError) -> String {
            guard let text = options.string(key), !text.isEmpty else { throw Self.missing(key) }
            return text
        }
        let address = try needed("address")
        if let problem = Self.problem(ofAddress: address) {
            throw PipelineError(.vaultOptions, problem, component: "secrets vault", exitCode: 2)
        }
        self.address = address.hasSuffix("/") ? String(address.dropLast()) : address
        let method = Method(options)
        switch method {
        case .token:
            guard let token = options.secret("token"), token.withValue({ !$0.isEmpty }) else {
                throw Self.missing("token")
            }
            login = .token(token)
        case .approle: login = .appRole(roleID: try needed("role_id"), secretID: options.secret("secret_id"))
        case .kubernetes:
            login = .kubernetes(role: try needed("role"), jwtFile: context.absolute(try needed("jwt_file")))
        }
        authMount = options.string("auth_mount") ?? method.rawValue
        namespace = options.string("namespace")
        mount = options.string("mount") ?? "secret"
        version = options.string("kv_version").flatMap { Int($0) }
        cacheLimit = options.milliseconds("cache").map { .milliseconds($0) }
        http = HTTPClientOptions(
            connectTimeoutMilliseconds: Int(clamping: options.milliseconds("connect_timeout") ?? 5_000),
            timeoutMilliseconds: Int(clamping: options.milliseconds("timeout") ?? 10_000),
            certificateAuthorityFile: options.string("ca_file").map(context.absolute),
            clientCertificateFile: options.string("client_certificate_file").map(context.absolute),
            clientKeyFile: options.string("client_key_file").map(context.absolute), responseByteLimit: 4 << 20)
    }

    /// What is wrong with an address; nil for one that still holds a variable.
    static func problem(ofAddress address: String) -> String? {
        if VariableText.containsVariable(address) { return nil }
        let lowercased = address.lowercased()
        guard let scheme = ["http://", "https://"].first(where: lowercased.hasPrefix), address.count > scheme.count
        else {
            return "'address' is not an http or https URL"
        }
        if address.contains("@") { return "'address' holds credentials" }
        if address.contains(where: { "?# ".contains($0) }) { return "'address' is more than a server's URL" }
        if lowercased.hasSuffix("/v1") || lowercased.hasSuffix("/v1/") { return "'address' ends with '/v1'" }
        return nil
    }

    private static func missing(_ key: String) -> PipelineError {
        PipelineError(
            .vaultOptions, "the option '\(key)' has no value",
            hint: "'\(key)' stands under 'secrets.vault' of the configuration", component: "secrets vault", exitCode: 2)
    }
}
