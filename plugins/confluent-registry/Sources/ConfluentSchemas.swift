import Diagnostics
import HTTPClient
import PluginAPI
import Synchronization

/// A registry server. Schemas by id never change and are asked for once; the newest version of a subject always is.
/// Threads: any.
final class ConfluentSchemas: SchemaRegistry {
    private let connection: RegistryConnection
    private let texts = Mutex<[Int32: String]>([:])

    init(_ connection: RegistryConnection) { self.connection = connection }

    /// Asks once for something small that takes the same rights as everything else.
    func checkConnection() throws {
        guard try connection.send("GET", "/config", rounds: 1)?.fields?.compatibilityLevel != nil else {
            throw connection.notUnderstood("compatibility level")
        }
    }

    func register(subject: String, schema: String) throws -> Int32 {
        let answer = try connection.send(
            "POST", "/subjects/\(HTTPURL.escape(subject))/versions", body: Self.body(["schema": schema]))
        guard let id = answer?.fields?.id else { throw connection.notUnderstood("id of the schema") }
        return id
    }

    func schema(id: Int32) throws -> String? {
        if let text = texts.withLock({ $0[id] }) { return text }
        guard let answer = try connection.send("GET", "/schemas/ids/\(id)") else { return nil }
        guard let text = answer.fields?.schema else { throw connection.notUnderstood("schema") }
        texts.withLock { $0[id] = text }
        return text
    }

    func latest(subject: String) throws -> RegisteredSchema? {
        guard let answer = try connection.send("GET", "/subjects/\(HTTPURL.escape(subject))/versions/latest") else {
            return nil
        }
        guard let fields = answer.fields, let id = fields.id, let version = fields.version, let schema = fields.schema
        else { throw connection.notUnderstood("version of the subject") }
        return RegisteredSchema(subject: subject, id: id, version: version, schema: schema)
    }

    func incompatibilities(subject: String, schema: String) throws -> [String] {
        let path = "/compatibility/subjects/\(HTTPURL.escape(subject))/versions?verbose=true"
        // A subject without versions goes with everything.
        guard let answer = try connection.send("POST", path, body: Self.body(["schema": schema])) else { return [] }
        guard let fields = answer.fields, let isCompatible = fields.isCompatible else {
            throw connection.notUnderstood("verdict about the schema")
        }
        if isCompatible { return [] }
        let messages = fields.messages ?? []
        return messages.isEmpty ? ["the registry says that the schema is not compatible, without a reason"] : messages
    }

    func compatibility(subject: String) throws -> CompatibilityLevel {
        // Registries that do not know the flag say 404 for a subject without a level of its own.
        let own = try connection.send("GET", "/config/\(HTTPURL.escape(subject))?defaultToGlobal=true")
        let answer = try own ?? connection.send("GET", "/config")
        guard let level = answer?.fields?.compatibilityLevel.flatMap(CompatibilityLevel.init) else {
            throw connection.notUnderstood("compatibility level")
        }
        return level
    }

    func setCompatibility(_ level: CompatibilityLevel, subject: String) throws {
        let answer = try connection.send(
            "PUT", "/config/\(HTTPURL.escape(subject))", body: Self.body(["compatibility": level.rawValue]))
        if answer == nil { throw connection.notUnderstood("compatibility level") }
    }

    func health() throws -> ComponentHealth {
        let count = try connection.send("GET", "/subjects", rounds: 1)?.itemCount
        return ComponentHealth(version: "Schema Registry", detail: count.map { "\($0) subjects" })
    }

    func close() throws {}

    private static func body(_ members: [String: String]) -> String {
        JSONValue.object(members.mapValues { .string($0) }).text(compact: true)
    }
}
