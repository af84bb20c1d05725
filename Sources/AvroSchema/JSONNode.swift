/// A JSON value that knows where it stands; objects keep their order.
struct JSONNode {
    indirect enum Value {
        case null
        case boolean(Bool)
        case integer(Int64)
        case double(Double)
        case string(String)
        case array([JSONNode])
        case object([Member])
    }

    struct Member {
        var key: String
        var value: JSONNode
    }

    var value: Value
    var line: Int
    var column: Int

    /// The value of an object's key; nil for other values.
    func member(_ key: String) -> JSONNode? {
        guard case .object(let members) = value else { return nil }
        return members.first { $0.key == key }?.value
    }

    var string: String? {
        if case .string(let text) = value { return text }
        return nil
    }

    var integer: Int64? {
        if case .integer(let number) = value { return number }
        return nil
    }

    /// What the value is, for messages.
    var kind: String {
        switch value {
        case .null: "null"
        case .boolean: "a boolean"
        case .integer, .double: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
