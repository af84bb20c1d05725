import Diagnostics
import Glibc
import KafkaClient
import PluginAPI

/// Planning and making the topics of tables.
extension KafkaSink {
    func plan(_ table: TableDefinition) throws -> TableChange { try reporting { try change(to: table) } }

    func apply(_ table: TableDefinition) throws {
        try reporting {
            try checkWritable()
            switch try change(to: table) {
            case .none, .refuse: return
            case .alter: try alter(table)
            case .create, .rebuild: try begin(table)
            }
        }
    }

    /// Deletes the records that are there.
    func clear(_ table: TableDefinition) throws {
        try reporting {
            try checkWritable()
            if case .refuse(let reason, let hint) = try change(to: table) {
                throw PipelineError(.tableRefused, reason, hint: hint, component: "sink kafka")
            }
            try begin(table)
        }
    }

    // MARK: Comparing

    private func change(to table: TableDefinition) throws -> TableChange {
        let topic = options.topic(of: table.name)
        guard topic.utf8.count <= 249 else {
            return .refuse(
                reason: "Kafka takes no topic '\(topic)': 249 bytes is the limit", hint: "shorten topic_prefix")
        }
        guard let partitions = try cluster.partitionCount(topic) else { return .create }
        let wanted = TableRecord(table)
        guard let found = try ControlTopic(options, domain: table.owner).read(by: readers).tables[table.name] else {
            return try foreign(table, topic)
        }
        guard found == wanted else {
            return .rebuild(found.fingerprint.isEmpty ? [] : wanted.differences(from: found))
        }
        let steps = try differences(topic, partitions)
        return steps.isEmpty ? .none : .alter(steps)
    }

    /// Whose a topic is that is not the domain's.
    private func foreign(_ table: TableDefinition, _ topic: String) throws -> TableChange {
        for other in try ControlTopic.all(options, in: cluster) where other.domain != table.owner {
            guard try other.read(by: readers).tables[table.name] != nil else { continue }
            return .refuse(
                reason: "topic \(topic) belongs to domain '\(other.domain)'",
                hint: "rename the aggregation, or give this domain a sink with a `topic_prefix` of its own")
        }
        return .refuse(
            reason: "a topic \(topic) that streamplat did not create as a result is there already",
            hint: "rename the aggregation, or choose another `topic_prefix`")
    }

    private func differences(_ topic: String, _ partitions: Int) throws -> [String] {
        var steps: [String] = []
        if partitions < options.partitions {
            steps.append(
                "partitions \(partitions) → \(options.partitions); a key's records may go to another partition from then on"
            )
        } else if partitions > options.partitions {
            sayOnce(
                "topic \(topic) has \(partitions) partitions, more than the \(options.partitions) that the sink's option "
                    + "says: it is left as it is")
        }
        // What may not be read cannot be compared either.
        guard let present = try cluster.config(of: topic) else { return steps }
        for (key, value) in options.config.sorted(by: { $0.key < $1.key }) where present[key] != value {
            steps.append("\(key) \(present[key] ?? "(the broker's)") → \(value)")
        }
        return steps
    }

    // MARK: Changing

    private func alter(_ table: TableDefinition) throws {
        let topic = options.topic(of: table.name)
        let partitions = try cluster.partitionCount(topic) ?? 0
        if partitions < options.partitions { try cluster.addPartitions(topic, total: options.partitions) }
        let present = try cluster.config(of: topic) ?? [:]
        let changed = options.config.filter { present[$0.key] != $0.value }
        if !changed.isEmpty { try cluster.setConfig(topic, changed) }
    }

    /// Makes a topic without records that holds the table.
    ///
    /// A run that goes on elsewhere must neither write to it by its old meaning nor go on from its checkpoint, so runs are
    /// ended first. In this order a crash in between leaves what the next plan takes for unfinished.
    private func begin(_ table: TableDefinition) throws {
        let topic = options.topic(of: table.name)
        let rows = transactions(of: table.owner)
        let record = TableRecord(table)
        try rows.control.create(options, in: cluster)
        // An older run writes nothing more.
        try rows.start()
        var ended: [ControlState.Record] = [ControlState.record(record.unfinished, of: table.name)]
        if var writer = try rows.control.read(by: readers).writer {
            writer.epoch += 1
            (writer.writer, writer.transaction) = ("", 0)
            ended += [ControlState.record(writer), ControlState.record(.none, positions: "{}")]
        }
        rows.fence = nil
        try rows.complete(records: ended)
        if try cluster.partitionCount(topic) == nil {
            try cluster.createTopic(
                topic, partitions: options.partitions, replication: options.replication ?? 0, config: options.config)
        } else {
            try alter(table)
            try deleteRecords(of: topic)
        }
        try rows.complete(records: [ControlState.record(record, of: table.name)])
    }

    /// Kafka refuses to delete records of a topic that is only compacted; for the time of it, this one is not.
    private func deleteRecords(of topic: String) throws {
        let isOnlyCompacted = options.config["cleanup.policy"] == "compact"
        if isOnlyCompacted { try cluster.setConfig(topic, ["cleanup.policy": "compact,delete"]) }
        var ends: [Int32: Int64] = [:]
        for number in 0..<Int32(clamping: try cluster.partitionCount(topic) ?? 0) {
            let (earliest, next) = try cluster.offsets(KafkaPartition(topic: topic, number: number))
            if earliest < next { ends[number] = next }
        }
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            do {
                try cluster.deleteRecords(topic, before: ends)
                break
            } catch let error as PipelineError
                where isOnlyCompacted && error.code == .invalidTopicConfig && ContinuousClock.now < deadline
            {
                // The change of the configuration has not come to every broker.
                usleep(100_000)
            }
        }
        if isOnlyCompacted { try cluster.setConfig(topic, ["cleanup.policy": "compact"]) }
    }
}
