import ConfigTree
public import Diagnostics
public import PluginAPI

/// Secrets from a key-value engine of HashiCorp Vault or OpenBao.
public struct VaultSecrets: SecretBackendPlugin {
    public static let spec = PluginSpec(
        kind: .secretBackend, name: "vault",
        summary: "Secrets from a key-value engine (version 1 or 2) of HashiCorp Vault or OpenBao.",
        options: [
            OptionSpec(
                "address", .string, isRequired: true,
                doc: "The server's URL, without '/v1'.", example: "https://vault.example.com:8200"),
            OptionSpec("auth", .choice(["token", "approle", "kubernetes"]), default: "token", doc: "How to log in."),
            OptionSpec("token", .string, isSecret: true, doc: "For auth token.", example: "$<env:VAULT_TOKEN>"),
            OptionSpec("role_id", .string, doc: "For auth approle.", example: "$<env:VAULT_ROLE_ID>"),
            OptionSpec(
                "secret_id", .string, isSecret: true, doc: "For auth approle, unless the role needs none.",
                example: "$<env:VAULT_SECRET_ID>"),
            OptionSpec("role", .string, doc: "For auth kubernetes: the role's name.", example: "streamplat"),
            OptionSpec(
                "jwt_file", .path, default: "/var/run/secrets/kubernetes.io/serviceaccount/token",
                doc: "For auth kubernetes: the file of the service account's token, read at each login."),
            OptionSpec(
                "auth_mount", .string, doc: "Where the auth method is mounted; without it, under its own name.",
                example: "approle-prod"),
            OptionSpec("namespace", .string, doc: "The namespace of everything that is asked.", example: "team/data"),
            OptionSpec("mount", .string, default: "secret", doc: "Where the key-value engine is mounted."),
            OptionSpec(
                "kv_version", .choice(["auto", "1", "2"]), default: "auto",
                doc: "The engine's version; 'auto' asks the server once."),
            OptionSpec(
                "ca_file", .path, doc: "A PEM file of the authorities to trust instead of the system's.",
                example: "config/vault-ca.pem"),
            OptionSpec("client_certificate_file", .path, doc: "A PEM file of the certificate to show to the server."),
            OptionSpec(
                "client_key_file", .path, doc: "A PEM file of that certificate's key; without it, the same file."),
            OptionSpec("connect_timeout", .duration, default: "5 seconds", doc: "For a connection, TLS included."),
            OptionSpec("timeout", .duration, default: "10 seconds", doc: "For a whole request, connecting included."),
            OptionSpec(
                "cache", .duration,
                doc: "How long a path's fields are kept; without it, for its lease or, without one, as long as the "
                    + "program runs.",
                example: "10 minutes"),
        ])

    public init() {}

    /// Each way to log in has its options; those of another way are warned about.
    public func validate(_ options: OptionValues, into diagnostics: inout Diagnostics) {
        if options.string("auth").map(VariableText.containsVariable) != true {
            checkMethod(VaultSettings.Method(options), options, into: &diagnostics)
        }
        if let address = options.string("address"), let problem = VaultSettings.problem(ofAddress: address) {
            diagnostics.error(
                .vaultOptions, problem, at: options.location("address"), path: "secrets.vault.address",
                hint: "Example: address: https://vault.example.com:8200")
        }
        for key in ["mount", "namespace", "auth_mount"] {
            guard let text = options.string(key), !VariableText.containsVariable(text), !VaultPath.isPath(text) else {
                continue
            }
            diagnostics.error(
                .vaultOptions, "'\(key)' is not a path", at: options.location(key), path: "secrets.vault.\(key)",
                hint: "words with '/' between them, none at the beginning or end")
        }
        for key in ["connect_timeout", "timeout", "cache"] {
            guard let milliseconds = options.milliseconds(key), milliseconds <= 0 else { continue }
            diagnostics.error(
                .invalidValue, "'\(key)' must be positive", at: options.location(key), path: "secrets.vault.\(key)")
        }
    }

    private func checkMethod(
        _ method: VaultSettings.Method, _ options: OptionValues, into diagnostics: inout Diagnostics
    ) {
        for key in method.requiredKeys where options.isMissing(key) {
            diagnostics.error(
                .missingKey, "auth '\(method.rawValue)' needs the option '\(key)'", at: options.location("auth"),
                path: "secrets.vault.\(key)", hint: "credentials come from the environment: $<env:NAME>")
        }
        for other in VaultSettings.Method.allCases where other != method {
            for key in other.keys {
                guard let location = options.location(key) else { continue }
                diagnostics.warning(
                    .vaultOptions, "'\(key)' is of no use with auth '\(method.rawValue)'", at: location,
                    path: "secrets.vault.\(key)", hint: "it belongs to auth '\(other.rawValue)'")
            }
        }
    }

    /// Logs in, or looks at the token that is given.
    ///
    /// Throws ``PipelineError`` with exit code 3: `SP4200` when the server is not there, `SP4201` to `SP4205` when it
    /// is slow, not to be trusted, sealed, not able to answer or no Vault, `SP4206` and `SP4207` when it refuses the
    /// credentials.
    public func open(_ options: OptionValues, _ context: PluginContext) throws -> any SecretBackend {
        let settings = try VaultSettings(options, context)
        return try VaultBackend(settings: settings, notify: context.notify)
    }
}

extension OptionValues {
    /// Whether an option has no value at all; one that an unresolved variable stands for has.
    fileprivate func isMissing(_ key: String) -> Bool {
        (string(key) ?? secret(key)?.withValue { $0 } ?? "").isEmpty
    }
}
