import ConfigTree
import Diagnostics
import PluginAPI
import YAMLTree

/// Reads the layers of a project and collects what is wrong with them.
struct LayerReader {
    let project: ProjectFolder
    var sources: SourceTexts
    var diagnostics = Diagnostics()
    /// 3 as soon as a file is not there, else 2.
    private(set) var exitCode: Int32 = 2

    init(project: ProjectFolder, sources: SourceTexts) {
        self.project = project
        self.sources = sources
    }

    /// What `body` gives; what it throws is thrown together with what was found before.
    func reportingAll<Value>(_ body: () throws(DiagnosticsError) -> Value) throws(DiagnosticsError) -> Value {
        do throws(DiagnosticsError) {
            return try body()
        } catch {
            var all = diagnostics
            all.append(contentsOf: error.diagnostics)
            throw DiagnosticsError(diagnostics: all, exitCode: error.exitCode)
        }
    }

    /// The map that a file holds; nil after reporting why there is none.
    mutating func read(_ path: String, layer: ConfigLayer) -> ConfigNode? {
        let shown = project.shown(path)
        let bytes: [UInt8]
        do throws(FileReadError) {
            bytes = try FileBytes(path: path, byteLimit: YAMLTree.byteLimit).bytes
        } catch {
            report(error, file: shown)
            return nil
        }
        sources[shown] = SourceText(bytes: bytes)
        guard let tree = YAMLTree.parse(bytes: bytes, file: shown, layer: layer, into: &diagnostics) else { return nil }
        guard tree.mapping != nil else {
            diagnostics.error(
                .layerIsNoMap, "'\(shown)' holds \(tree.kindDescription), not a map of keys", at: tree.location,
                hint: "a configuration file begins with key: value lines")
            return nil
        }
        return tree
    }

    private mutating func report(_ error: FileReadError, file: String) {
        switch error {
        case .notFound:
            exitCode = 3
            diagnostics.error(.fileNotFound, "the file '\(file)' is not there", at: nil)
        case .tooLarge:
            diagnostics.error(
                .fileTooLarge, "'\(file)' has more than \(YAMLTree.byteLimit) bytes", at: nil,
                hint: "keep data in files of its own and name them in the configuration")
        case .isFolder, .system:
            diagnostics.error(.fileUnreadable, "cannot read '\(file)': \(error)", at: nil)
        }
    }

    /// The `--set` arguments that are well-formed.
    mutating func readSettings(_ arguments: [String]) -> [SetArgument] {
        if !arguments.isEmpty { sources[SetArgument.file] = SourceText(lines: arguments) }
        return arguments.enumerated().compactMap { index, argument in
            SetArgument(argument, number: index + 1, into: &diagnostics) { text, start, diagnostics in
                YAMLTree.parseValue(text, at: start, layer: SetArgument.layer, into: &diagnostics)
            }
        }
    }

    /// The environment without its `domains:`, and the block of that name for the domain.
    mutating func split(_ environment: ConfigNode, domain: String?) -> (environment: ConfigNode, block: ConfigNode?) {
        guard var mapping = environment.mapping, let blocks = mapping["domains"] else { return (environment, nil) }
        mapping.remove("domains")
        var rest = environment
        rest.value = .mapping(mapping)
        if blocks.isNull { return (rest, nil) }
        guard let named = blocks.mapping else {
            diagnostics.error(
                .wrongType, "'domains' takes a map from domain names to overrides, found \(blocks.kindDescription)",
                at: blocks.location, path: "domains")
            return (rest, nil)
        }
        let known = project.names(ProjectFolder.domains) + [domain].compactMap { $0 }
        for entry in named.entries where !known.contains(entry.key) && !entry.key.hasPrefix("x-") {
            var finding = project.unknown(entry.key, ProjectFolder.domains, at: entry.keyLocation)
            finding.path = ConfigPath(segments: ["domains", entry.key]).description
            diagnostics.add(finding)
        }
        guard let domain, let block = named[domain], !block.isNull else { return (rest, nil) }
        guard block.mapping != nil else {
            diagnostics.error(
                .wrongType, "the block of the domain '\(domain)' is \(block.kindDescription), not a map",
                at: block.location, path: "domains.\(domain)")
            return (rest, nil)
        }
        return (rest, block.inLayer(ConfigurationLoader.environmentDomainLayer))
    }
}

extension ConfigNode {
    fileprivate func inLayer(_ layer: ConfigLayer) -> ConfigNode {
        var result = self
        result.layer = layer
        switch value {
        case .scalar: break
        case .sequence(let items): result.value = .sequence(items.map { $0.inLayer(layer) })
        case .mapping(let mapping):
            let entries = mapping.entries.map {
                ConfigMapping.Entry(key: $0.key, keyLocation: $0.keyLocation, node: $0.node.inLayer(layer))
            }
            result.value = .mapping(ConfigMapping(entries))
        }
        return result
    }
}
