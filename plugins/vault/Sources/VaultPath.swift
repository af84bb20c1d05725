import Diagnostics
import HTTPClient
import PluginAPI

/// Which field of which path a secret's key names: `path#field`; without `#`, the field `value`.
struct VaultPath: Hashable {
    var path: String
    var field: String

    init(key: String) throws(PipelineError) {
        let parts = key.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts[0])
        field = parts.count > 1 ? String(parts[1]) : "value"
        guard Self.isPath(path), !field.isEmpty else {
            throw PipelineError(
                .invalidSecretKey, "'\(key)' is not the key of a secret of a vault",
                hint: "write path#field, such as app/database#password; without '#' the field is 'value'",
                component: "secrets vault", exitCode: 2)
        }
    }

    /// Whether the text is one or more names with a slash between them.
    static func isPath(_ text: String) -> Bool {
        text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && $0 != "." && $0 != ".."
        }
    }

    /// The path as it stands in a URL: names escaped, slashes kept.
    static func escaped(_ path: String) -> String {
        path.split(separator: "/").map { HTTPURL.escape(String($0)) }.joined(separator: "/")
    }
}
