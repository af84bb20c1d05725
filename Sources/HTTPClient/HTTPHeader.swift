public import PluginAPI

/// One header of a request. A secret value prints as `***`, whoever prints it.
public struct HTTPHeader: Sendable, CustomStringConvertible, CustomReflectable {
    private enum Value: Sendable {
        case plain(String)
        case secret(Secret)
    }

    public let name: String
    private let value: Value

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = .plain(value)
    }

    public init(_ name: String, secret: Secret) {
        self.name = name
        value = .secret(secret)
    }

    /// `Authorization: Basic …` (RFC 7617). The user's name must not hold a colon; the server would read it as shorter.
    public static func basic(user: String, password: Secret) -> HTTPHeader {
        let credentials = password.withValue { Base64.encode(Array("\(user):\($0)".utf8)) }
        return HTTPHeader("Authorization", secret: Secret("Basic \(credentials)"))
    }

    /// `Authorization: Bearer …` (RFC 6750).
    public static func bearer(_ token: Secret) -> HTTPHeader {
        HTTPHeader("Authorization", secret: token.withValue { Secret("Bearer \($0)") })
    }

    public var isSecret: Bool { if case .secret = value { true } else { false } }
    public var description: String { "\(name): \(isSecret ? "***" : withValue { $0 })" }
    public var customMirror: Mirror { Mirror(self, children: ["name": name]) }

    func withValue<Result>(_ body: (String) throws -> Result) rethrows -> Result {
        switch value {
        case .plain(let text): try body(text)
        case .secret(let secret): try secret.withValue(body)
        }
    }
}
