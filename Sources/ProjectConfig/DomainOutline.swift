public import ConfigTree
import Diagnostics
import PluginAPI
import YAMLTree

/// What another domain file of the project says under a few top-level keys, merged with the same layers as the domain
/// that was asked for: enough to see what it claims, at a fraction of the cost of loading it.
public struct DomainOutline: Sendable {
    /// The layers around a domain.
    struct Surroundings: Sendable {
        var project: ProjectFolder
        /// The file of the domain that was asked for.
        var domainFile: String?
        var platform: ConfigNode
        var environment: ConfigNode?
        var settings: [ConfigNode]
    }

    /// What the file calls itself (`domain:`), else its file name.
    public var name: String
    /// As shown to the person.
    public var file: String
    /// A map that holds only the wanted keys; environment variables are resolved where they can be.
    public var tree: ConfigNode
}

extension LoadedConfiguration {
    /// Every other domain file of the project, by folder and name.
    ///
    /// A file that cannot be read or is no YAML map is left to its own `validate`. Of `--set` only keys of `shared`
    /// hold: the others are about the domain that was asked for.
    ///
    /// - Parameters:
    ///   - keys: The top-level keys of the domain files that are wanted.
    ///   - shared: Those of them that the platform and `--set` say for all domains.
    public func otherDomains(
        keys: Set<String>, shared: Set<String>, lookup: (String) -> String?
    ) -> [DomainOutline] {
        let project = surroundings.project
        let platform = surroundings.platform.keeping(shared)
        let settings = surroundings.settings.map { $0.keeping(shared) }
        var reader = LayerReader(project: project, sources: SourceTexts())
        // Of what is wrong in other files nothing is said here.
        var unsaid = Diagnostics()
        return withoutActuallyEscaping(lookup) { lookup in
            let resolver = VariableResolver(environment: lookup)
            return project.files(ProjectFolder.domains).compactMap { file in
                guard file != surroundings.domainFile,
                    let content = try? FileBytes(path: file, byteLimit: YAMLTree.byteLimit),
                    let domain = YAMLTree.parse(
                        bytes: content.bytes, file: project.shown(file), layer: ConfigurationLoader.domainLayer,
                        into: &unsaid), domain.mapping != nil
                else { return nil }
                let name = domain.mapping?["domain"]?.scalar?.text ?? PathText.stem(file)
                var merge = ConfigMerge(platform)
                let blocks = surroundings.environment.map { reader.split($0, domain: name) }
                for layer in [blocks?.environment, domain, blocks?.block].compactMap({ $0 }) {
                    merge.apply(layer.keeping(keys))
                }
                for setting in settings { merge.apply(setting) }
                // A variable that is not set stays as it was written, and so equals nothing.
                return DomainOutline(
                    name: name, file: project.shown(file), tree: resolver.resolve(merge.tree, into: &unsaid))
            }
        }
    }
}

extension ConfigNode {
    /// The map with only these keys.
    fileprivate func keeping(_ keys: Set<String>) -> ConfigNode {
        guard let mapping else { return self }
        var result = self
        result.value = .mapping(ConfigMapping(mapping.entries.filter { keys.contains($0.key) }))
        result.overridden = []
        return result
    }
}
