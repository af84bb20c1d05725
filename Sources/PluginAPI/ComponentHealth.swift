/// What a look at an open component found: it answered.
public struct ComponentHealth: Hashable, Sendable {
    /// What answered, with its version: `PostgreSQL 15.18`.
    public var version: String
    /// One more fact that a person would want to see: `12 topics`.
    public var detail: String?

    public init(version: String, detail: String? = nil) {
        self.version = version
        self.detail = detail
    }
}
