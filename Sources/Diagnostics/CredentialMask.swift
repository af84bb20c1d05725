/// Takes credentials out of texts that a person wrote, before they are shown: an excerpt of a line may hold more than the
/// mistake.
///
/// Every character becomes `*`, so that columns stay. It goes by looks; what is known to be a secret never comes so far.
public enum CredentialMask {
    /// Without the user and the password of any URL.
    public static func urls(_ text: String) -> String {
        guard text.contains("://"), text.contains("@") else { return text }
        var scalars = Array(text.unicodeScalars)
        maskURLs(&scalars)
        return string(scalars)
    }

    /// A line of a configuration file, or an argument of `--set`, without credentials in URLs and without values of keys
    /// such as `password`. Variables stay.
    public static func line(_ text: String) -> String {
        var scalars = Array(text.unicodeScalars)
        maskURLs(&scalars)
        maskValues(&scalars)
        return string(scalars)
    }

    private static let keys = ["password", "passphrase", "token", "secret", "secret_id", "api_key"].map {
        Array($0.unicodeScalars)
    }
    private static let quotes: [Unicode.Scalar] = ["\"", "'"]

    private static func string(_ scalars: [Unicode.Scalar]) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    private static func maskURLs(_ scalars: inout [Unicode.Scalar]) {
        let mark = Array("://".unicodeScalars)
        var index = 0
        while index + mark.count < scalars.count {
            guard scalars[index..<index + mark.count].elementsEqual(mark) else {
                index += 1
                continue
            }
            let start = index + mark.count
            let end =
                scalars[start...].firstIndex { $0.properties.isWhitespace || quotes.contains($0) } ?? scalars.count
            if let at = scalars[start..<end].lastIndex(of: "@") { mask(&scalars, start..<at) }
            index = end
        }
    }

    private static func maskValues(_ scalars: inout [Unicode.Scalar]) {
        let lowercased = scalars.map {
            $0.isASCII ? Unicode.Scalar(UInt8($0.value) | ("A"..."Z" ~= $0 ? 0x20 : 0)) : $0
        }
        for key in keys {
            var index = 0
            while index + key.count < scalars.count {
                defer { index += 1 }
                guard lowercased[index..<index + key.count].elementsEqual(key), !beginsVariable(index, scalars),
                    let value = value(after: index + key.count, in: scalars)
                else { continue }
                mask(&scalars, value)
            }
        }
    }

    /// Whether `$<` or `${` stands before `index`: the name of a variable's kind is no key.
    private static func beginsVariable(_ index: Int, _ scalars: [Unicode.Scalar]) -> Bool {
        index >= 2 && scalars[index - 2] == "$" && (scalars[index - 1] == "<" || scalars[index - 1] == "{")
    }

    /// The value behind a key that ends at `index`; nil where there is none, or where it begins with a variable.
    private static func value(after index: Int, in scalars: [Unicode.Scalar]) -> Range<Int>? {
        var index = index
        func skip(_ isSkipped: (Unicode.Scalar) -> Bool) {
            while index < scalars.count, isSkipped(scalars[index]) { index += 1 }
        }
        skip(quotes.contains)
        skip { $0 == " " }
        guard index < scalars.count, scalars[index] == ":" || scalars[index] == "=" else { return nil }
        index += 1
        skip { $0 == " " }
        guard index < scalars.count else { return nil }
        let quote = quotes.contains(scalars[index]) ? scalars[index] : nil
        if quote != nil { index += 1 }
        let ends: [Unicode.Scalar] = quote.map { [$0] } ?? [",", "}", "]", " "]
        let end = scalars[index...].firstIndex(where: ends.contains) ?? scalars.count
        return end > index && scalars[index] != "$" ? index..<end : nil
    }

    private static func mask(_ scalars: inout [Unicode.Scalar], _ range: Range<Int>) {
        for index in range { scalars[index] = "*" }
    }
}
