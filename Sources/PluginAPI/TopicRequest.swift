public import Diagnostics

/// A topic as a domain file asks for it, for a broker to judge before anything is opened.
public struct TopicRequest: Sendable {
    /// A value with its place in the configuration; nil = a default that nobody wrote.
    public struct Placed<Value: Sendable>: Sendable {
        public var value: Value
        public var location: SourceLocation?

        public init(_ value: Value, at location: SourceLocation?) {
            self.value = value
            self.location = location
        }
    }

    public var name: Placed<String>
    public var partitions: Placed<Int>
    public var replication: Placed<Int>
    /// Kafka's keys: `retention.ms`, `cleanup.policy`, ….
    public var config: [String: Placed<String>]

    public init(
        name: Placed<String>, partitions: Placed<Int>, replication: Placed<Int>, config: [String: Placed<String>]
    ) {
        self.name = name
        self.partitions = partitions
        self.replication = replication
        self.config = config
    }
}
