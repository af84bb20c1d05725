public import Diagnostics

/// Where a layer of configuration comes from; later layers override earlier ones.
public struct ConfigLayer: Hashable, Sendable {
    /// `platform`, `environment`, `domain`, `environment (domain block)`, `--set`.
    public var name: String

    public init(_ name: String) { self.name = name }
}

/// A node of a configuration tree. It knows where it was written and what it overrode.
public struct ConfigNode: Sendable {
    public var value: ConfigValue
    public var location: SourceLocation
    public var layer: ConfigLayer
    /// The nodes that this one replaced while merging, the most recent first. Empty in an unmerged tree.
    public var overridden: [ConfigNode]

    public init(_ value: ConfigValue, at location: SourceLocation, layer: ConfigLayer, overridden: [ConfigNode] = []) {
        self.value = value
        self.location = location
        self.layer = layer
        self.overridden = overridden
    }
}

/// What a node holds. Scalars keep their text, so that variables are resolved first and typed afterwards.
public indirect enum ConfigValue: Sendable {
    case scalar(ConfigScalar)
    case sequence([ConfigNode])
    case mapping(ConfigMapping)
}

/// A scalar as it was written.
public struct ConfigScalar: Hashable, Sendable {
    public var text: String
    /// True for a plain (unquoted) scalar, which the core schema may read as null, boolean or number.
    public var isPlain: Bool
    /// True when `text` came from a secret: it prints as `***`, whoever prints it.
    public var isSecret: Bool
    /// How far the text's first character is from the node's location on the same line: 1 inside quotes, else 0; nil
    /// when text columns do not map to source columns (escapes, block scalars, folded lines).
    public var textColumnOffset: Int?

    public init(_ text: String, isPlain: Bool = true, isSecret: Bool = false, textColumnOffset: Int? = nil) {
        self.text = text
        self.isPlain = isPlain
        self.isSecret = isSecret
        self.textColumnOffset = textColumnOffset
    }
}

/// The type of a scalar by YAML 1.2's core schema.
public enum ScalarType: Equatable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int)
    case double(Double)
    case string(String)
}

/// A mapping in the order in which it was written.
public struct ConfigMapping: Sendable {
    public struct Entry: Sendable {
        public var key: String
        public var keyLocation: SourceLocation
        public var node: ConfigNode

        public init(key: String, keyLocation: SourceLocation, node: ConfigNode) {
            self.key = key
            self.keyLocation = keyLocation
            self.node = node
        }
    }

    public private(set) var entries: [Entry]
    private var positions: [String: Int]

    public init(_ entries: [Entry] = []) {
        self.entries = []
        positions = [:]
        for entry in entries { set(entry) }
    }

    public subscript(key: String) -> ConfigNode? { positions[key].map { entries[$0].node } }

    public func entry(_ key: String) -> Entry? { positions[key].map { entries[$0] } }

    public var keys: [String] { entries.map(\.key) }

    /// Adds an entry, or replaces the one of the same key in its place.
    public mutating func set(_ entry: Entry) {
        if let position = positions[entry.key] {
            entries[position] = entry
        } else {
            positions[entry.key] = entries.count
            entries.append(entry)
        }
    }

    public mutating func remove(_ key: String) {
        guard positions[key] != nil else { return }
        entries.removeAll { $0.key == key }
        positions = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.key, $0) })
    }
}

extension ConfigNode {
    public var scalar: ConfigScalar? {
        if case .scalar(let scalar) = value { scalar } else { nil }
    }

    public var mapping: ConfigMapping? {
        if case .mapping(let mapping) = value { mapping } else { nil }
    }

    public var sequence: [ConfigNode]? {
        if case .sequence(let items) = value { items } else { nil }
    }

    public var isNull: Bool { scalar?.coreType == .null }

    /// The node at a dotted path; a number selects from a sequence.
    public func node(at path: String) -> ConfigNode? {
        var current = self
        for part in path.split(separator: ".") {
            if let next = current.mapping?[String(part)] {
                current = next
            } else if let index = Int(part), let items = current.sequence, items.indices.contains(index) {
                current = items[index]
            } else {
                return nil
            }
        }
        return current
    }

    /// A word for messages: `a string`, `an integer`, `a list`, `a map`, `nothing`.
    public var kindDescription: String {
        switch value {
        case .sequence: "a list"
        case .mapping: "a map"
        case .scalar(let scalar):
            switch scalar.coreType {
            case .null: "nothing"
            case .boolean: "a boolean"
            case .integer: "an integer"
            case .double: "a number"
            case .string: "a string"
            }
        }
    }
}

extension ConfigScalar {
    /// The type that YAML 1.2's core schema gives to the text: `NO` is a string, `1_000` is not a number.
    ///
    /// Source: YAML 1.2.2, section 10.3.2.
    public var coreType: ScalarType {
        guard isPlain else { return .string(text) }
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .boolean(true)
        case "false", "False", "FALSE": return .boolean(false)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .double(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .double(-.infinity)
        case ".nan", ".NaN", ".NAN": return .double(.nan)
        default: break
        }
        if text.hasPrefix("0o"), let value = Int(text.dropFirst(2), radix: 8) { return .integer(value) }
        if text.hasPrefix("0x"), let value = Int(text.dropFirst(2), radix: 16) { return .integer(value) }
        if let number = decimalNumber { return number }
        return .string(text)
    }

    private var decimalNumber: ScalarType? {
        var rest = text.utf8[...]
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest.removeFirst() }
        let whole = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        rest.removeFirst(whole.count)
        if rest.isEmpty, !whole.isEmpty { return Int(text).map(ScalarType.integer) ?? Double(text).map(ScalarType.double) }
        var fraction = 0
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            fraction = digits.count
            rest.removeFirst(digits.count)
        }
        guard whole.count + fraction > 0 else { return nil }
        if let letter = rest.first, letter == UInt8(ascii: "e") || letter == UInt8(ascii: "E") {
            rest.removeFirst()
            if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest.removeFirst() }
            guard let first = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
            rest = rest.drop { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        }
        guard rest.isEmpty else { return nil }
        return Double(text).map(ScalarType.double)
    }
}
