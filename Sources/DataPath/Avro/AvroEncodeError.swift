/// Why a row could not be encoded. It names the field, never the value.
public struct AvroEncodeError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: UInt8, Hashable, Sendable {
        case nullNotAllowed = 1
        case outOfRange, unknownSymbol, wrongLength
        /// A decimal has more digits after the point than its type.
        case tooManyFractionDigits
        /// JSON text is not well-formed, or one of its objects names a field of a record twice.
        case malformedJSON
        /// JSON text is well-formed, but a value in it is of another type than the schema's.
        case wrongType
        /// A JSON object lacks a field of its record that has no default.
        case missingField
    }

    public var reason: Reason
    /// The dotted path of the field, inside JSON text as well.
    public var field: String

    public init(_ reason: Reason, field: String) {
        self.reason = reason
        self.field = field
    }

    public var description: String {
        let fact =
            switch reason {
            case .nullNotAllowed: "a null where none is allowed"
            case .outOfRange: "the value is outside the range of its type"
            case .unknownSymbol: "the value is not one of the enum's symbols"
            case .wrongLength: "the value has not the length of its type"
            case .tooManyFractionDigits: "the decimal has more digits after the point than its type"
            case .malformedJSON: "the JSON text is not well-formed or names a field twice"
            case .wrongType: "the JSON text holds a value of another type"
            case .missingField: "the JSON text lacks the field, which has no default"
            }
        return "field '\(field)': \(fact)"
    }
}
