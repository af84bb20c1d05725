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
