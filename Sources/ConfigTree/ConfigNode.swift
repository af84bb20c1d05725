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
    /// The nodes that this one replaced while merging, the most recent first; for maps that were merged, the map that was there
    /// before each layer. In an unmerged tree only what an explicit key replaced of a YAML merge key (`<<`).
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
    /// True when variables in the text have been resolved: a `$<` in it is no variable any more, and the value may be
    /// read as a string as well as by its core type (`$<env:PORT>` as an integer, `$<env:TENANT>` of `42` as a string).
    public var isResolved: Bool
    /// How far the text's first character is from the node's location on the same line: 1 inside quotes, else 0; nil
    /// when text columns do not map to source columns (escapes, block scalars, folded lines).
    public var textColumnOffset: Int?

    public init(
        _ text: String, isPlain: Bool = true, isSecret: Bool = false, isResolved: Bool = false,
        textColumnOffset: Int? = nil
    ) {
        self.text = text
        self.isPlain = isPlain
        self.isSecret = isSecret
        self.isResolved = isResolved
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

    /// Whether this is a null of the core schema. A secret is never null, whatever its text.
    public var isNull: Bool { scalar.map { !$0.isSecret && $0.coreType == .null } ?? false }

    /// The node at a dotted path (see ``ConfigPath``); on a list a number selects by position and a word selects the
    /// map whose `name` it is.
    public func node(at path: String) -> ConfigNode? { node(at: ConfigPath(path).segments) }

    public func node(at segments: some Sequence<String>) -> ConfigNode? {
        var current = self
        for segment in segments {
            guard let next = current.child(segment) else { return nil }
            current = next
        }
        return current
    }

    /// The entry of a map, or the item of a list by position or by `name`.
    public func child(_ segment: String) -> ConfigNode? {
        switch value {
        case .scalar: return nil
        case .mapping(let mapping): return mapping[segment]
        case .sequence(let items):
            if let index = Int(segment), items.indices.contains(index) { return items[index] }
            return items.first { $0.mapping?["name"]?.scalar?.text == segment }
        }
    }

    /// Where a part of this scalar's text stands: `scalars` counts Unicode scalars of ``ConfigScalar/text``.
    ///
    /// The whole node's place when text columns do not map to source columns.
    public func location(ofText scalars: Range<Int>) -> SourceLocation {
        guard let offset = scalar?.textColumnOffset else { return location }
        var place = location
        place.column += offset + scalars.lowerBound
        place.endColumn = place.column + max(1, scalars.count)
        return place
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
    /// The text for messages and listings: `***` when it came from a secret.
    public var shownText: String { isSecret ? "***" : text }

    /// Whether the text still holds a variable that is to be resolved.
    public var holdsVariable: Bool { !isResolved && VariableText.containsVariable(text) }

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
        if rest.isEmpty, !whole.isEmpty {
            return Int(text).map(ScalarType.integer) ?? Double(text).map(ScalarType.double)
        }
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
