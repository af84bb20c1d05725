public import Diagnostics
import DurableFiles
import Glibc

/// One partition of a topic in the log.
public struct LogPartition: Hashable, Sendable {
    public var topic: String
    public var partition: Int

    public init(topic: String, partition: Int) {
        self.topic = topic
        self.partition = partition
    }
}

extension EventLog {
    /// Sets offsets of a group; partitions that are not named keep theirs.
    public func commit(group: String, offsets: [LogPartition: Int64]) throws {
        try checkWritable()
        try TopicConfig.checkName(group, kind: "group")
        try LogFile(path: "\(root)/groups/~lock", flags: O_RDWR | O_CREAT).withLock {
            let all = try committed(group: group).merging(offsets) { $1 }
            let topics = Set(all.keys.map(\.topic)).sorted().map { topic in
                let partitions = all.filter { $0.key.topic == topic }.sorted { $0.key.partition < $1.key.partition }
                return JSONValue.Member(
                    name: topic,
                    value: .object(partitions.map { .init(name: String($0.key.partition), value: .integer($0.value)) }))
            }
            let json = JSONValue.object([
                .init(name: "group", value: .string(group)), .init(name: "offsets", value: .object(topics)),
            ])
            try Folder.replaceFile(
                "\(root)/groups/\(group).json", with: json.text + "\n", durable: options.fsync != .never)
        }
    }

    /// The offsets of a group; empty for one that never committed.
    public func committed(group: String) throws(PipelineError) -> [LogPartition: Int64] {
        try checkOpen()
        try TopicConfig.checkName(group, kind: "group")
        let path = "\(root)/groups/\(group).json"
        guard let file = try LogFile(reading: path) else { return [:] }
        let damaged = LogErrors.damagedFile(
            path, "it does not hold group offsets",
            hint: "remove the file: group offsets are advisory, the checkpoint is the truth")
        guard let topics = JSONValue.parse(try file.contents())?["offsets"]?.members else { throw damaged }
        var result: [LogPartition: Int64] = [:]
        for topic in topics {
            guard let partitions = topic.value.members else { throw damaged }
            for member in partitions {
                guard let partition = Int(member.name), let offset = member.value.integer else { throw damaged }
                result[LogPartition(topic: topic.name, partition: partition)] = offset
            }
        }
        return result
    }
}
