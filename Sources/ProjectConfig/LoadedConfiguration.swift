public import ConfigTree
public import Diagnostics
public import PluginAPI

/// A project's configuration for one environment and one domain: all layers in one tree.
public struct LoadedConfiguration: Sendable {
    /// The absolute path of the folder that holds `config/platform.yaml`.
    public var root: String
    public var environment: String
    /// What the domain file calls itself (`domain:`), else its file name; nil when none was asked for.
    public var domainName: String?
    /// As shown to the person; nil without a domain.
    public var domainFile: String?
    /// Platform keys (`broker`, `runtime`, `sinks`, …) and domain keys (`entity`, `event_types`, …) side by side.
    /// Variables are not resolved.
    public var tree: ConfigNode
    /// Keys that a later layer removed with a null.
    public var removals: [ConfigMerge.Removal]
    /// The files that were read, for excerpts.
    public var sources: SourceTexts
    /// The absolute paths at which the platform, the environment and the domain were looked for: those of them that were
    /// there are what was read.
    public var files: [String]
    /// The layers around the domain, as they were read: what other domains of the project are read with.
    var surroundings: DomainOutline.Surroundings

    /// The tree, or one part of it, with the environment's variables put in; secrets stay as they were written.
    ///
    /// - Parameter path: A dotted path; nil = the whole tree. A path that is not there changes nothing.
    public func resolvingEnvironment(
        at path: String? = nil, lookup: (String) -> String?, into diagnostics: inout Diagnostics
    ) -> LoadedConfiguration {
        withoutActuallyEscaping(lookup) { lookup in
            resolving(VariableResolver(environment: lookup), at: path, into: &diagnostics)
        }
    }

    /// The whole tree with the environment's variables put in, where those of one top-level part may be missing: there, a
    /// scalar with a variable that is not set stays as it was written.
    public func resolvingEnvironment(
        deferring part: String, lookup: (String) -> String?, into diagnostics: inout Diagnostics
    ) -> LoadedConfiguration {
        guard var mapping = tree.mapping, var entry = mapping.entry(part) else {
            return resolvingEnvironment(lookup: lookup, into: &diagnostics)
        }
        return withoutActuallyEscaping(lookup) { lookup in
            let resolver = VariableResolver(environment: lookup)
            // By itself, so that a name that is missing here and elsewhere is reported elsewhere.
            mapping.remove(part)
            var rest = tree
            rest.value = .mapping(mapping)
            rest = resolver.resolve(rest, into: &diagnostics)
            var deferred = Diagnostics()
            entry.node = resolver.resolve(entry.node, path: part, into: &deferred)
            for finding in deferred.items where finding.code != .missingVariable { diagnostics.add(finding) }
            // In its old place, with the values of the rest.
            let resolved = tree.mapping?.entries.map { old in
                old.key == part ? entry : rest.mapping?.entry(old.key) ?? old
            }
            var result = self
            result.tree.value = .mapping(ConfigMapping(resolved ?? []))
            return result
        }
    }

    /// The tree, or one part of it, with the environment's variables and the backend's secrets put in.
    ///
    /// Ask for the part that is about to be opened (`sinks.primary`), as late as possible. All that is missing in the
    /// part is reported together.
    public func resolvingSecrets(
        at path: String? = nil, from backend: any SecretBackend, lookup: (String) -> String?,
        into diagnostics: inout Diagnostics
    ) -> LoadedConfiguration {
        withoutActuallyEscaping(lookup) { lookup in
            let resolver = VariableResolver(
                environment: lookup, secret: { try backend.secret(named: $0)?.withValue { $0 } })
            return resolving(resolver, at: path, into: &diagnostics)
        }
    }

    private func resolving(
        _ resolver: VariableResolver, at path: String?, into diagnostics: inout Diagnostics
    ) -> LoadedConfiguration {
        var result = self
        guard let path else {
            result.tree = resolver.resolve(tree, into: &diagnostics)
            return result
        }
        guard let part = tree.node(at: path) else { return result }
        let resolved = resolver.resolve(part, path: path, into: &diagnostics)
        result.tree = tree.replacing(ConfigPath(path).segments[...], with: resolved)
        return result
    }
}

extension ConfigNode {
    /// The node with the node at `path`, which is there, replaced.
    fileprivate func replacing(_ path: ArraySlice<String>, with node: ConfigNode) -> ConfigNode {
        guard let segment = path.first else { return node }
        var result = self
        switch value {
        case .scalar: break
        case .mapping(var mapping):
            if var entry = mapping.entry(segment) {
                entry.node = entry.node.replacing(path.dropFirst(), with: node)
                mapping.set(entry)
                result.value = .mapping(mapping)
            }
        case .sequence(var items):
            let named = { items.firstIndex { $0.mapping?["name"]?.scalar?.text == segment } }
            if let index = Int(segment).flatMap({ items.indices.contains($0) ? $0 : nil }) ?? named() {
                items[index] = items[index].replacing(path.dropFirst(), with: node)
                result.value = .sequence(items)
            }
        }
        return result
    }
}
