/// Parts of URLs.
public enum HTTPURL {
    /// `text` with every byte but RFC 3986's unreserved ones (letters, digits, `-._~`) percent-encoded, so that it can
    /// stand as one path segment, or as a name or value of a query.
    public static func escape(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.append(byte)
            default:
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// What is after the first `?`; nil without one.
    static func query(of url: String) -> Substring? {
        url.firstIndex(of: "?").map { url[url.index(after: $0)...] }
    }

    /// Why `url` cannot be asked; nil when it can. The reason does not quote it.
    static func problem(of url: String) -> String? {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            return "the URL holds a blank or a control character; it must be percent-encoded"
        }
        guard let schemeEnd = url.firstRange(of: "://"),
            ["http", "https"].contains(url[..<schemeEnd.lowerBound].lowercased())
        else { return "the URL does not begin with http:// or https://" }
        let authority = url[schemeEnd.upperBound...].prefix { !"/?#".contains($0) }
        if authority.isEmpty { return "the URL names no host" }
        if authority.contains("@") {
            return "the URL holds credentials, which would show wherever the URL does; they belong in a header"
        }
        return nil
    }
}
