import ConfigTree
import Diagnostics
import Glibc
public import PluginAPI

/// Secrets from the process's environment, then from a dotenv file.
public struct EnvironmentSecrets: SecretBackendPlugin {
    public static let spec = PluginSpec(
        kind: .secretBackend, name: "env",
        summary: "Secrets from the process's environment, then from a dotenv file in the project's folder.",
        options: [
            OptionSpec(
                "dotenv", .path, default: ".env",
                doc: "A dotenv file that is asked after the environment. The default file may be absent.",
                example: "secrets/local.env")
        ])

    static let byteLimit = 1 << 20
    private let lookup: @Sendable (String) -> String?

    /// Secrets of this process's environment.
    public init() { self.init { getenv($0).map { String(cString: $0) } } }

    /// - Parameter lookup: The value of an environment variable. Any thread.
    public init(lookup: @escaping @Sendable (String) -> String?) { self.lookup = lookup }

    /// Reads the dotenv file.
    ///
    /// Throws `SP4001` when a file that was named is not there, `SP4002` when it cannot be read, `SP4004` when it is
    /// malformed.
    public func open(_ options: OptionValues, _ context: PluginContext) throws -> any SecretBackend {
        let path = options.string("dotenv") ?? ".env"
        let bytes: [UInt8]
        do throws(FileReadError) {
            bytes = try FileBytes(path: context.absolute(path), byteLimit: Self.byteLimit).bytes
        } catch {
            if error == .notFound, options.location("dotenv") == nil {
                return EnvironmentSecretBackend(lookup: lookup, dotenv: [:])
            }
            throw PipelineError(
                error == .notFound ? .secretFileMissing : .secretFileUnreadable,
                "cannot read the dotenv file '\(path)': \(error)",
                hint: "'dotenv' of the secret backend 'env' names it", component: "secrets env",
                exitCode: error == .notFound ? 3 : 1)
        }
        var diagnostics = Diagnostics()
        let values = DotenvText.parse(bytes: bytes, file: path, into: &diagnostics)
        if let first = diagnostics.sorted.first(where: { $0.severity == .error }) {
            let place = first.location.map { ":\($0.line):\($0.column)" } ?? ""
            throw PipelineError(
                .secretFileInvalid, "\(path)\(place): \(first.message)",
                hint: first.hint ?? "write NAME=value, one on a line", component: "secrets env", exitCode: 2)
        }
        return EnvironmentSecretBackend(lookup: lookup, dotenv: values.mapValues { Secret($0) })
    }
}

struct EnvironmentSecretBackend: SecretBackend {
    let lookup: @Sendable (String) -> String?
    let dotenv: [String: Secret]

    func secret(named key: String) throws -> Secret? {
        lookup(key).map { Secret($0) } ?? dotenv[key]
    }

    func health() -> ComponentHealth { ComponentHealth(version: "environment") }
}
