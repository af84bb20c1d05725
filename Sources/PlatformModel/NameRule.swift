/// What names may look like.
enum NameRule {
    static let hint = "a name begins with a letter or '_' and goes on with letters, digits and '_'"
    static let namespaceHint = "a namespace is names joined by dots, such as com.example.events"
    static let topicHint = "a topic's name has letters, digits, '.', '_' and '-', at most 249"

    /// A name in the sense of Avro: ASCII letters, digits and `_`, not beginning with a digit.
    static func isIdentifier(_ text: String) -> Bool {
        guard let first = text.utf8.first, !isDigit(first) else { return false }
        return text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    static func isNamespace(_ text: String) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isIdentifier(String($0)) }
    }

    /// A domain's name is also a folder's: as a name, but with `-` inside.
    static func isDomain(_ text: String) -> Bool {
        isIdentifier(text.replacing("-", with: "_")) && !text.hasPrefix("-")
    }

    /// Kafka's rule.
    static func isTopic(_ text: String) -> Bool {
        let marks = [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")]
        return (1...249).contains(text.utf8.count) && text != "." && text != ".."
            && text.utf8.allSatisfy { isLetter($0) || isDigit($0) || marks.contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
