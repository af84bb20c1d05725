public import Diagnostics
import DurableFiles
import Glibc

extension EventLog {
    /// Every topic, by name.
    public func topics() throws(PipelineError) -> [LogTopic] {
        try checkOpen()
        var topics: [LogTopic] = []
        for name in (try Folder.names(in: "\(root)/topics") ?? []).sorted() where !name.hasPrefix("~") {
            if let topic = try LogTopic.read(name, folder: topicFolder(name)) { topics.append(topic) }
        }
        return topics
    }

    public func topic(_ name: String) throws(PipelineError) -> LogTopic? {
        try checkOpen()
        try TopicConfig.checkName(name, kind: "topic")
        return try LogTopic.read(name, folder: topicFolder(name))
    }

    /// Creates a topic, whole or not at all. Configuration keys: `retention.ms`, `retention.bytes`, `segment.bytes`.
    public func createTopic(_ name: String, partitions: Int, config: [String: String]) throws {
        try checkWritable()
        try TopicConfig.checkName(name, kind: "topic")
        _ = try TopicConfig(config, topic: name)
        try checkPartitions(partitions, topic: name)
        try withTopicsLock {
            for stale in try Folder.names(in: "\(root)/topics") ?? [] where stale.hasPrefix("~") && stale != "~lock" {
                try Folder.removeTree("\(root)/topics/\(stale)")
            }
            if Folder.exists(topicFolder(name)) {
                throw PipelineError(.topicExists, "there is a topic '\(name)' already", component: "event log")
            }
            let temporary = "\(root)/topics/\(Folder.temporaryName())"
            try Folder.create(temporary)
            for partition in 0..<partitions { try Folder.create("\(temporary)/\(partition)") }
            let id = (0..<2).map { _ in
                let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            }.joined()
            let topic = LogTopic(name: name, id: id, partitions: partitions, config: config)
            let durable = options.fsync != .never
            try Folder.replaceFile("\(temporary)/topic.json", with: topic.json, durable: durable)
            try Folder.rename(temporary, to: topicFolder(name))
            if durable { try Folder.synchronize("\(root)/topics") }
        }
    }

    /// Adds partitions (never removes) and sets configuration keys; keys that are not named stay.
    public func alterTopic(_ name: String, partitions: Int?, config: [String: String]) throws {
        try checkWritable()
        _ = try requireTopic(name)
        _ = try TopicConfig(config, topic: name)
        try withTopicsLock {
            var topic = try requireTopic(name)
            if let partitions {
                try checkPartitions(partitions, topic: name)
                guard partitions >= topic.partitions else {
                    throw PipelineError(
                        .invalidTopicConfig,
                        "\(partitions) partitions are fewer than the \(topic.partitions) there are",
                        hint: "partitions can be added, never removed", component: "topic \(name)", exitCode: 2)
                }
                for partition in topic.partitions..<partitions {
                    try Folder.create("\(topicFolder(name))/\(partition)")
                }
                topic.partitions = partitions
            }
            topic.config.merge(config) { $1 }
            try Folder.replaceFile(
                "\(topicFolder(name))/topic.json", with: topic.json, durable: options.fsync != .never)
        }
    }

    func requireTopic(_ name: String) throws(PipelineError) -> LogTopic {
        if let topic = try topic(name) { return topic }
        let known = try Folder.names(in: "\(root)/topics") ?? []
        throw PipelineError(
            .unknownTopic, "there is no topic '\(name)' in \(root)",
            hint: nearestName(to: name, among: known.filter { !$0.hasPrefix("~") }.sorted()).map {
                "did you mean '\($0)'?"
            }
                ?? "'streamplat apply' creates the topics of a domain",
            component: "event log")
    }

    func topicFolder(_ name: String) -> String { "\(root)/topics/\(name)" }

    private func checkPartitions(_ partitions: Int, topic: String) throws(PipelineError) {
        guard (1...Self.maximumPartitions).contains(partitions) else {
            throw PipelineError(
                .invalidTopicConfig, "\(partitions) is not a number of partitions",
                hint: "1 to \(Self.maximumPartitions)", component: "topic \(topic)", exitCode: 2)
        }
    }

    private func withTopicsLock(_ body: () throws -> Void) throws {
        try LogFile(path: "\(root)/topics/~lock", flags: O_RDWR | O_CREAT).withLock(body)
    }
}
