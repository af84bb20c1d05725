import ConfigTree
import Diagnostics
import PluginAPI

/// Reads `{type: <plugin>, <plugin>: {options}, …}`.
///
/// Only the block named by `type` is active; a block of another known plugin is checked too, so that switching `type`
/// in another environment meets no surprise.
struct PluginSelectionReader {
    let plugins: PluginRegistry

    /// The selection; with findings reported, its options may be incomplete.
    func read(
        _ node: ConfigNode?, kind: PluginKind, default defaultType: String?, path: String, at place: SourceLocation,
        into diagnostics: inout Diagnostics
    ) -> PluginSelection {
        let location = node?.location ?? place
        let word = kind.rawValue.replacing("_", with: " ")
        guard let node else {
            return select(defaultType ?? "", nil, kind, path, at: location, typeAt: location, into: &diagnostics)
        }
        guard var reader = MappingReader(node, path: path, into: &diagnostics) else {
            return PluginSelection(type: "", options: OptionValues(), location: location)
        }
        let typeNode = reader.node("type")
        if let scalar = typeNode?.scalar, VariableText.containsVariable(scalar.text) {
            for entry in reader.mapping.entries { reader.allow(entry.key) }
            return PluginSelection(type: scalar.text, options: OptionValues(), location: location)
        }
        let type = reader.string("type", into: &diagnostics) ?? (typeNode == nil ? defaultType : nil)
        if type == nil, typeNode == nil {
            diagnostics.error(
                .missingKey, "missing key 'type' in '\(path)'", at: place, path: "\(path).type",
                hint: "known \(word) types: \(plugins.names(kind).joined(separator: ", "))")
        }
        var options = OptionValues()
        for entry in reader.mapping.entries where entry.key != "type" && !entry.key.hasPrefix("x-") {
            if entry.key == type || entry.node.isNull {
                reader.allow(entry.key)
            } else if let plugin = plugins.plugin(kind, entry.key) {
                reader.allow(entry.key)
                _ = check(plugin, entry.node, path: "\(path).\(entry.key)", at: entry.keyLocation, into: &diagnostics)
            } else if entry.node.mapping != nil,
                nearestName(to: entry.key, among: plugins.names(kind) + ["type"]) == nil
            {
                reader.allow(entry.key)
                diagnostics.warning(
                    .uncheckedPluginBlock, "there is no \(word) plugin '\(entry.key)'; its options are not checked",
                    at: entry.keyLocation, path: "\(path).\(entry.key)",
                    hint: "known \(word) types: \(plugins.names(kind).joined(separator: ", "))")
            }
        }
        for name in plugins.names(kind) { reader.allow(name) }
        reader.finish(into: &diagnostics)
        if let type {
            let selection = select(
                type, reader.mapping[type], kind, path, at: location, typeAt: typeNode?.location ?? location,
                into: &diagnostics)
            options = selection.options
        }
        return PluginSelection(type: type ?? "", options: options, location: typeNode?.location ?? location)
    }

    private func select(
        _ type: String, _ block: ConfigNode?, _ kind: PluginKind, _ path: String, at location: SourceLocation,
        typeAt: SourceLocation, into diagnostics: inout Diagnostics
    ) -> PluginSelection {
        guard let plugin = plugins.plugin(kind, type) else {
            let known = plugins.names(kind)
            let word = kind.rawValue.replacing("_", with: " ")
            let near = nearestName(to: type, among: known).map { "did you mean '\($0)'? " } ?? ""
            diagnostics.error(
                .unknownPlugin, "unknown \(word) type '\(type)'", at: typeAt, path: "\(path).type",
                hint: "\(near)known \(word) types: \(known.isEmpty ? "none" : known.joined(separator: ", "))")
            return PluginSelection(type: type, options: OptionValues(), location: location)
        }
        let block = block.flatMap { $0.isNull ? nil : $0 }
        let options = check(plugin, block, path: "\(path).\(type)", at: block?.location ?? typeAt, into: &diagnostics)
        return PluginSelection(type: type, options: options, location: location)
    }

    /// Types first; the plugin's own check only sees options that have their types.
    private func check(
        _ plugin: any Plugin, _ block: ConfigNode?, path: String, at location: SourceLocation,
        into diagnostics: inout Diagnostics
    ) -> OptionValues {
        var found = Diagnostics()
        let options = plugin.spec.parse(block, path: path, at: location, into: &found)
        if !found.hasErrors { plugin.validate(options, into: &found) }
        diagnostics.append(contentsOf: found)
        return options
    }
}
