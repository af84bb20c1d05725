internal import DataPath
internal import Foundation
internal import PluginAPI

/// The time of the newest record in some topics: where a second `generate` goes on, so that no window that the first one
/// filled has ended by then.
enum NewestRecord {
    /// Milliseconds since the epoch; nil when the topics hold no record. The last record of each partition is looked at: its
    /// timestamp is the event time, or the time of its arrival where the topic says so (on Kafka).
    static func time(in topics: [String], of broker: any Broker) throws -> Int64? {
        let wanted = Set(topics)
        var newest: Int64?
        for topic in try broker.topics() where wanted.contains(topic.name) {
            for partition in 0..<topic.partitions {
                let partition = TopicPartition(topic: topic.name, partition: partition)
                guard let time = try lastTime(of: partition, broker) else { continue }
                newest = max(newest ?? time, time)
            }
        }
        return newest
    }

    /// How long a broker may take to answer for one partition: without an answer the partition counts as empty.
    private static let patience: TimeInterval = 5

    private static func lastTime(of partition: TopicPartition, _ broker: any Broker) throws -> Int64? {
        let offsets = try broker.offsets(partition)
        guard offsets.next > offsets.earliest else { return nil }
        let reader = try broker.makeReader(partition, at: offsets.next - 1)
        let block = RecordBlock()
        let deadline = Date(timeIntervalSinceNow: patience)
        var time: Int64?
        fetching: while Date() < deadline {
            switch try reader.fetch(into: block, maxBytes: 1 << 20) {
            case .records:
                time = block.entries.map(\.timestamp).max()
                break fetching
            case .endOfPartition: break fetching
            case .nothingYet: Thread.sleep(forTimeInterval: 0.005)
            }
        }
        try reader.close()
        return time
    }
}
