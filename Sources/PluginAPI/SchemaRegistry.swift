internal import Diagnostics

/// A schema registry plugin: schemas by subject, version and id.
///
/// Order of calls: `validate` (pure) → `open` → any of the registry's methods, from any thread → `close`, once.
public protocol SchemaRegistryPlugin: Plugin {
    /// Opens the registry. Throws ``PipelineError`` with exit code 3 when it is not there.
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any SchemaRegistry
}

/// An open schema registry. Threads: every method may be called from any thread.
public protocol SchemaRegistry: AnyObject, Sendable {
    /// The id of the schema under the subject: a new version, or the one that holds the same schema. Ids are global and
    /// for ever. Throws ``PipelineError`` when the subject's compatibility level forbids it.
    func register(subject: String, schema: String) throws -> Int32
    /// The schema's text; nil when the id is not known (it may be registered later).
    func schema(id: Int32) throws -> String?
    /// The newest version of a subject; nil when it has none.
    func latest(subject: String) throws -> RegisteredSchema?
    /// What keeps a schema from becoming the subject's next version at its level: sentences with the field, the reason and,
    /// where the registry says it, what to do. Empty when nothing does. Changes nothing.
    func incompatibilities(subject: String, schema: String) throws -> [String]
    /// The level that a new version of the subject must meet: its own, else the registry's.
    func compatibility(subject: String) throws -> CompatibilityLevel
    /// Gives the subject, which need not be there yet, a level of its own.
    func setCompatibility(_ level: CompatibilityLevel, subject: String) throws
    func health() throws -> ComponentHealth
    func close() throws
}

/// A version of a subject.
public struct RegisteredSchema: Hashable, Sendable {
    public var subject: String
    public var id: Int32
    /// 1-based.
    public var version: Int
    public var schema: String

    public init(subject: String, id: Int32, version: Int, schema: String) {
        self.subject = subject
        self.id = id
        self.version = version
        self.schema = schema
    }
}

/// What a new version of a subject must go with. Raw values: the words of the Schema Registry.
public enum CompatibilityLevel: String, Hashable, Sendable, CaseIterable {
    case none = "NONE"
    /// The new schema reads what the newest version wrote.
    case backward = "BACKWARD"
    case backwardTransitive = "BACKWARD_TRANSITIVE"
    /// The newest version reads what the new schema writes.
    case forward = "FORWARD"
    case forwardTransitive = "FORWARD_TRANSITIVE"
    case full = "FULL"
    case fullTransitive = "FULL_TRANSITIVE"

    /// The new schema must read what was written before.
    public var readsOld: Bool {
        switch self {
        case .backward, .backwardTransitive, .full, .fullTransitive: true
        case .none, .forward, .forwardTransitive: false
        }
    }

    /// Older schemas must read what the new one writes.
    public var isReadByOld: Bool {
        switch self {
        case .forward, .forwardTransitive, .full, .fullTransitive: true
        case .none, .backward, .backwardTransitive: false
        }
    }

    /// Every version counts, not only the newest.
    public var isTransitive: Bool {
        switch self {
        case .backwardTransitive, .forwardTransitive, .fullTransitive: true
        case .none, .backward, .forward, .full: false
        }
    }
}
