import Diagnostics
import Glibc
public import PluginAPI

/// Secrets from a folder with one file per key, or from one YAML, JSON or dotenv file.
public struct FileSecrets: SecretBackendPlugin {
    public static let spec = PluginSpec(
        kind: .secretBackend, name: "file",
        summary: "Secrets from a folder with one file per key, or from one YAML, JSON or dotenv file.",
        options: [
            OptionSpec(
                "path", .path, isRequired: true,
                doc: "The folder, or the file: .yaml, .yml, .json, or .env (also a name that begins with .env).",
                example: "/run/secrets"),
            OptionSpec(
                "allow_world_readable", .boolean, default: "false",
                doc: "Accept files that everybody on the machine may read."),
        ])

    static let byteLimit = 1 << 20

    public init() {}

    /// Looks whether the path is a folder, or reads the file.
    ///
    /// Throws `SP4001` when nothing is there, `SP4002` when it cannot be read, `SP4003` when everybody may read it,
    /// `SP4004` when its format is not known or it is malformed.
    public func open(_ options: OptionValues, _ context: PluginContext) throws -> any SecretBackend {
        guard let path = options.string("path") else {
            throw PipelineError(
                .secretFileMissing, "the option 'path' is not given", component: "secrets file", exitCode: 2)
        }
        let reader = SecretFileReader(allowsWorldReadable: options.boolean("allow_world_readable") ?? false)
        let absolute = context.absolute(path)
        var status = stat()
        if stat(absolute, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            return FolderSecretBackend(folder: absolute, shown: path, reader: reader)
        }
        guard let bytes = try reader.read(absolute, shown: path) else {
            throw PipelineError(
                .secretFileMissing, "the secret file or folder '\(path)' is not there",
                hint: "'path' of the secret backend 'file' names it", component: "secrets file", exitCode: 3)
        }
        return DocumentSecretBackend(try SecretDocument(bytes: bytes, file: path))
    }
}

/// Reads a secret file and refuses one that everybody may read.
struct SecretFileReader {
    let allowsWorldReadable: Bool

    /// The content; nil when there is no such file.
    func read(_ path: String, shown: String) throws(PipelineError) -> [UInt8]? {
        let file: FileBytes
        do throws(FileReadError) {
            file = try FileBytes(path: path, byteLimit: FileSecrets.byteLimit)
        } catch {
            if error == .notFound { return nil }
            throw PipelineError(
                .secretFileUnreadable, "cannot read '\(shown)': \(error)", component: "secrets file")
        }
        if file.isWorldReadable, !allowsWorldReadable {
            throw PipelineError(
                .secretFileWorldReadable, "'\(shown)' may be read by everybody on this machine",
                hint: "chmod o-r '\(shown)', or set allow_world_readable: true", component: "secrets file", exitCode: 2)
        }
        return file.bytes
    }
}
