import DataPath
import Diagnostics
import Glibc
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

/// Makes connections that read something and are closed: librdkafka goes on fetching what was read once.
struct KafkaReaders {
    let settings: KafkaSettings
    let notices: KafkaNotices

    func open() throws -> KafkaCluster { try KafkaCluster(settings, notices: notices) }
}

extension KafkaCluster {
    /// Gives every committed record that the partition has now, from an offset or its earliest record on; of a small
    /// partition also those before it.
    ///
    /// A partition up to ``readWholeLimit`` is read from its beginning: noida-db tells readers that begin behind an aborted
    /// transaction of it, and librdkafka then hides what the same producer committed later. Apache Kafka names only the
    /// transactions that the answer overlaps.
    func readCommitted(
        _ partition: KafkaPartition, from start: Int64?, _ body: (RecordBlock) throws -> Void
    ) throws {
        let (earliest, next) = try offsets(partition)
        guard max(earliest, start ?? earliest) < next else { return }
        let begin = next - earliest <= Self.readWholeLimit ? earliest : max(earliest, start ?? earliest)
        let reader = try makeReader(partition, at: begin)
        defer { reader.close() }
        let block = RecordBlock()
        var lastProgress = ContinuousClock.now
        while reader.position < next {
            switch try reader.fetch(into: block, maxBytes: 1 << 20) {
            case .records:
                try body(block)
                lastProgress = .now
            case .end: return
            case .nothingYet:
                guard .now - lastProgress < Self.readPatience else {
                    throw PipelineError(
                        .kafkaTimedOut,
                        "reading topic \(partition.topic), partition \(partition.number): nothing came for "
                            + "\(Self.readPatience)",
                        component: "sink kafka", retry: .backoff)
                }
                usleep(500)
            }
        }
    }

    private static var readWholeLimit: Int64 { 100_000 }
    private static var readPatience: Duration { .seconds(30) }
}
