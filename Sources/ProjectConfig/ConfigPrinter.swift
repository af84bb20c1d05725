public import ConfigTree
public import Diagnostics

/// A configuration tree as text for people, without any secret.
///
/// Whatever came from a secret, and each `$<secret:…>` that is not resolved yet, prints as `***`; so does every value
/// that `isSecret` names, such as the options that plugins declare as secret.
public struct ConfigPrinter {
    public static let secretMask = "***"

    private let isSecret: (ConfigPath) -> Bool

    /// - Parameter isSecret: Whether the value at a path must not be shown, even when it is written out.
    public init(isSecret: @escaping (ConfigPath) -> Bool = { _ in false }) { self.isSecret = isSecret }

    /// Block-style YAML that a parser reads back to the same values (but for what is masked), each line ended by a
    /// newline. Keys keep their order.
    public func yaml(_ node: ConfigNode, at path: ConfigPath = ConfigPath(segments: [])) -> String {
        var out = ""
        write(node, path.segments, indent: 0, to: &out)
        return out
    }

    /// The same as JSON, scalars typed by the core schema.
    public func json(_ node: ConfigNode, at path: ConfigPath = ConfigPath(segments: [])) -> JSONValue {
        json(node, path.segments)
    }

    /// One value on one line: a scalar's text, `{…}` with the number of keys or `[…]` with the number of items.
    public func summary(_ node: ConfigNode, at path: ConfigPath) -> String {
        switch node.value {
        case .scalar(let scalar): scalarText(scalar, path.segments)
        case .sequence(let items): items.isEmpty ? "[]" : "[\(items.count) item\(items.count == 1 ? "" : "s")]"
        case .mapping(let map): map.keys.isEmpty ? "{}" : "{\(map.keys.count) key\(map.keys.count == 1 ? "" : "s")}"
        }
    }

    // MARK: YAML

    private func write(_ node: ConfigNode, _ path: [String], indent: Int, to out: inout String) {
        let blanks = String(repeating: " ", count: indent)
        switch node.value {
        case .scalar(let scalar): out += blanks + scalarText(scalar, path) + "\n"
        case .sequence(let items):
            if items.isEmpty { out += blanks + "[]\n" }
            for (index, item) in items.enumerated() {
                var inner = ""
                write(item, path + [String(index)], indent: indent + 2, to: &inner)
                out += blanks + "- " + inner.dropFirst(indent + 2)
            }
        case .mapping(let mapping):
            if mapping.entries.isEmpty { out += blanks + "{}\n" }
            for entry in mapping.entries {
                out += blanks + Self.keyText(entry.key) + ":"
                var inner = ""
                write(entry.node, path + [entry.key], indent: indent + 2, to: &inner)
                if entry.node.isBlock { out += "\n" + inner } else { out += " " + inner.dropFirst(indent + 2) }
            }
        }
    }

    private func scalarText(_ scalar: ConfigScalar, _ path: [String]) -> String {
        let shown = masked(scalar, path)
        if shown.text.isEmpty, shown.isPlain { return "null" }
        let plain = ConfigScalar(shown.text).coreType
        let staysSame = shown.isPlain || plain == .string(shown.text)
        return staysSame && Self.isSafePlain(shown.text) ? shown.text : JSONValue.quoted(shown.text)
    }

    private static func keyText(_ key: String) -> String {
        let isString = ConfigScalar(key).coreType == .string(key)
        return isString && key != "<<" && isSafePlain(key) ? key : JSONValue.quoted(key)
    }

    /// Whether a plain scalar of this text in a block reads back as this text.
    private static func isSafePlain(_ text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        guard let first = scalars.first, let last = scalars.last, first != " ", last != " ", last != ":" else {
            return false
        }
        if ",[]{}#&*!|>'\"%@`".unicodeScalars.contains(first) { return false }
        if "-?:".unicodeScalars.contains(first), scalars.count == 1 || scalars[1] == " " { return false }
        if text.hasPrefix("---") || text.hasPrefix("...") { return false }
        if scalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) { return false }
        return !text.contains(": ") && !text.contains(" #")
    }

    // MARK: Secrets

    private func masked(_ scalar: ConfigScalar, _ path: [String]) -> ConfigScalar {
        var result = scalar
        if scalar.isSecret || isSecret(ConfigPath(segments: path)) && !scalar.text.isEmpty {
            result.text = Self.secretMask
            result.isPlain = false
        } else if scalar.holdsVariable, let pieces = try? VariableText.parse(scalar.text) {
            // A malformed variable has no secret's value in it: it prints as it was written.
            let original = Array(scalar.text.unicodeScalars)
            var masked = String.UnicodeScalarView()
            var index = 0
            for case .variable(let variable) in pieces where variable.kind == .secret {
                masked.append(contentsOf: original[index..<variable.range.lowerBound])
                masked.append(contentsOf: Self.secretMask.unicodeScalars)
                index = variable.range.upperBound
            }
            masked.append(contentsOf: original[index...])
            result.text = String(masked)
        }
        result.text = CredentialMask.urls(result.text)
        return result
    }

    private func json(_ node: ConfigNode, _ path: [String]) -> JSONValue {
        switch node.value {
        case .sequence(let items):
            return .array(items.enumerated().map { json($1, path + [String($0)]) })
        case .mapping(let mapping):
            var members: [String: JSONValue] = [:]
            for entry in mapping.entries { members[entry.key] = json(entry.node, path + [entry.key]) }
            return .object(members)
        case .scalar(let scalar):
            return switch masked(scalar, path).coreType {
            case .null: .null
            case .boolean(let value): .boolean(value)
            case .integer(let value): .integer(value)
            case .double(let value): .number(value)
            case .string(let text): .string(text)
            }
        }
    }
}

extension ConfigNode {
    /// Whether it prints on lines of its own.
    fileprivate var isBlock: Bool {
        switch value {
        case .scalar: false
        case .sequence(let items): !items.isEmpty
        case .mapping(let mapping): !mapping.entries.isEmpty
        }
    }
}
