/// A value that PostgreSQL's type cannot hold. Says which column, never the value.
struct UnstorableValue: Error {
    enum Reason {
        case text
        case uuid
        case timestamp
        case date
        case integer
        case array
        case hashed

        var words: String {
            switch self {
            case .text: "text with U+0000 or malformed UTF-8, which PostgreSQL cannot hold"
            case .uuid: "text that is no UUID"
            case .timestamp: "a timestamp outside 4713 BC to 294276 AD"
            case .date: "a date outside 4713 BC to 5874897 AD"
            case .integer: "a number outside 32 bits"
            case .array: "text that is no JSON array of the column's elements"
            case .hashed: "only hashes of its values"
            }
        }
    }

    var column: String
    var reason: Reason
}

/// The rows of a batch with a value that PostgreSQL's type cannot hold, each with the first such value.
struct UnstorableRows: Error {
    var rows: [(row: Int, value: UnstorableValue)]
}
