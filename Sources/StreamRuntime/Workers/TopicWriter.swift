internal import DataPath
internal import PluginAPI

/// Sends records that were not counted to one topic, a block at a time. Threads: one.
final class TopicWriter {
    private let topic: String
    private let broker: any Broker
    private let retrying: Retrying
    private var producer: (any BrokerProducer)?
    /// What waits for the next flush.
    let block = RecordBlock()

    init(topic: String, broker: any Broker, retrying: Retrying) {
        self.topic = topic
        self.broker = broker
        self.retrying = retrying
    }

    /// Whether so much waits that it should not wait for the next flush: a topic may hold nothing but such records.
    var isFull: Bool { block.byteCount > Self.byteLimit }
    private static let byteLimit = 8 << 20

    /// Hands everything to the broker. Called before positions are reported: no record vanishes. While the broker is away
    /// it is tried again, and a record whose arrival is not known is sent once more.
    func flush() throws {
        guard block.count > 0 else { return }
        try retrying {
            do {
                let producer = try producer ?? broker.makeProducer()
                self.producer = producer
                try producer.send(block, to: topic)
                try retrying.flush(producer)
            } catch {
                // One that failed may never send again.
                producer = nil
                throw error
            }
        }
        block.removeAll()
    }

    /// Sends what is left and ends.
    func close() throws {
        try flush()
        try producer?.close()
    }

    /// Ends without sending what is left, as a run ends that failed: the next run reads those records again.
    func abandon() {
        block.removeAll()
        producer = nil
    }
}
