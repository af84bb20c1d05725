/// What librdkafka counted on one handle, about once a second.
public struct KafkaStatistics: Hashable, Sendable {
    /// Which instance of librdkafka counted, unique in the process; empty = none any more. Its totals begin at zero.
    public var instance = ""
    /// What the cluster's brokers did for the handle, by their ids.
    public var brokers: [Broker] = []
    /// Since the handle was made.
    public var sentMessages: Int64 = 0
    public var sentBytes: Int64 = 0
    public var receivedMessages: Int64 = 0
    public var receivedBytes: Int64 = 0
    /// Records that wait to be sent or acknowledged, and their bytes.
    public var queuedMessages = 0
    public var queuedBytes = 0
    /// Records that were fetched and not taken yet, and their bytes.
    public var fetchedMessages = 0
    public var fetchedBytes = 0

    public init() {}

    public var brokersKnown: Int { brokers.count }
    public var brokersUp: Int { brokers.count(where: \.isUp) }
    /// The slowest broker's, over the last second; nil without a request.
    public var roundTripP99Milliseconds: Double? { brokers.compactMap(\.roundTripP99Milliseconds).max() }

    /// One broker, as one handle sees it. Totals are since the handle was made.
    public struct Broker: Hashable, Sendable {
        public var id: Int32
        public var isUp = false
        public var requests: Int64 = 0
        public var responses: Int64 = 0
        /// Requests that were sent again.
        public var retries: Int64 = 0
        /// Requests that were not answered in time.
        public var timeouts: Int64 = 0
        public var sendErrors: Int64 = 0
        public var receiveErrors: Int64 = 0
        /// Attempts to connect, failed ones too.
        public var connects: Int64 = 0
        public var disconnects: Int64 = 0
        /// Requests that wait to be sent.
        public var waitingRequests = 0
        /// Requests that wait for their answer.
        public var unansweredRequests = 0
        /// Over the last second; nil without a request.
        public var roundTripP99Milliseconds: Double?
        public var roundTripAverageMilliseconds: Double?

        public init(id: Int32) { self.id = id }
    }
}

/// One partition of a topic.
public struct KafkaPartition: Hashable, Sendable {
    public var topic: String
    public var number: Int32

    public init(topic: String, number: Int32) {
        self.topic = topic
        self.number = number
    }
}
