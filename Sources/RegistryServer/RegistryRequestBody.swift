internal import Foundation

/// What clients send; JSON. A field that is not here has no meaning for the registry's Avro subset.
struct RegistryRequestBody: Decodable {
    struct Reference: Decodable {}
    /// Present or not: what is in it does not matter.
    struct Anything: Decodable {
        init(from decoder: any Decoder) throws {}
    }

    var schema: String?
    var schemaType: String?
    var references: [Reference]?
    var metadata: Anything?
    var ruleSet: Anything?
    var id: Int?
    var version: Int?
    var compatibility: String?
    var mode: String?

    /// Throws ``RegistryFailure`` for what is not JSON of this kind.
    static func read(_ body: [UInt8]) throws(RegistryFailure) -> RegistryRequestBody {
        do {
            return try JSONDecoder().decode(RegistryRequestBody.self, from: Data(body))
        } catch {
            throw RegistryFailure(400, 400, "The body is not the JSON object that this request takes.")
        }
    }

    /// The schema, if it is one that this registry takes.
    func avroSchema() throws(RegistryFailure) -> String {
        func refuse(_ reason: String) -> RegistryFailure { RegistryFailure(422, 42201, "Invalid schema: \(reason)") }
        if let schemaType, schemaType != "AVRO" {
            throw refuse("schema type '\(schemaType)' is not supported, only AVRO is")
        }
        if references?.isEmpty == false {
            throw refuse("references to other subjects are not supported; put the types into the schema itself")
        }
        if metadata != nil { throw refuse("metadata are not supported") }
        if ruleSet != nil { throw refuse("rule sets are not supported") }
        guard let schema, !schema.isEmpty else { throw RegistryFailure(422, 42201, "Empty schema") }
        return schema
    }
}
