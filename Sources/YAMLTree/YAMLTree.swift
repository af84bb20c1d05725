public import ConfigTree
public import Diagnostics

/// YAML text as a configuration tree: libyaml's syntax, the 1.2 core schema's types, every node with its place.
///
/// Anchors, aliases and merge keys (`<<`) are expanded; an expanded node keeps the place where it was written. Tags
/// `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!map` and `!!seq` are accepted.
public enum YAMLTree {
    /// The largest accepted text, in bytes.
    public static let byteLimit = 8 << 20
    /// How deep maps and lists may nest.
    public static let depthLimit = 64
    /// How many nodes all aliases of a file together may add.
    public static let aliasNodeLimit = 100_000

    /// The tree of a text, or nil after reporting why there is none.
    ///
    /// An empty text is an empty map. A syntax error ends the parse; duplicate keys and the like are reported together.
    /// - Parameter file: The name for places, as the person would write it.
    public static func parse(
        bytes: [UInt8], file: String, layer: ConfigLayer, into diagnostics: inout Diagnostics
    ) -> ConfigNode? {
        var found = Diagnostics()
        defer { diagnostics.append(contentsOf: found) }
        guard let source = YAMLSource(bytes: bytes, file: file, into: &found),
            let parser = EventParser(source.bytes)
        else { return nil }
        var builder = TreeBuilder(parser: parser, source: source, layer: layer)
        let tree = builder.build()
        found.append(contentsOf: builder.diagnostics)
        return found.hasErrors ? nil : tree
    }

    /// A scalar or flow value that stands inside another text, such as the right side of `--set a.b=value`.
    ///
    /// - Parameter start: Where the text begins; places in the result continue from there.
    public static func parseValue(
        _ text: String, at start: SourceLocation, layer: ConfigLayer, into diagnostics: inout Diagnostics
    ) -> ConfigNode? {
        if text.allSatisfy(\.isWhitespace) {
            return ConfigNode(.scalar(ConfigScalar("", textColumnOffset: 0)), at: start, layer: layer)
        }
        // Padding makes libyaml count lines and columns from the start.
        let padding = String(repeating: "\n", count: start.line - 1) + String(repeating: " ", count: start.column - 1)
        let node = parse(bytes: Array((padding + text).utf8), file: start.file, layer: layer, into: &diagnostics)
        guard let node, node.scalar == nil else { return node }
        let first = text.unicodeScalars.first { $0 != " " }
        guard first == "{" || first == "[" else {
            diagnostics.error(
                .yamlSyntax, "the value is neither a scalar nor a flow value", at: start,
                hint: "put it in quotes, or write {key: value} or [a, b]")
            return nil
        }
        return node
    }
}
