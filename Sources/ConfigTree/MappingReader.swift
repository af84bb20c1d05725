public import Diagnostics

/// Reads a mapping key by key into typed values and reports what does not fit.
///
/// Every `read…` call marks its key as known; ``finish()`` reports each key that nobody read, with the nearest known
/// one. All findings go to the collector that is passed in, so one run reports all of them.
public struct MappingReader {
    public let mapping: ConfigMapping
    /// Where the mapping stands, for findings about missing keys.
    public let location: SourceLocation
    /// The dotted configuration path of the mapping.
    public let path: String
    private var known: [String] = []

    /// A reader of `node`, or nil after reporting that it is no mapping.
    public init?(_ node: ConfigNode, path: String, into diagnostics: inout Diagnostics) {
        guard let mapping = node.mapping else {
            diagnostics.error(
                .wrongType, "expected a map for '\(path)', found \(node.kindDescription)", at: node.location,
                path: path)
            return nil
        }
        self.mapping = mapping
        location = node.location
        self.path = path
    }

    public func childPath(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// The raw node of `key`; an explicit null counts as absent.
    public mutating func node(_ key: String) -> ConfigNode? {
        known.append(key)
        guard let node = mapping[key], !node.isNull else { return nil }
        return node
    }

    /// The raw node of `key`; its absence is an error.
    public mutating func requiredNode(_ key: String, into diagnostics: inout Diagnostics) -> ConfigNode? {
        if let found = node(key) { return found }
        diagnostics.error(
            .missingKey, "missing key '\(key)'\(path.isEmpty ? "" : " in '\(path)'")", at: location,
            path: childPath(key))
        return nil
    }

    public mutating func string(_ key: String, into diagnostics: inout Diagnostics) -> String? {
        node(key).flatMap { readString($0, path: childPath(key), into: &diagnostics) }
    }

    public mutating func requiredString(_ key: String, into diagnostics: inout Diagnostics) -> String? {
        requiredNode(key, into: &diagnostics).flatMap { readString($0, path: childPath(key), into: &diagnostics) }
    }

    public mutating func integer(
        _ key: String, in range: ClosedRange<Int> = Int.min...Int.max, into diagnostics: inout Diagnostics
    ) -> Int? {
        guard let node = node(key) else { return nil }
        guard case .integer(let value)? = node.scalar?.coreType else {
            return reportType(node, key, expected: "an integer", into: &diagnostics)
        }
        guard range.contains(value) else {
            diagnostics.error(
                .invalidValue,
                "'\(key)' is \(node.scalar?.isSecret == true ? "***" : "\(value)"); it takes \(describe(range))",
                at: node.location,
                path: childPath(key))
            return nil
        }
        return value
    }

    public mutating func double(_ key: String, into diagnostics: inout Diagnostics) -> Double? {
        guard let node = node(key) else { return nil }
        switch node.scalar?.coreType {
        case .integer(let value): return Double(value)
        case .double(let value): return value
        default: return reportType(node, key, expected: "a number", into: &diagnostics)
        }
    }

    public mutating func boolean(_ key: String, into diagnostics: inout Diagnostics) -> Bool? {
        guard let node = node(key) else { return nil }
        guard case .boolean(let value)? = node.scalar?.coreType else {
            return reportType(node, key, expected: "true or false", into: &diagnostics)
        }
        return value
    }

    public mutating func sequence(_ key: String, into diagnostics: inout Diagnostics) -> [ConfigNode]? {
        guard let node = node(key) else { return nil }
        guard let items = node.sequence else {
            return reportType(node, key, expected: "a list", into: &diagnostics)
        }
        return items
    }

    /// A list of strings, or one string alone.
    public mutating func strings(_ key: String, into diagnostics: inout Diagnostics) -> [(
        text: String, location: SourceLocation
    )]? {
        guard let node = node(key) else { return nil }
        let items = node.sequence ?? [node]
        return items.enumerated().compactMap { index, item in
            readString(item, path: "\(childPath(key)).\(index)", into: &diagnostics).map { ($0, item.location) }
        }
    }

    /// Milliseconds of a duration such as `90s`, `5 minutes`, `1 hour`.
    public mutating func durationMilliseconds(_ key: String, into diagnostics: inout Diagnostics) -> Int64? {
        guard let node = node(key) else { return nil }
        guard let text = node.scalar?.text, let value = DurationText.milliseconds(text) else {
            diagnostics.error(
                .invalidValue, "'\(key)' is not a duration: '\(node.scalar?.shownText ?? node.kindDescription)'",
                at: node.location, path: childPath(key), hint: DurationText.hint)
            return nil
        }
        return value
    }

    /// One of `choices`.
    public mutating func choice(
        _ key: String, of choices: [String], into diagnostics: inout Diagnostics
    ) -> String? {
        guard let node = node(key), let text = readString(node, path: childPath(key), into: &diagnostics) else {
            return nil
        }
        guard choices.contains(text) else {
            let isSecret = node.scalar?.isSecret == true
            let near = isSecret ? "" : nearestName(to: text, among: choices).map { "did you mean '\($0)'? " } ?? ""
            diagnostics.error(
                .invalidValue, "'\(key)' is '\(node.scalar?.shownText ?? text)'", at: node.location,
                path: childPath(key),
                hint: "\(near)it takes \(choices.joined(separator: ", "))")
            return nil
        }
        return text
    }

    /// Marks keys as known without reading them.
    public mutating func allow(_ keys: String...) { known += keys }

    /// Reports every key that was not read. Keys that begin with `x-` are free.
    public func finish(into diagnostics: inout Diagnostics) {
        for entry in mapping.entries where !entry.key.hasPrefix("x-") && !known.contains(entry.key) {
            let near = nearestName(to: entry.key, among: known).map { "did you mean '\($0)'?" }
            diagnostics.error(
                .unknownKey, "unknown key '\(entry.key)'\(path.isEmpty ? "" : " in '\(path)'")", at: entry.keyLocation,
                path: childPath(entry.key), hint: near ?? "known keys: \(Set(known).sorted().joined(separator: ", "))")
        }
    }

    private func reportType<T>(
        _ node: ConfigNode, _ key: String, expected: String, into diagnostics: inout Diagnostics
    ) -> T? {
        diagnostics.error(
            .wrongType, "'\(key)' takes \(expected), found \(node.kindDescription)", at: node.location,
            path: childPath(key))
        return nil
    }

    private func describe(_ range: ClosedRange<Int>) -> String {
        if range.upperBound == .max { return "\(range.lowerBound) or more" }
        if range.lowerBound == .min { return "\(range.upperBound) or less" }
        return "\(range.lowerBound) to \(range.upperBound)"
    }
}

/// The text of a scalar that must be a string. A plain number or boolean is refused: quoting says what was meant. The
/// value of a variable (`$<env:TENANT>`) is taken as it is.
public func readString(_ node: ConfigNode, path: String, into diagnostics: inout Diagnostics) -> String? {
    if case .string(let text)? = node.scalar?.coreType { return text }
    if let scalar = node.scalar, scalar.isResolved || scalar.isSecret, !node.isNull { return scalar.text }
    let quote = node.scalar != nil && !node.isNull ? "quote it: \"\(node.scalar?.shownText ?? "")\"" : nil
    diagnostics.error(
        .wrongType, "expected a string for '\(path)', found \(node.kindDescription)", at: node.location, path: path,
        hint: quote)
    return nil
}
