/// A request that arrived, with its whole body.
public struct HTTPServerRequest: Sendable {
    /// In capitals: `GET`.
    public var method: String
    /// The parts of the path between slashes, percent-decoded: an encoded slash stays inside its part.
    public var path: [String]
    /// In the order of the request, decoded.
    public var query: [(name: String, value: String)]
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    /// `target` as it stands in the request line: `/subjects/a%2Fb?deleted=true`. Nil when it is not valid.
    public init?(method: String, target: String, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        let parts = target.prefix { $0 != "#" }.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let pathPart = parts.first, pathPart.hasPrefix("/") else { return nil }
        var path: [String] = []
        for part in pathPart.split(separator: "/") {
            guard let text = Self.decoded(part, isForm: false) else { return nil }
            path.append(text)
        }
        var query: [(name: String, value: String)] = []
        for pair in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(sides[0], isForm: true),
                let value = Self.decoded(sides.count > 1 ? sides[1] : "", isForm: true)
            else { return nil }
            query.append((name, value))
        }
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    /// The first value of a name in the query.
    public func query(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// The first value of a header; names do not care about case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// Nil for a broken escape or what is not UTF-8.
    private static func decoded(_ text: Substring, isForm: Bool) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst(), let low = rest.popFirst(),
                    let left = Character(Unicode.Scalar(high)).hexDigitValue,
                    let right = Character(Unicode.Scalar(low)).hexDigitValue
                else { return nil }
                bytes.append(UInt8(left << 4 | right))
            case UInt8(ascii: "+") where isForm: bytes.append(0x20)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
