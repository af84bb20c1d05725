import Diagnostics
import PluginAPI

extension VaultSession {
    /// Why a path cannot be read, as exactly as the answer says.
    func explained(_ failure: VaultFailure, _ key: VaultPath) -> PipelineError {
        let action = "read '\(key.path)' of the mount '\(settings.mount)'"
        switch failure {
        case .denied where version == nil:
            return PipelineError(
                .vaultForbidden,
                "the token may read nothing in the mount '\(settings.mount)', or there is no such mount (403)",
                hint: "a policy must allow to read \(policyPath(key)); 'mount' names the engine",
                component: "secrets vault", exitCode: 3)
        case .denied:
            return PipelineError(
                .vaultForbidden, "the token may not \(action) (403)",
                hint: "a policy must allow to read \(policyPath(key))", component: "secrets vault", exitCode: 3)
        case .notFound(let answer): return notFound(answer, key)
        default: return failure.error(action, settings)
        }
    }

    private func policyPath(_ key: VaultPath) -> String {
        switch version {
        case 1: "\(settings.mount)/\(key.path)"
        case 2: "\(settings.mount)/data/\(key.path)"
        default: "\(settings.mount)/data/\(key.path) (version 1: \(settings.mount)/\(key.path))"
        }
    }

    private func notFound(_ answer: VaultAnswer, _ key: VaultPath) -> PipelineError {
        // Nothing at a path has no words: the others are about the way there.
        guard (answer.errors ?? []).isEmpty else {
            return VaultFailure.notFound(answer).error("read '\(key.path)' of the mount '\(settings.mount)'", settings)
        }
        let warnings = (answer.warnings ?? []).joined(separator: " ")
        let place = "'\(key.path)' in the mount '\(settings.mount)'"
        if warnings.contains("versioned") {
            return PipelineError(
                .vaultPathMissing, "there is no \(place) of version 1: the engine has version 2",
                hint: "leave 'kv_version' out, or write kv_version: 2", component: "secrets vault", exitCode: 2)
        }
        if let metadata = answer.data?["metadata"] {
            let isDestroyed = metadata["destroyed"]?.boolean == true
            return PipelineError(
                .vaultPathMissing, "the newest version of \(place) is \(isDestroyed ? "destroyed" : "deleted")",
                hint: isDestroyed ? "write it anew" : "write it anew, or undelete it", component: "secrets vault",
                exitCode: 2)
        }
        return PipelineError(
            .vaultPathMissing, "there is no \(place)",
            hint: settings.version == nil
                ? "a key is written path#field, its path without mount and 'data/'"
                : "a key is written path#field, its path without mount and 'data/'; is 'kv_version' right?",
            component: "secrets vault", exitCode: 2)
    }
}
