internal import Diagnostics
internal import PluginAPI

/// What a successful request is answered with.
enum RegistryAnswer {
    case json(JSONValue)
    /// A schema's own text, which is JSON.
    case text(String)

    static func strings(_ values: [String]) -> RegistryAnswer { .json(.array(values.map { .string($0) })) }
    static func integers(_ values: [Int]) -> RegistryAnswer { .json(.array(values.map { .integer($0) })) }

    static func version(_ schema: RegisteredSchema) -> RegistryAnswer {
        .json(
            .object([
                "subject": .string(schema.subject), "id": .integer(Int(schema.id)),
                "version": .integer(schema.version), "schema": .string(schema.schema),
            ]))
    }

    var body: String {
        switch self {
        case .json(let value): value.text(compact: true)
        case .text(let text): text
        }
    }
}
