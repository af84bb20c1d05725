/// What a plugin is for.
public enum PluginKind: String, Hashable, Sendable, CaseIterable {
    case secretBackend = "secret_backend"
    case broker
    case schemaRegistry = "schema_registry"
    case sink
    case valueProvider = "value_provider"
}

/// The one declaration of a plugin: from it come parsing, checking, reference pages, `plugin.yaml` and JSON Schema.
public struct PluginSpec: Sendable {
    public var kind: PluginKind
    /// The word that `type:` takes.
    public var name: String
    public var summary: String
    public var options: [OptionSpec]

    public init(kind: PluginKind, name: String, summary: String, options: [OptionSpec] = []) {
        self.kind = kind
        self.name = name
        self.summary = summary
        self.options = options
    }
}

/// One option of a plugin.
public struct OptionSpec: Sendable {
    public enum ValueType: Hashable, Sendable {
        case string
        case integer(ClosedRange<Int>)
        case boolean
        case duration
        /// A number of bytes: `64 MiB`, `1 GB`, `4096`.
        case byteSize
        case choice([String])
        /// A file or folder; relative to the project root.
        case path
        case strings
        /// Names with texts, for what another program defines; values may be secrets, and none is ever shown.
        case properties
    }

    public var key: String
    public var type: ValueType
    /// As a person would write it; nil = none.
    public var defaultValue: String?
    public var isRequired: Bool
    /// Its value is never shown.
    public var isSecret: Bool
    /// It says which store a sink writes to: another value means other tables, which hold none of the results so far.
    public var isPlace: Bool
    public var doc: String
    public var example: String?

    public init(
        _ key: String, _ type: ValueType, default defaultValue: String? = nil, isRequired: Bool = false,
        isSecret: Bool = false, isPlace: Bool = false, doc: String, example: String? = nil
    ) {
        self.key = key
        self.type = type
        self.defaultValue = defaultValue
        self.isRequired = isRequired
        self.isSecret = isSecret
        self.isPlace = isPlace
        self.doc = doc
        self.example = example
    }
}
