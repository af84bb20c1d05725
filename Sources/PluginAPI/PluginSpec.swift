/// What a plugin is for.
public enum PluginKind: String, Hashable, Sendable, CaseIterable {
    case secretBackend = "secret_backend"
    case broker
    case schemaRegistry = "schema_registry"
    case sink
    case valueProvider = "value_provider"
    /// A step of a derived stream.
    case operation = "operator"
}

/// The one declaration of a plugin: from it come parsing, checking, reference pages, `plugin.yaml` and JSON Schema.
public struct PluginSpec: Sendable {
    public var kind: PluginKind
    /// The word that `type:` takes.
    public var name: String
    public var summary: String
    public var options: [OptionSpec]
    /// What stands behind the plugin's name is the value of its one option itself, as in `filter: amount > 100`, instead of a
    /// map of options.
    public var isInline: Bool

    public init(
        kind: PluginKind, name: String, summary: String, options: [OptionSpec] = [], isInline: Bool = false
    ) {
        self.kind = kind
        self.name = name
        self.summary = summary
        self.options = options
        self.isInline = isInline
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
        /// A condition over the columns of a step, as SQL text or in its map form.
        case condition
        /// Names of new columns with expressions over the columns of a step.
        case expressions
        /// References to columns of a step.
        case columns
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
