internal import Foundation

/// What librdkafka counted on one handle, about once a second.
public struct KafkaStatistics: Hashable, Sendable {
    public var brokersUp = 0
    public var brokersKnown = 0
    /// Since the handle was made.
    public var sentMessages: Int64 = 0
    public var sentBytes: Int64 = 0
    public var receivedMessages: Int64 = 0
    public var receivedBytes: Int64 = 0
    /// Records that wait to be sent or acknowledged, and their bytes.
    public var queuedMessages = 0
    public var queuedBytes = 0
    /// The slowest broker's, over the last second; nil without a request.
    public var roundTripP99Milliseconds: Double?

    public init() {}
}

/// A reading of librdkafka's statistics: the numbers, and the partitions whose leader cannot be reached.
struct KafkaStatisticsReading {
    var statistics = KafkaStatistics()
    var partitionsAway: Set<KafkaPartition> = []

    /// Reads the JSON text that librdkafka gives; nil when it is not what its STATISTICS.md describes.
    init?(json: UnsafeRawBufferPointer) {
        guard let root = try? JSONSerialization.jsonObject(with: Data(json)) as? [String: Any],
            let brokers = root["brokers"] as? [String: [String: Any]]
        else { return nil }
        func number(_ key: String) -> Int64 { (root[key] as? NSNumber)?.int64Value ?? 0 }
        statistics.sentMessages = number("txmsgs")
        statistics.sentBytes = number("txmsg_bytes")
        statistics.receivedMessages = number("rxmsgs")
        statistics.receivedBytes = number("rxmsg_bytes")
        statistics.queuedMessages = Int(clamping: number("msg_cnt"))
        statistics.queuedBytes = Int(clamping: number("msg_size"))
        var up: Set<Int32> = []
        for broker in brokers.values {
            // Bootstrap addresses and the logical broker of a group have a negative id.
            guard let id = (broker["nodeid"] as? NSNumber)?.int32Value else { continue }
            let isUp = ["UP", "UPDATE"].contains(broker["state"] as? String)
            if id >= 0 { statistics.brokersKnown += 1 }
            guard isUp else { continue }
            up.insert(id)
            if id >= 0 { statistics.brokersUp += 1 }
            if let window = broker["rtt"] as? [String: Any], let count = window["cnt"] as? NSNumber,
                count.intValue > 0, let p99 = window["p99"] as? NSNumber
            {
                let milliseconds = p99.doubleValue / 1000
                statistics.roundTripP99Milliseconds = max(statistics.roundTripP99Milliseconds ?? 0, milliseconds)
            }
        }
        isConnected = !up.isEmpty
        for (topic, value) in root["topics"] as? [String: [String: Any]] ?? [:] {
            for (name, partition) in value["partitions"] as? [String: [String: Any]] ?? [:] {
                guard let number = Int32(name), number >= 0 else { continue }
                let leader = (partition["leader"] as? NSNumber)?.int32Value ?? -1
                if leader < 0 || !up.contains(leader) {
                    partitionsAway.insert(KafkaPartition(topic: topic, number: number))
                }
            }
        }
    }

    /// True when a connection to any broker stands.
    var isConnected: Bool
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
