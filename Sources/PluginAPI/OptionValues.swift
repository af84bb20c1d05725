public import ConfigTree
public import Diagnostics

/// The checked options of a plugin: typed by its ``PluginSpec``, defaults filled in.
public struct OptionValues: Sendable {
    public enum Value: Sendable {
        case string(String)
        case secret(Secret)
        case integer(Int)
        case boolean(Bool)
        case durationMilliseconds(Int64)
        case bytes(Int64)
        case strings([String])
        case properties([String: String])
        /// What can be read only with the columns that it speaks of.
        case tree(ConfigNode)
    }

    private var values: [String: Value] = [:]
    private var locations: [String: SourceLocation] = [:]
    private var secretKeys: Set<String> = []

    public init(_ values: [String: Value] = [:]) { self.values = values }

    public func string(_ key: String) -> String? { if case .string(let value)? = values[key] { value } else { nil } }
    public func secret(_ key: String) -> Secret? { if case .secret(let value)? = values[key] { value } else { nil } }
    public func integer(_ key: String) -> Int? { if case .integer(let value)? = values[key] { value } else { nil } }
    public func boolean(_ key: String) -> Bool? { if case .boolean(let value)? = values[key] { value } else { nil } }
    public func strings(_ key: String) -> [String]? {
        if case .strings(let value)? = values[key] { value } else { nil }
    }
    /// The names and values of a map. ``location(_:)`` of `<key>.<name>` is where a value was written.
    public func properties(_ key: String) -> [String: String]? {
        if case .properties(let value)? = values[key] { value } else { nil }
    }
    public func milliseconds(_ key: String) -> Int64? {
        if case .durationMilliseconds(let value)? = values[key] { value } else { nil }
    }
    public func bytes(_ key: String) -> Int64? { if case .bytes(let value)? = values[key] { value } else { nil } }
    /// A condition, expressions or columns, as they were written.
    public func tree(_ key: String) -> ConfigNode? { if case .tree(let node)? = values[key] { node } else { nil } }
    /// Where the option was written; nil for a default.
    public func location(_ key: String) -> SourceLocation? { locations[key] }

    /// Whether a value of a ``OptionSpec/ValueType/properties`` map, `<key>.<name>`, came from a secret.
    public func isSecret(_ key: String) -> Bool { secretKeys.contains(key) }

    /// The options whose values are not the same here and there, sorted; where they were written does not matter.
    public func keys(differingFrom other: OptionValues) -> [String] {
        Set(values.keys).union(other.values.keys).filter { !Self.isSame(values[$0], other.values[$0]) }.sorted()
    }

    private static func isSame(_ one: Value?, _ other: Value?) -> Bool {
        switch (one, other) {
        case (nil, nil): true
        case (.string(let a), .string(let b)): a == b
        case (.secret(let a), .secret(let b)): a.withValue { first in b.withValue { first == $0 } }
        case (.integer(let a), .integer(let b)): a == b
        case (.boolean(let a), .boolean(let b)): a == b
        case (.durationMilliseconds(let a), .durationMilliseconds(let b)), (.bytes(let a), .bytes(let b)): a == b
        case (.strings(let a), .strings(let b)): a == b
        case (.properties(let a), .properties(let b)): a == b
        default: false
        }
    }

    fileprivate mutating func setProperty(_ key: String, _ node: ConfigNode) {
        locations[key] = node.location
        if node.scalar?.isSecret == true { secretKeys.insert(key) }
    }

    mutating func set(_ key: String, _ value: Value, at location: SourceLocation?) {
        values[key] = value
        locations[key] = location
    }
}

extension PluginSpec {
    /// Reads options from a mapping (nil = all defaults) and reports unknown keys, wrong types and missing options.
    ///
    /// A scalar that still holds an unresolved variable (`$<secret:…>`) is accepted as it stands: offline commands check
    /// everything else.
    public func parse(
        _ node: ConfigNode?, path: String, at location: SourceLocation, into diagnostics: inout Diagnostics
    ) -> OptionValues {
        var result = OptionValues()
        var node = node ?? ConfigNode(.mapping(ConfigMapping()), at: location, layer: ConfigLayer("default"))
        if isInline, let option = options.first {
            let entry = ConfigMapping.Entry(key: option.key, keyLocation: location, node: node)
            node = ConfigNode(.mapping(ConfigMapping([entry])), at: location, layer: node.layer)
        }
        guard var reader = MappingReader(node, path: path, into: &diagnostics) else { return result }
        for option in options {
            if let child = reader.node(option.key) {
                if !option.type.isTree, let scalar = child.scalar, scalar.holdsVariable {
                    result.set(
                        option.key, option.isSecret ? .secret(Secret(scalar.text)) : .string(scalar.text),
                        at: child.location)
                } else if let value = option.read(child, &reader, into: &diagnostics) {
                    result.set(option.key, value, at: child.location)
                    for entry in option.type.isTree ? [] : child.mapping?.entries ?? [] {
                        result.setProperty("\(option.key).\(entry.key)", entry.node)
                    }
                }
            } else if let text = option.defaultValue {
                let scalar = ConfigNode(.scalar(ConfigScalar(text)), at: location, layer: ConfigLayer("default"))
                var defaults = Diagnostics()
                let mapping = ConfigMapping([.init(key: option.key, keyLocation: location, node: scalar)])
                let wrapped = ConfigNode(.mapping(mapping), at: location, layer: ConfigLayer("default"))
                guard var inner = MappingReader(wrapped, path: path, into: &defaults),
                    let value = option.read(scalar, &inner, into: &defaults)
                else {
                    diagnostics.append(contentsOf: defaults)
                    continue
                }
                result.set(option.key, value, at: nil)
            } else if option.isRequired {
                diagnostics.error(
                    .missingKey,
                    "\(kind.rawValue.replacing("_", with: " ")) '\(name)' needs the option '\(option.key)'",
                    at: location, path: "\(path).\(option.key)",
                    hint: "\(option.doc)\(option.example.map { " Example: \(option.key): \($0)" } ?? "")")
            }
        }
        reader.finish(into: &diagnostics)
        return result
    }
}

extension OptionSpec {
    fileprivate func read(
        _ node: ConfigNode, _ reader: inout MappingReader, into diagnostics: inout Diagnostics
    ) -> OptionValues.Value? {
        if isSecret {
            return readString(node, path: reader.childPath(key), into: &diagnostics).map { .secret(Secret($0)) }
        }
        switch type {
        case .string, .path: return reader.string(key, into: &diagnostics).map { .string($0) }
        case .integer(let range): return reader.integer(key, in: range, into: &diagnostics).map { .integer($0) }
        case .boolean: return reader.boolean(key, into: &diagnostics).map { .boolean($0) }
        case .duration: return reader.durationMilliseconds(key, into: &diagnostics).map { .durationMilliseconds($0) }
        case .choice(let choices): return reader.choice(key, of: choices, into: &diagnostics).map { .string($0) }
        case .strings: return reader.strings(key, into: &diagnostics).map { .strings($0.map(\.text)) }
        case .properties:
            guard let properties = MappingReader(node, path: reader.childPath(key), into: &diagnostics) else {
                return nil
            }
            var values: [String: String] = [:]
            for entry in properties.mapping.entries where !entry.node.isNull {
                let path = properties.childPath(entry.key)
                // Numbers and booleans need no quotes here: the other program reads all values as texts.
                if let scalar = entry.node.scalar {
                    values[entry.key] = scalar.text
                } else {
                    _ = readString(entry.node, path: path, into: &diagnostics)
                }
            }
            return .properties(values)
        case .condition: return .tree(node)
        case .expressions:
            guard let names = MappingReader(node, path: reader.childPath(key), into: &diagnostics) else { return nil }
            guard !names.mapping.entries.isEmpty else { return refuseEmpty(node, reader, into: &diagnostics) }
            return .tree(node)
        case .columns:
            guard let items = reader.sequence(key, into: &diagnostics) else { return nil }
            guard !items.isEmpty else { return refuseEmpty(node, reader, into: &diagnostics) }
            return .tree(node)
        case .byteSize:
            if let text = node.scalar?.text, let bytes = ByteSizeText.bytes(text) { return .bytes(bytes) }
            diagnostics.error(
                .invalidValue, "'\(key)' is not a number of bytes: '\(node.scalar?.shownText ?? node.kindDescription)'",
                at: node.location, path: reader.childPath(key), hint: ByteSizeText.hint)
            return nil
        }
    }

    private func refuseEmpty(
        _ node: ConfigNode, _ reader: MappingReader, into diagnostics: inout Diagnostics
    ) -> OptionValues.Value? {
        diagnostics.error(
            .invalidValue, "'\(key)' is empty", at: node.location, path: reader.childPath(key),
            hint: "\(doc)\(example.map { " Example: \($0)" } ?? "")")
        return nil
    }
}

extension OptionSpec.ValueType {
    /// Values of these types are read by whoever knows the columns.
    fileprivate var isTree: Bool {
        switch self {
        case .condition, .expressions, .columns: true
        default: false
        }
    }
}
