/// What is asked of a server.
public struct HTTPRequest: Sendable, CustomStringConvertible {
    /// As it is sent: `GET`, `POST`, `LIST`.
    public var method: String
    /// An absolute `http` or `https` URL without credentials.
    public var url: String
    /// Sent besides the client's own (`Host`, `User-Agent`, `Accept`, `Content-Length`), which they replace.
    public var headers: [HTTPHeader]
    public var body: [UInt8]?

    public init(method: String = "GET", url: String, headers: [HTTPHeader] = [], body: [UInt8]? = nil) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// Method and URL without its query, which may hold data.
    public var description: String { "\(method) \(url.prefix { $0 != "?" && $0 != "#" })" }

    /// Why it cannot be sent; nil when it can.
    var problem: String? {
        guard !method.isEmpty, method.utf8.allSatisfy(Self.isToken) else { return "the method is not a word" }
        for header in headers {
            guard !header.name.isEmpty, header.name.utf8.allSatisfy(Self.isToken) else {
                return "the name of a header is not a word"
            }
            // A line break would begin a header of the value's own making; libcurl would end the value at a NUL.
            guard header.withValue({ $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 } }) else {
                return "the value of the header '\(header.name)' holds a control character"
            }
        }
        return HTTPURL.problem(of: url)
    }

    /// Whether the byte may stand in a token of RFC 9110, section 5.6.2.
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
