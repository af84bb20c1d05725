/// A whole answer of a server, whatever its status.
public struct HTTPResponse: Sendable {
    public var status: Int
    /// In the order in which they came, names as they were written.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The value of the first header of that name, which is compared without regard to case.
    public func header(_ name: String) -> String? {
        let name = name.lowercased()
        return headers.first { $0.name.lowercased() == name }?.value
    }

    /// The body as UTF-8; what is malformed becomes U+FFFD.
    public var text: String { String(decoding: body, as: UTF8.self) }
}
