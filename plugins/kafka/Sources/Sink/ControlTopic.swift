import DataPath
import Diagnostics
import KafkaClient
import PluginAPI

/// The compacted topic `<prefix>.streamplat.<domain>`: whose the domain's result topics are, who may write them, and the
/// newest checkpoint whose rows they hold. No table can have its name: names of tables hold no dots.
///
/// A record's key says what it is about (`table/revenue`, `writer`, `checkpoint`), its value is a JSON object. Records are
/// written in the transactions of what they speak of.
struct ControlTopic {
    let name: String
    let domain: String

    init(_ options: KafkaSinkOptions, domain: String) {
        self.domain = domain
        name = options.topic(of: "\(Self.mark).\(domain)")
    }

    private static let mark = "streamplat"
    private static let partition: Int32 = 0

    /// The control topics of all domains that share a prefix.
    static func all(_ options: KafkaSinkOptions, in cluster: KafkaCluster) throws -> [ControlTopic] {
        let start = options.topic(of: "\(mark).")
        return try cluster.topicNames(prefix: start).map {
            ControlTopic(options, domain: String($0.dropFirst(start.count)))
        }
    }

    func isThere(in cluster: KafkaCluster) throws -> Bool { try cluster.partitionCount(name) != nil }

    /// Creates it when it is missing.
    func create(_ options: KafkaSinkOptions, in cluster: KafkaCluster) throws {
        guard try !isThere(in: cluster) else { return }
        do {
            try cluster.createTopic(
                name, partitions: 1, replication: options.replication ?? 0, config: ["cleanup.policy": "compact"])
        } catch let error as PipelineError where error.code == .topicExists {
            // Somebody else was faster.
        }
    }

    /// What it says now; nothing when it is not there.
    func read(by readers: KafkaReaders) throws -> ControlState {
        var state = ControlState()
        let reader = try readers.open()
        defer { reader.close() }
        guard try isThere(in: reader) else { return state }
        let partition = KafkaPartition(topic: name, number: Self.partition)
        try reader.readCommitted(partition, from: nil) { block in
            for entry in block.entries {
                guard let key = block.key(entry) else { continue }
                let text = String(decoding: key, as: UTF8.self)
                guard let value = block.value(entry), !value.isEmpty else {
                    state.forget(text)
                    continue
                }
                guard state.take(text, value) else {
                    throw PipelineError(
                        .kafkaSinkControl,
                        "topic \(name) holds a record '\(text)' that streamplat does not understand, at offset "
                            + "\(entry.offset)",
                        hint: "a newer streamplat wrote it, or something else did: only streamplat may write there",
                        component: "sink kafka")
                }
            }
        }
        return state
    }
}
