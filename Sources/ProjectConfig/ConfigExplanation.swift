public import ConfigTree
public import Diagnostics

/// The value of one configuration key, and every layer that set it.
public struct ConfigExplanation: Sendable {
    public struct Setting: Sendable {
        public var layer: ConfigLayer
        public var location: SourceLocation
        /// The value of this layer on one line, without secrets.
        public var summary: String
    }

    public var path: ConfigPath
    /// The value that holds, as YAML without secrets.
    public var yaml: String
    /// The value that holds, as JSON without secrets.
    public var value: JSONValue
    /// The layer that won first, then what it replaced.
    public var settings: [Setting]

    /// Explains a dotted path of the tree.
    ///
    /// A key that is not there throws `SP1039` with the nearest key, or with the place that removed it.
    public init(
        _ pathText: String, in configuration: LoadedConfiguration, printer: ConfigPrinter = ConfigPrinter()
    ) throws(DiagnosticsError) {
        path = ConfigPath(pathText)
        guard let node = configuration.tree.node(at: path.segments) else {
            throw DiagnosticsError(Self.notFound(path, in: configuration, printer))
        }
        yaml = printer.yaml(node, at: path)
        value = printer.json(node, at: path)
        let path = path
        settings = ([node] + node.overridden).map { node in
            Setting(layer: node.layer, location: node.location, summary: printer.summary(node, at: path))
        }
    }

    /// For people: the value, then a line for each layer.
    ///
    ///     sinks.primary.type: clickhouse
    ///       environments/prod.yaml:4:11   environment   clickhouse
    ///       config/platform.yaml:20:11    platform      sqlite
    public var text: String {
        let isShort = yaml.count { $0 == "\n" } == 1
        var out = isShort ? "\(path): \(yaml)" : "\(path):\n" + Self.indented(yaml)
        let rows = settings.map { setting in
            let place = "\(setting.location.file):\(setting.location.line):\(setting.location.column)"
            return (place, setting.layer.name, setting.summary)
        }
        let placeWidth = rows.map(\.0.count).max() ?? 0
        let layerWidth = rows.map(\.1.count).max() ?? 0
        for (place, layer, summary) in rows {
            out += "  \(Self.padded(place, placeWidth))   \(Self.padded(layer, layerWidth))   \(summary)\n"
        }
        return out
    }

    /// For programs: `path`, `value` and `settings`, each with `file`, `line`, `column`, `layer` and `summary`.
    public var json: JSONValue {
        .object([
            "path": .string(path.description),
            "value": value,
            "settings": .array(
                settings.map { setting in
                    .object([
                        "file": .string(setting.location.file), "line": .integer(setting.location.line),
                        "column": .integer(setting.location.column), "layer": .string(setting.layer.name),
                        "summary": .string(setting.summary),
                    ])
                }),
        ])
    }

    private static func notFound(
        _ path: ConfigPath, in configuration: LoadedConfiguration, _ printer: ConfigPrinter
    ) -> Diagnostic {
        if let removal = configuration.removals.last(where: { path.segments.starts(with: $0.path.segments) }) {
            let removed = printer.summary(removal.removed, at: removal.path)
            return Diagnostic(
                .unknownConfigurationKey, "the configuration key '\(path)' was removed", path: path.description,
                notes: [
                    .init("removed by a null of the layer '\(removal.by.layer.name)'", at: removal.by.location),
                    .init("it was \(removed)", at: removal.removed.location),
                ])
        }
        var node = configuration.tree
        var known: [String] = []
        for segment in path.segments {
            guard let next = node.child(segment) else {
                let names = node.childNames
                let prefix = ConfigPath(segments: known).description
                let place = known.isEmpty ? "the configuration" : "'\(prefix)'"
                let near = nearestName(to: segment, among: names).map { name in
                    let rest = known + [name] + path.segments.dropFirst(known.count + 1)
                    return "did you mean '\(ConfigPath(segments: rest))'?"
                }
                let list = names.isEmpty ? "\(place) has no keys" : "\(place) has \(names.joined(separator: ", "))"
                return Diagnostic(
                    .unknownConfigurationKey, "the configuration key '\(path)' is not set", path: path.description,
                    hint: near ?? list)
            }
            known.append(segment)
            node = next
        }
        return Diagnostic(.unknownConfigurationKey, "the configuration key '\(path)' is not set")
    }

    private static func indented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { "    \($0)\n" }.joined()
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension ConfigNode {
    /// What can follow in a path: keys, or names and positions of a list's items.
    fileprivate var childNames: [String] {
        switch value {
        case .scalar: []
        case .mapping(let mapping): mapping.keys
        case .sequence(let items):
            items.enumerated().map { index, item in item.mapping?["name"]?.scalar?.text ?? String(index) }
        }
    }
}
