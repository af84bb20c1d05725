import ConfigTree
import Diagnostics

/// The entries of one map while it is read: refuses repeated and unusable keys, and puts merge keys underneath.
struct MappingCollector {
    private var entries: [ConfigMapping.Entry] = []
    private var firstPlaces: [String: SourceLocation] = [:]
    private var merged: [ConfigMapping] = []

    mutating func add(key: ConfigNode, value: ConfigNode, into diagnostics: inout Diagnostics) {
        guard let scalar = key.scalar else {
            diagnostics.error(
                .invalidKey, "a key is \(key.kindDescription)", at: key.location,
                hint: "a key is text; quote it if it begins with '[' or '{'")
            return
        }
        guard !scalar.text.isEmpty else {
            diagnostics.error(.invalidKey, "a key is empty", at: key.location, hint: "write a key before the ':'")
            return
        }
        if let first = firstPlaces[scalar.text] {
            let isMerge = scalar.isPlain && scalar.text == "<<"
            diagnostics.error(
                .duplicateKey, "the key '\(scalar.text)' stands twice in this map", at: key.location,
                notes: [.init("first defined here", at: first)],
                hint: isMerge ? "merge several maps with a list: <<: [*a, *b]" : "keep one of the two")
            return
        }
        firstPlaces[scalar.text] = key.location
        if scalar.isPlain, scalar.text == "<<" {
            addMerge(value, into: &diagnostics)
        } else {
            entries.append(.init(key: scalar.text, keyLocation: key.location, node: value))
        }
    }

    private mutating func addMerge(_ value: ConfigNode, into diagnostics: inout Diagnostics) {
        for node in value.sequence ?? [value] {
            guard let mapping = node.mapping else {
                diagnostics.error(
                    .invalidMergeKey, "the merge key '<<' takes a map or a list of maps, found \(node.kindDescription)",
                    at: node.location, hint: "write <<: *anchor, or quote the key: \"<<\"")
                continue
            }
            merged.append(mapping)
        }
    }

    /// Keys of the map itself win over merged ones, earlier merged maps over later ones. Merged keys come first.
    func mapping() -> ConfigMapping {
        var result = ConfigMapping()
        for mapping in merged {
            for entry in mapping.entries where result[entry.key] == nil { result.set(entry) }
        }
        for var entry in entries {
            if let below = result[entry.key] { entry.node.overridden += [below] + below.overridden }
            result.set(entry)
        }
        return result
    }
}
