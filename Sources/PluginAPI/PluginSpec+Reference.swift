extension PluginSpec {
    /// The plugin's reference page as text.
    public var reference: String {
        var lines = ["\(kind.rawValue) \(name): \(summary)"]
        if options.isEmpty { lines.append("  no options") }
        if isInline { lines.append("  written as `\(name): …`, with the value of its one option") }
        for option in options {
            var facts = [option.type.text]
            if option.isRequired { facts.append("required") }
            if option.isSecret { facts.append("secret") }
            if let value = option.defaultValue { facts.append("default \(value)") }
            lines.append("  \(option.key) (\(facts.joined(separator: ", ")))")
            lines.append("      \(option.doc)")
            if let example = option.example { lines.append("      Example: \(option.key): \(example)") }
        }
        return lines.joined(separator: "\n")
    }

    /// The contents of `plugin.yaml`, generated from this declaration.
    public var yaml: String {
        var lines = ["# Generated from the plugin's declaration; a test checks that it is up to date."]
        lines += ["kind: \(kind.rawValue)", "name: \(name)", "summary: \(quoted(summary))"]
        if isInline { lines.append("inline: true") }
        lines.append(options.isEmpty ? "options: []" : "options:")
        for option in options {
            lines += ["  - key: \(option.key)", "    type: \(quoted(option.type.text))"]
            if let value = option.defaultValue { lines.append("    default: \(quoted(value))") }
            lines += [
                "    required: \(option.isRequired)", "    secret: \(option.isSecret)",
                "    doc: \(quoted(option.doc))",
            ]
            if let example = option.example { lines.append("    example: \(quoted(example))") }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}

extension OptionSpec.ValueType {
    /// The type in words.
    public var text: String {
        switch self {
        case .string: "text"
        case .integer(let range):
            range == Int.min...Int.max
                ? "integer"
                : "integer, \(range.lowerBound) to \(range.upperBound == .max ? "…" : String(range.upperBound))"
        case .boolean: "true or false"
        case .duration: "duration"
        case .byteSize: "size in bytes"
        case .choice(let choices): "one of \(choices.joined(separator: ", "))"
        case .path: "path"
        case .strings: "list of texts"
        case .properties: "map of names to texts"
        case .condition: "condition"
        case .expressions: "map of names to expressions"
        case .columns: "list of columns"
        }
    }
}
