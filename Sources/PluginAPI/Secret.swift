/// A secret value. It prints as `***`, has no `Codable`, and is read through one closure.
public struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    public init(_ value: String) { self.value = value }

    /// Lends the value to `body`; it must not be stored outside the thing that needs it.
    public func withValue<Result>(_ body: (String) throws -> Result) rethrows -> Result { try body(value) }

    public var description: String { "***" }
    public var debugDescription: String { "***" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
