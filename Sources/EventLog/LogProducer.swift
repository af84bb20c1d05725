public import DataPath
import Diagnostics

/// Appends blocks of records to topics. Threads: one.
public final class LogProducer {
    private final class Target {
        var topic: LogTopic
        var config: TopicConfig
        var writers: [PartitionWriter?]
        var roundRobin = 0

        init(_ topic: LogTopic, _ config: TopicConfig) {
            self.topic = topic
            self.config = config
            writers = Array(repeating: nil, count: topic.partitions)
        }
    }

    private let log: EventLog
    private let options: EventLogOptions
    private var targets: [String: Target] = [:]
    private let encoder = BatchEncoder()
    private var order: [Int32] = []
    private var chosen: [Int32] = []
    private var isClosed = false

    init(_ log: EventLog, _ options: EventLogOptions) {
        self.log = log
        self.options = options
    }

    /// Appends every record. The key chooses the partition (murmur2); records without a key go to one partition a block,
    /// round robin. Order within a partition is the block's. The block can be reused when this returns.
    ///
    /// Errors: `logFull` and others of writing. Records of the block that were appended before the error stay appended.
    public func send(_ block: RecordBlock, to topic: String) throws {
        try checkOpen()
        guard block.count > 0 else { return }
        let target = try target(topic)
        let count = block.count
        let partitions = target.topic.partitions
        let starts = group(block, partitions: partitions, keyless: target.roundRobin % partitions)
        target.roundRobin = (target.roundRobin + 1) % partitions
        for partition in 0..<partitions {
            let first = starts[partition]
            let last = partition + 1 < partitions ? starts[partition + 1] : count
            guard last > first else { continue }
            try order.withUnsafeBufferPointer { order in
                guard let base = order.baseAddress else { return }
                try encoder.encode(block, order: base + first, count: last - first)
            }
            try writer(target, partition).append(encoder)
        }
    }

    /// Appends every record to one partition, whatever the keys say. Otherwise as ``send(_:to:)``.
    ///
    /// Throws `unknownPartition` when the topic has no such partition.
    public func send(_ block: RecordBlock, to topic: String, partition: Int) throws {
        try checkOpen()
        guard block.count > 0 else { return }
        let target = try target(topic)
        guard target.writers.indices.contains(partition) else {
            throw PipelineError(
                .unknownPartition, "topic '\(topic)' has no partition \(partition)", component: "event log")
        }
        if order.count < block.count {
            order = Array(repeating: 0, count: block.count)
            chosen = Array(repeating: 0, count: block.count)
        }
        for row in 0..<block.count { order[row] = Int32(truncatingIfNeeded: row) }
        try order.withUnsafeBufferPointer { order in
            guard let base = order.baseAddress else { return }
            try encoder.encode(block, order: base, count: block.count)
        }
        try writer(target, partition).append(encoder)
    }

    /// Returns when everything sent is as durable as the log is configured to make it.
    public func flush() throws {
        for target in targets.values { for writer in target.writers { try writer?.flush() } }
    }

    /// Flushes and ends; a second call does nothing.
    public func close() throws {
        guard !isClosed else { return }
        try flush()
        isClosed = true
        targets.removeAll()
    }

    private func checkOpen() throws {
        try log.checkOpen()
        if isClosed { throw PipelineError(.logClosed, "the producer is closed", component: "event log") }
    }

    /// Fills ``order`` with the row numbers by partition (a counting sort); returns where each partition begins.
    private func group(_ block: RecordBlock, partitions: Int, keyless: Int) -> [Int] {
        let count = block.count
        if order.count < count {
            order = Array(repeating: 0, count: count)
            chosen = Array(repeating: 0, count: count)
        }
        var cursors = [Int](repeating: 0, count: partitions + 1)
        let bytes = UnsafeRawPointer(block.bytes)
        chosen.withUnsafeMutableBufferPointer { chosen in
            block.entries.withUnsafeBufferPointer { entries in
                cursors.withUnsafeMutableBufferPointer { cursors in
                    for row in 0..<count {
                        let length = entries[row].keyLength
                        let partition =
                            length < 0
                            ? keyless
                            : kafkaPartition(
                                ofKey: UnsafeRawBufferPointer(start: bytes + entries[row].keyStart, count: length),
                                partitions: partitions)
                        chosen[row] = Int32(truncatingIfNeeded: partition)
                        cursors[partition &+ 1] &+= 1
                    }
                }
            }
        }
        for partition in 0..<partitions { cursors[partition + 1] += cursors[partition] }
        let starts = Array(cursors[..<partitions])
        order.withUnsafeMutableBufferPointer { order in
            chosen.withUnsafeBufferPointer { chosen in
                cursors.withUnsafeMutableBufferPointer { cursors in
                    for row in 0..<count {
                        let partition = Int(chosen[row])
                        order[cursors[partition]] = Int32(truncatingIfNeeded: row)
                        cursors[partition] &+= 1
                    }
                }
            }
        }
        return starts
    }

    /// The topic as it is now: others may have added partitions or changed its configuration.
    private func target(_ name: String) throws -> Target {
        let topic = try log.requireTopic(name)
        if let known = targets[name] {
            if known.topic == topic { return known }
            if known.topic.id == topic.id {
                known.config = try TopicConfig(topic.config, topic: name)
                known.writers += Array(repeating: nil, count: topic.partitions - known.topic.partitions)
                known.topic = topic
                for writer in known.writers { writer?.topicConfig = known.config }
                return known
            }
        }
        let target = Target(topic, try TopicConfig(topic.config, topic: name))
        targets[name] = target
        return target
    }

    private func writer(_ target: Target, _ partition: Int) throws -> PartitionWriter {
        if let writer = target.writers[partition] { return writer }
        let writer = try PartitionWriter(
            log.partitionFolder(target.topic.name, partition), config: target.config, options: options,
            notify: log.notify)
        target.writers[partition] = writer
        return writer
    }
}
