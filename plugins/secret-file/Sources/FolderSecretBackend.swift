import Diagnostics
import PluginAPI

/// A folder with one file per key; `db/password` is the file `password` in the folder `db`.
struct FolderSecretBackend: SecretBackend {
    let folder: String
    let shown: String
    let reader: SecretFileReader

    func secret(named key: String) throws -> Secret? {
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." || $0.contains("\0") }) else {
            throw PipelineError(
                .invalidSecretKey, "'\(key)' is not the name of a file in '\(shown)'",
                hint: "a key names a file below the folder, such as db/password", component: "secrets file", exitCode: 2
            )
        }
        guard var bytes = try reader.read("\(folder)/\(key)", shown: "\(shown)/\(key)") else { return nil }
        // Editors and `echo` end a file with a newline that nobody means.
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw PipelineError(
                .secretFileInvalid, "'\(shown)/\(key)' is not UTF-8 text", component: "secrets file", exitCode: 2)
        }
        return Secret(text)
    }

    func health() -> ComponentHealth { ComponentHealth(version: "secret files", detail: shown) }
}
