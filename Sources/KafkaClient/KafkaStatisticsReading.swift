internal import Foundation

/// A reading of librdkafka's statistics: the numbers, and the partitions whose broker does not answer.
struct KafkaStatisticsReading {
    private(set) var statistics = KafkaStatistics()
    /// Partitions whose broker cannot be reached or is silent.
    private(set) var partitionsAway: Set<KafkaPartition> = []
    /// Brokers whose connection stands and that leave requests unanswered.
    private(set) var silent: Set<Int32> = []
    /// True when a connection to any broker stands.
    private(set) var isConnected = false
    /// Brokers with requests that wait for an answer.
    private var unanswered: Set<Int32> = []

    /// Reads the JSON text that librdkafka gives; nil when it is not what its STATISTICS.md describes.
    ///
    /// `previous` is the reading of a second ago: a broker is silent when it had a request then, and has sent nothing for
    /// the time of patience.
    init?(json: UnsafeRawBufferPointer, after previous: KafkaStatisticsReading?, patienceMicroseconds: Int64) {
        guard let root = try? JSONSerialization.jsonObject(with: Data(json)) as? [String: Any],
            let brokers = root["brokers"] as? [String: [String: Any]]
        else { return nil }
        statistics.instance = root["name"] as? String ?? ""
        statistics.sentMessages = Self.number(root, "txmsgs")
        statistics.sentBytes = Self.number(root, "txmsg_bytes")
        statistics.receivedMessages = Self.number(root, "rxmsgs")
        statistics.receivedBytes = Self.number(root, "rxmsg_bytes")
        statistics.queuedMessages = Int(clamping: Self.number(root, "msg_cnt"))
        statistics.queuedBytes = Int(clamping: Self.number(root, "msg_size"))
        var answering: Set<Int32> = []
        for fields in brokers.values {
            // Bootstrap addresses have a negative id.
            guard let id = (fields["nodeid"] as? NSNumber)?.int32Value else { continue }
            // A coordinator is one of the brokers, which are counted, on a connection of its own.
            if fields["source"] as? String == "logical" { continue }
            let broker = Self.broker(id, fields)
            if id >= 0 { statistics.brokers.append(broker) }
            guard broker.isUp else { continue }
            isConnected = true
            if broker.unansweredRequests > 0 { unanswered.insert(id) }
            // -1 = nothing came over this connection yet.
            let received = Self.number(fields, "rxidle")
            let quiet = received >= 0 ? received : Self.number(fields, "stateage")
            if broker.unansweredRequests > 0, previous?.unanswered.contains(id) == true, quiet >= patienceMicroseconds {
                silent.insert(id)
            } else {
                answering.insert(id)
            }
        }
        statistics.brokers.sort { $0.id < $1.id }
        readPartitions(root["topics"] as? [String: [String: Any]] ?? [:], answering)
    }

    private mutating func readPartitions(_ topics: [String: [String: Any]], _ answering: Set<Int32>) {
        for (topic, value) in topics {
            for (name, partition) in value["partitions"] as? [String: [String: Any]] ?? [:] {
                guard let number = Int32(name), number >= 0 else { continue }
                statistics.fetchedMessages += Int(clamping: Self.number(partition, "fetchq_cnt"))
                statistics.fetchedBytes += Int(clamping: Self.number(partition, "fetchq_size"))
                // Whom it is fetched from: its leader, or with client.rack a follower.
                let broker = (partition["broker"] as? NSNumber)?.int32Value ?? -1
                if broker < 0 || !answering.contains(broker) {
                    partitionsAway.insert(KafkaPartition(topic: topic, number: number))
                }
            }
        }
    }

    private static func broker(_ id: Int32, _ fields: [String: Any]) -> KafkaStatistics.Broker {
        var broker = KafkaStatistics.Broker(id: id)
        broker.isUp = ["UP", "UPDATE"].contains(fields["state"] as? String)
        broker.requests = number(fields, "tx")
        broker.responses = number(fields, "rx")
        broker.retries = number(fields, "txretries")
        broker.timeouts = number(fields, "req_timeouts")
        broker.sendErrors = number(fields, "txerrs")
        broker.receiveErrors = number(fields, "rxerrs")
        broker.connects = number(fields, "connects")
        broker.disconnects = number(fields, "disconnects")
        broker.waitingRequests = Int(clamping: number(fields, "outbuf_cnt"))
        broker.unansweredRequests = Int(clamping: number(fields, "waitresp_cnt"))
        if let window = fields["rtt"] as? [String: Any], number(window, "cnt") > 0 {
            broker.roundTripP99Milliseconds = Double(number(window, "p99")) / 1000
            broker.roundTripAverageMilliseconds = Double(number(window, "avg")) / 1000
        }
        return broker
    }

    private static func number(_ fields: [String: Any], _ key: String) -> Int64 {
        (fields[key] as? NSNumber)?.int64Value ?? 0
    }
}
