import ConfigTree
import Diagnostics
import PluginAPI
import YAMLTree

/// The secrets of one YAML, JSON or dotenv file.
///
/// A key of a dotenv file is its name. In YAML and JSON a key is a dotted path: `db.password`; a scalar of any type is
/// its text.
struct SecretDocument: Sendable {
    private enum Content {
        case tree(ConfigNode)
        case pairs([String: Secret])
    }

    let file: String
    private let content: Content

    init(bytes: [UInt8], file: String) throws(PipelineError) {
        self.file = file
        let name = file.split(separator: "/").last.map(String.init) ?? file
        var diagnostics = Diagnostics()
        if name.hasSuffix(".env") || name.hasPrefix(".env") {
            let values = DotenvText.parse(bytes: bytes, file: file, into: &diagnostics)
            content = .pairs(values.mapValues { Secret($0) })
        } else if [".yaml", ".yml", ".json"].contains(where: { name.hasSuffix($0) }) {
            let tree = YAMLTree.parse(bytes: bytes, file: file, layer: ConfigLayer("secrets"), into: &diagnostics)
            if let tree, tree.mapping == nil {
                diagnostics.error(
                    .layerIsNoMap, "it holds \(tree.kindDescription), not a map of keys", at: tree.location)
            }
            content = tree.map(Content.tree) ?? .pairs([:])
        } else {
            throw PipelineError(
                .secretFileInvalid, "the format of '\(file)' is not known",
                hint: "name it .yaml, .json or .env, or give a folder with one file per key",
                component: "secrets file", exitCode: 2)
        }
        // No excerpt: a line of this file may hold a secret.
        if let first = diagnostics.sorted.first(where: { $0.severity == .error }) {
            let place = first.location.map { ":\($0.line):\($0.column)" } ?? ""
            throw PipelineError(
                .secretFileInvalid, "\(file)\(place): \(first.message)", hint: first.hint, component: "secrets file",
                exitCode: 2)
        }
    }

    func secret(named key: String) throws(PipelineError) -> Secret? {
        switch content {
        case .pairs(let pairs): return pairs[key]
        case .tree(let tree):
            guard let node = tree.child(key) ?? tree.node(at: key), !node.isNull else { return nil }
            guard let scalar = node.scalar else {
                throw PipelineError(
                    .invalidSecretKey, "'\(key)' of '\(file)' is \(node.kindDescription), not a value",
                    hint: "name a key in it, such as \(key).password", component: "secrets file", exitCode: 2)
            }
            return Secret(scalar.text)
        }
    }
}

struct DocumentSecretBackend: SecretBackend {
    private let document: SecretDocument

    init(_ document: SecretDocument) { self.document = document }

    func secret(named key: String) throws -> Secret? { try document.secret(named: key) }

    func health() -> ComponentHealth { ComponentHealth(version: "secret file", detail: document.file) }
}
