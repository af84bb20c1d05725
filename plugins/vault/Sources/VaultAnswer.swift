import Foundation

/// The body of an answer, as much of it as is used.
struct VaultAnswer: Decodable {
    struct Auth: Decodable {
        var token: String
        var leaseSeconds: Int
        var isRenewable: Bool

        enum CodingKeys: String, CodingKey {
            case token = "client_token"
            case leaseSeconds = "lease_duration"
            case isRenewable = "renewable"
        }
    }

    var data: VaultValue?
    var auth: Auth?
    var errors: [String]?
    var warnings: [String]?
    var leaseSeconds: Int?

    enum CodingKeys: String, CodingKey {
        case data, auth, errors, warnings
        case leaseSeconds = "lease_duration"
    }

    /// Nil when the bytes are no JSON object of that shape.
    init?(_ bytes: [UInt8]) {
        // The decoder's error would quote what it read; that it is no answer is all that may be said.
        guard let answer = try? JSONDecoder().decode(VaultAnswer.self, from: Data(bytes)) else { return nil }
        self = answer
    }

    init() {}
}

/// A JSON value; a number keeps its digits, but not the zeros at its end.
indirect enum VaultValue: Decodable {
    case null
    case boolean(Bool)
    case number(Decimal)
    case string(String)
    case list
    case object([String: VaultValue])

    init(from decoder: any Decoder) throws {
        if let fields = try? decoder.container(keyedBy: Name.self) {
            var object: [String: VaultValue] = [:]
            for name in fields.allKeys { object[name.stringValue] = try fields.decode(VaultValue.self, forKey: name) }
            self = .object(object)
            return
        }
        if (try? decoder.unkeyedContainer()) != nil {
            self = .list
            return
        }
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let text = try? value.decode(String.self) {
            self = .string(text)
        } else if let flag = try? value.decode(Bool.self) {
            self = .boolean(flag)
        } else {
            self = .number(try value.decode(Decimal.self))
        }
    }

    subscript(key: String) -> VaultValue? { object?[key] }

    var object: [String: VaultValue]? { if case .object(let fields) = self { fields } else { nil } }
    var string: String? { if case .string(let text) = self { text } else { nil } }
    var boolean: Bool? { if case .boolean(let flag) = self { flag } else { nil } }
    var integer: Int? {
        if case .number(let number) = self { Int(exactly: NSDecimalNumber(decimal: number)) } else { nil }
    }

    /// The value as the text of a secret; nil for null, a list and an object.
    var text: String? {
        switch self {
        case .string(let text): text
        case .boolean(let flag): String(flag)
        case .number(let number): NSDecimalNumber(decimal: number).description(withLocale: nil)
        case .null, .list, .object: nil
        }
    }

    private struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
