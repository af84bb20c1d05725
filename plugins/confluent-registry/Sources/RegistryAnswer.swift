import Foundation
import HTTPClient

/// An answer of the registry: JSON, or what a proxy in between says.
struct RegistryAnswer {
    /// The fields of all answers; each has some.
    struct Fields: Decodable {
        enum CodingKeys: String, CodingKey {
            case id, version, schema, compatibilityLevel, messages, message
            case isCompatible = "is_compatible"
            case errorCode = "error_code"
        }

        var id: Int32?
        var version: Int?
        var schema: String?
        var compatibilityLevel: String?
        var isCompatible: Bool?
        var messages: [String]?
        var errorCode: Int?
        var message: String?
    }

    let status: Int
    /// Nil when the body is no JSON object of this kind.
    let fields: Fields?
    /// How many items the body has, if it is an array.
    let itemCount: Int?

    init(_ response: HTTPResponse) {
        status = response.status
        let data = Data(response.body)
        fields = try? JSONDecoder().decode(Fields.self, from: data)
        itemCount = fields == nil ? (try? JSONSerialization.jsonObject(with: data) as? [Any])?.count : nil
    }

    /// The registry's own code: 40401.
    var code: Int? { fields?.errorCode }

    /// The registry's words if it has any; never the body of something else.
    var sentence: String {
        let message = fields?.message.map { String($0.prefix(2000)) }
        guard let message, !message.isEmpty else { return "status \(status)" }
        return code.map { "\(message) (code \($0))" } ?? "\(message) (status \(status))"
    }
}
