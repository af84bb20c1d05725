internal import ConfigTree
internal import Diagnostics
internal import PlatformModel
public import PluginAPI
internal import ProjectConfig

extension Project {
    /// Opens the secret backend. Throws ``DiagnosticsError`` when a variable of its options is not set, and
    /// ``PipelineError`` with exit code 3 when it is not there.
    public func openSecrets(notify: @escaping @Sendable (String) -> Void) throws -> any SecretBackend {
        guard let plugin = plugins.secretBackend(platform.secrets.type) else {
            throw PipelineError(.pluginMissing, "secret backend '\(platform.secrets.type)' has no plugin")
        }
        var diagnostics = Diagnostics()
        let resolved = configuration.resolvingEnvironment(
            at: "secrets.\(platform.secrets.type)", lookup: ConfigurationLoader.processEnvironment, into: &diagnostics)
        try diagnostics.throwIfErrors()
        guard let settings = PlatformSettings.check(resolved.tree, plugins: plugins, into: &diagnostics) else {
            throw DiagnosticsError(diagnostics: diagnostics)
        }
        try diagnostics.throwIfErrors()
        return try opening(settings.secrets, type(of: plugin).spec, at: "secrets") {
            try plugin.open(settings.secrets.options, context(.inspect, notify))
        }
    }

    /// Reports options of secret backends that would have to be asked for at a secret backend.
    static func checkSecretOptions(_ tree: ConfigNode, into diagnostics: inout Diagnostics) {
        tree.node(at: "secrets")?.forEachSecretVariable(path: ["secrets"]) { name, location, path in
            diagnostics.error(
                .secretNeedsSecret, "the secret '\(name)' is needed to open the secret backend itself", at: location,
                path: ConfigPath(segments: path).description,
                hint: "options of a secret backend come from the environment: $<env:NAME>")
        }
    }
}

extension ConfigNode {
    var holdsSecretVariable: Bool {
        var isFound = false
        forEachSecretVariable(path: []) { _, _, _ in isFound = true }
        return isFound
    }

    /// Calls `body` with the name, the place and the path of each `$<secret:…>` that is not resolved yet. Malformed
    /// variables are reported elsewhere.
    fileprivate func forEachSecretVariable(path: [String], _ body: (String, SourceLocation, [String]) -> Void) {
        switch value {
        case .scalar(let scalar):
            guard scalar.holdsVariable, let pieces = try? VariableText.parse(scalar.text) else { return }
            for case .variable(let variable) in pieces where variable.kind == .secret {
                body(variable.name, location(ofText: variable.range), path)
            }
        case .sequence(let items):
            for (index, item) in items.enumerated() {
                item.forEachSecretVariable(path: path + [String(index)], body)
            }
        case .mapping(let mapping):
            for entry in mapping.entries where !entry.key.hasPrefix("x-") {
                entry.node.forEachSecretVariable(path: path + [entry.key], body)
            }
        }
    }
}
