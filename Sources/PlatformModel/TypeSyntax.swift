/// A type as it is written: `string`, `decimal(10,2)`, `array<map<long>>`, `address`.
indirect enum TypeSyntax: Equatable {
    case name(String)
    case decimal(precision: Int, scale: Int)
    case array(TypeSyntax)
    case map(TypeSyntax)

    static let builtInNames = [
        "string", "int", "long", "float", "double", "boolean", "bytes", "date", "timestamp", "datetime", "uuid",
        "decimal", "money", "enum", "record", "array", "map",
    ]

    /// Nil when the text is no type.
    init?(_ text: String) {
        let text = text.filter { $0 != " " }
        if let inner = Self.inside(text, "array<", ">") {
            guard let element = TypeSyntax(inner) else { return nil }
            self = .array(element)
        } else if let inner = Self.inside(text, "map<", ">") {
            guard let value = TypeSyntax(inner) else { return nil }
            self = .map(value)
        } else if let inner = Self.inside(text, "decimal(", ")") {
            let numbers = inner.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(numbers.count), let precision = numbers[0] else { return nil }
            guard let scale = numbers.count == 2 ? numbers[1] : 0 else { return nil }
            self = .decimal(precision: precision, scale: scale)
        } else {
            guard NameRule.isIdentifier(text) else { return nil }
            self = .name(text)
        }
    }

    /// The innermost named type.
    var leafName: String? {
        switch self {
        case .name(let name): name
        case .decimal: nil
        case .array(let inner), .map(let inner): inner.leafName
        }
    }

    private static func inside(_ text: String, _ prefix: String, _ suffix: String) -> String? {
        guard text.hasPrefix(prefix), text.hasSuffix(suffix) else { return nil }
        return String(text.dropFirst(prefix.count).dropLast(suffix.count))
    }
}
