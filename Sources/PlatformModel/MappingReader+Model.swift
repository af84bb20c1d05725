import ConfigTree
import Diagnostics

extension MappingReader {
    /// Milliseconds of a duration. A negative one is named as such; with `positive`, zero is refused too.
    mutating func duration(_ key: String, positive: Bool, into diagnostics: inout Diagnostics) -> Int64? {
        let text = node(key)?.scalar?.text
        if let text, text.hasPrefix("-"), DurationText.milliseconds(String(text.dropFirst())) != nil {
            diagnostics.error(
                .invalidValue, "'\(key)' is negative: '\(text)'", at: mapping[key]?.location, path: childPath(key),
                hint: DurationText.hint)
            return nil
        }
        guard let value = durationMilliseconds(key, into: &diagnostics) else { return nil }
        if positive, value == 0 {
            diagnostics.error(
                .invalidValue, "'\(key)' is zero; it takes a duration above zero", at: mapping[key]?.location,
                path: childPath(key))
            return nil
        }
        return value
    }

    /// A share or probability, 0 to 1.
    mutating func share(_ key: String, into diagnostics: inout Diagnostics) -> Double? {
        guard let value = double(key, into: &diagnostics) else { return nil }
        guard (0...1).contains(value) else {
            diagnostics.error(
                .invalidProbability, "'\(key)' is \(value); it takes 0 to 1", at: mapping[key]?.location,
                path: childPath(key),
                hint: value > 1 && value <= 100 ? "for \(value) percent write \(value / 100)" : nil)
            return nil
        }
        return value
    }

    /// A finite number, above a bound where one is given.
    mutating func number(_ key: String, above bound: Double? = nil, into diagnostics: inout Diagnostics) -> Double? {
        guard let value = double(key, into: &diagnostics) else { return nil }
        guard value.isFinite, value > bound ?? -.infinity else {
            diagnostics.error(
                .invalidValue, "'\(key)' is \(value); it takes a number\(bound.map { " above \($0)" } ?? "")",
                at: mapping[key]?.location, path: childPath(key))
            return nil
        }
        return value
    }

    /// The text of any scalar, whatever its type; for values that are only informative or typed later.
    mutating func text(_ key: String, into diagnostics: inout Diagnostics) -> String? {
        guard let node = node(key) else { return nil }
        if let scalar = node.scalar { return scalar.text }
        diagnostics.error(
            .wrongType, "'\(key)' takes a single value, found \(node.kindDescription)", at: node.location,
            path: childPath(key))
        return nil
    }

    /// Refuses a key that is described but not built yet.
    mutating func refuse(_ key: String, _ what: String, hint: String? = nil, into diagnostics: inout Diagnostics) {
        guard node(key) != nil, let entry = mapping.entry(key) else { return }
        diagnostics.error(
            .notSupportedYet, "\(what) not supported yet", at: entry.keyLocation, path: childPath(key), hint: hint)
    }
}

extension ConfigNode {
    /// The tree with each scalar that holds an unresolved variable made null: present, but without a value to check.
    var withoutVariables: ConfigNode {
        var copy = self
        switch value {
        case .scalar(let scalar):
            if VariableText.containsVariable(scalar.text) { copy.value = .scalar(ConfigScalar("null")) }
        case .sequence(let items):
            copy.value = .sequence(items.map(\.withoutVariables))
        case .mapping(let mapping):
            let entries = mapping.entries.map {
                ConfigMapping.Entry(key: $0.key, keyLocation: $0.keyLocation, node: $0.node.withoutVariables)
            }
            copy.value = .mapping(ConfigMapping(entries))
        }
        return copy
    }
}
