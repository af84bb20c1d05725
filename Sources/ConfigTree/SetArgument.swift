public import Diagnostics

/// One `--set a.b.c=value` of the command line, as a layer of configuration.
public struct SetArgument: Sendable {
    public static let file = "--set"
    public static let layer = ConfigLayer("--set")

    public var path: ConfigPath
    /// Where the path stands: file `--set`, line = the number of the argument, from 1.
    public var location: SourceLocation
    public var value: ConfigNode

    /// Parses one argument; nil after reporting what is wrong.
    ///
    /// - Parameters:
    ///   - number: Which `--set` of the command line this is, from 1; it stands as the line in locations.
    ///   - parseValue: Parses the text right of `=`, which begins at the given place, as a YAML scalar or flow value.
    public init?(
        _ argument: String, number: Int, into diagnostics: inout Diagnostics,
        parseValue: (_ text: String, _ start: SourceLocation, _ diagnostics: inout Diagnostics) -> ConfigNode?
    ) {
        let scalars = Array(argument.unicodeScalars)
        func report(_ message: String, _ range: Range<Int>) {
            diagnostics.error(
                .invalidOverride, message,
                at: SourceLocation(
                    file: Self.file, line: number, column: range.lowerBound + 1,
                    endColumn: max(range.upperBound, range.lowerBound + 1) + 1),
                hint: "write --set a.b.c=value, such as --set runtime.workers=2")
        }
        if scalars.contains(where: { $0 == "\n" || $0 == "\r" }) {
            report("a '--set' argument is one line; write \\n inside a double-quoted value", 0..<1)
            return nil
        }
        var isQuoted = false
        let equals = scalars.firstIndex { scalar in
            if scalar == "\"" { isQuoted.toggle() }
            return scalar == "=" && !isQuoted
        }
        guard let equals else {
            report("'--set \(argument)' has no '='", 0..<scalars.count)
            return nil
        }
        var keyText = ""
        keyText.unicodeScalars.append(contentsOf: scalars[..<equals])
        let path = ConfigPath(keyText)
        guard !path.segments.contains(where: \.isEmpty) else {
            report("'\(keyText)' is not a dotted path of keys", 0..<equals)
            return nil
        }
        self.path = path
        location = SourceLocation(file: Self.file, line: number, column: 1, endColumn: equals + 1)
        var valueText = ""
        valueText.unicodeScalars.append(contentsOf: scalars[(equals + 1)...])
        let start = SourceLocation(
            file: Self.file, line: number, column: equals + 2, endColumn: max(scalars.count, equals + 2) + 1)
        guard let value = parseValue(valueText, start, &diagnostics) else { return nil }
        self.value = value
    }

    /// The argument as a layer: nested maps that hold the value.
    public var tree: ConfigNode {
        path.segments.reversed().reduce(value) { node, key in
            let entry = ConfigMapping.Entry(key: key, keyLocation: location, node: node)
            return ConfigNode(.mapping(ConfigMapping([entry])), at: location, layer: Self.layer)
        }
    }

    /// Reports a path that leads into a list of `base`: lists replace as a whole.
    public func checkAgainst(_ base: ConfigNode, into diagnostics: inout Diagnostics) {
        for count in 1..<max(1, path.segments.count) {
            guard let node = base.node(at: path.segments.prefix(count)), node.sequence != nil else { continue }
            let list = ConfigPath(segments: Array(path.segments.prefix(count)))
            diagnostics.error(
                .invalidOverride, "'\(path)' leads into the list '\(list)'", at: location, path: path.description,
                notes: [.init("the list", at: node.location)],
                hint: "a list is replaced as a whole: --set '\(list)=[…]'")
            return
        }
    }
}
