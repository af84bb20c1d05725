import DataPath
import Diagnostics
import KafkaClient
import PluginAPI

/// A topic for each table of a domain, beside the domain's ``ControlTopic``. Threads: one.
///
/// A flush commits a transaction, and with it the rows appear. A checkpoint keeps where the topics ended; a run that goes on
/// from it looks at what lies behind, and does not write again what is there (``WrittenRows``).
final class KafkaSink: Sink {
    let cluster: KafkaCluster
    let options: KafkaSinkOptions
    let notify: @Sendable (String) -> Void
    private let access: PluginContext.Access
    let readers: KafkaReaders
    /// Of the domain that the sink writes: a sink is opened for one.
    private var rows: RowTransactions?
    private var encoders: [TableDefinition: RowEncoder] = [:]
    /// What the run writes here.
    private var claimed: [TableDefinition] = []
    /// By table.
    private var written: [String: WrittenRows] = [:]
    /// What was said about topics, once each.
    private var said: Set<String> = []

    init(
        _ cluster: KafkaCluster, _ readers: KafkaReaders, _ options: KafkaSinkOptions,
        access: PluginContext.Access, notify: @escaping @Sendable (String) -> Void
    ) {
        self.cluster = cluster
        self.options = options
        self.readers = readers
        self.access = access
        self.notify = notify
    }

    // MARK: Rows

    func write(_ batch: RecordBatch, to table: TableDefinition) throws {
        guard batch.rowCount > 0 else { return }
        try reporting {
            try checkWritable()
            let rows = self.rows ?? transactions(of: table.owner)
            try rows.settle()
            if rows.isFull { try rows.complete() }
            // From here on nothing fails: the rows are taken.
            let block = RecordBlock(byteCapacity: batch.rowCount * 128)
            var rowOf: [Int32] = []
            rowOf.reserveCapacity(batch.rowCount)
            // Taken out while rows are compared, and only while there is something to compare with.
            var earlier = written.removeValue(forKey: table.name)
            encoder(of: table).forEach(batch) { row, key, value in
                if earlier?.takes(key: key, value: value) == true { return }
                block.append(key: key, value: value, timestamp: 0)
                rowOf.append(Int32(truncatingIfNeeded: row))
            }
            if let earlier, !earlier.isEmpty { written[table.name] = earlier }
            guard !rowOf.isEmpty else { return }
            rows.add(batch, block, rowOf: rowOf, to: options.topic(of: table.name), table)
        }
    }

    func flush() throws { try reporting { try rows?.complete() } }

    func takeRefused() -> [RefusedBatch] { rows?.takeRefused() ?? [] }

    // MARK: Runs

    func claim(_ claim: WriterClaim) throws -> WriterStanding {
        try reporting {
            try checkWritable()
            let rows = transactions(of: claim.domain)
            try rows.complete()
            claimed = claim.tables
            try rows.control.create(options, in: cluster)
            for table in claimed { _ = try partitions(of: table) }
            rows.fence = nil
            // From here on an older run writes nothing more, so that what is read next stays true.
            try rows.start()
            let state = try rows.control.read(by: readers)
            let epoch =
                state.writer.map { max($0.epoch + ($0.writer == claim.writer ? 0 : 1), claim.epoch) } ?? claim.epoch
            let fence = RowTransactions.Fence(claim: claim, epoch: epoch)
            do {
                try rows.complete(records: [ControlState.record(fence.record(transaction: 0))])
            } catch var error as PipelineError where error.code == .kafkaProducerLost {
                // Another claim came in between; both are made again, and the later one stays.
                error.retry = .backoff
                throw error
            }
            rows.fence = fence
            return WriterStanding(epoch: epoch, committed: state.checkpoint)
        }
    }

    func commit(_ mark: CheckpointMark) throws -> [String: [UInt8]] {
        try reporting {
            try rows?.complete(mark)
            return try states()
        }
    }

    func restore(_ states: [String: [UInt8]]) throws -> [String: [UInt8]] {
        try reporting {
            written = [:]
            try rows?.complete()
            let reader = try readers.open()
            defer { reader.close() }
            var kept: [String: [UInt8]] = [:]
            for table in claimed {
                guard let bytes = states[table.name] else { continue }
                guard let state = TopicState(bytes) else {
                    throw PipelineError(
                        .kafkaSinkState,
                        "the checkpoint's state of topic \(options.topic(of: table.name)) cannot be read",
                        hint: "a newer streamplat wrote it: go on with that one, or count anew with --from-earliest",
                        component: "sink kafka")
                }
                if try remember(table, state, reader) { kept[table.name] = bytes }
            }
            return try self.states().merging(kept) { $1 }
        }
    }

    func query(_ sql: String) -> QueryResult? { nil }
    /// A topic does not tell how many records it holds.
    func tables() -> [(name: String, rows: Int64)]? { nil }

    /// Kafka's protocol does not tell the broker's version.
    func health() throws -> ComponentHealth {
        try reporting {
            let (brokers, topics) = try cluster.size()
            return ComponentHealth(
                version: "Kafka (librdkafka \(KafkaProperties.libraryVersion))",
                detail: "\(brokers) broker\(brokers == 1 ? "" : "s"), \(topics) topic\(topics == 1 ? "" : "s")")
        }
    }

    func close() throws {
        defer { abandon() }
        try flush()
    }

    func abandon() {
        rows?.close()
        cluster.close()
    }

    // MARK: Checkpoints

    /// Of every claimed table: where its topic ends, and what still lay behind the last checkpoint.
    private func states() throws -> [String: [UInt8]] {
        guard let rows else { return [:] }
        var states: [String: [UInt8]] = [:]
        for table in claimed {
            let topic = options.topic(of: table.name)
            let ends = try (0..<(try partitions(of: table))).map {
                try rows.endOffset(KafkaPartition(topic: topic, number: Int32(clamping: $0)))
            }
            states[table.name] = TopicState(ends: ends, written: written[table.name] ?? WrittenRows(table)).bytes
        }
        return states
    }

    /// Takes note of what earlier runs wrote to a table's topic after a checkpoint; false when the topic is not the one that
    /// the checkpoint speaks of.
    private func remember(_ table: TableDefinition, _ state: TopicState, _ reader: KafkaCluster) throws -> Bool {
        let topic = options.topic(of: table.name)
        let count = try partitions(of: table)
        var rows = state.written
        let starts = try (0..<count).map {
            try cluster.offsets(KafkaPartition(topic: topic, number: Int32(clamping: $0))).earliest
        }
        if zip(starts, state.ends).allSatisfy({ $0 >= $1 }) {
            // What lay before the checkpoint was deleted since, and is to be written again.
            rows = WrittenRows(rows.kind, rows.hashKey)
        }
        for number in 0..<count {
            let partition = KafkaPartition(topic: topic, number: Int32(clamping: number))
            let start = number < state.ends.count ? state.ends[number] : 0
            guard try cluster.offsets(partition).next >= start else {
                notify(
                    "topic \(topic), partition \(number), is shorter than at the last checkpoint: others have replaced it"
                )
                return false
            }
            try reader.readCommitted(partition, from: start) { block in
                for entry in block.entries where entry.offset >= start {
                    guard let value = block.value(entry) else { continue }
                    let key = block.key(entry)
                    let isElsewhere = key.map { kafkaPartition(ofKey: $0, partitions: count) != number } ?? false
                    rows.note(key: key, value: value, isElsewhere: isElsewhere)
                }
            }
        }
        if rows.overflow > 0 {
            notify(
                "topic \(topic) holds more than \(WrittenRows.limit) rows from after the last checkpoint: \(rows.overflow) of "
                    + "them are written a second time")
        }
        if !rows.isEmpty { written[table.name] = rows }
        return true
    }

    private func partitions(of table: TableDefinition) throws -> Int {
        let topic = options.topic(of: table.name)
        guard let count = try cluster.partitionCount(topic) else {
            throw PipelineError(
                .unknownTopic, "there is no topic '\(topic)' for table '\(table.name)'", hint: "run `streamplat apply`",
                component: "sink kafka")
        }
        return count
    }

    // MARK: Parts

    func transactions(of domain: String) -> RowTransactions {
        if let rows, rows.control.domain == domain { return rows }
        let made = RowTransactions(cluster, readers, options, ControlTopic(options, domain: domain))
        rows = made
        return made
    }

    private func encoder(of table: TableDefinition) -> RowEncoder {
        if let known = encoders[table] { return known }
        let made = RowEncoder(table)
        encoders[table] = made
        return made
    }

    func checkWritable() throws {
        if access == .inspect {
            throw PipelineError(.sinkStorage, "the topics were opened for reading only", component: "sink kafka")
        }
    }

    /// Says something about a topic, once.
    func sayOnce(_ text: String) { if said.insert(text).inserted { notify(text) } }

    func reporting<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as PipelineError {
            throw Self.told(error)
        }
    }

    /// The client's errors, with the words of a sink.
    static func told(_ error: PipelineError) -> PipelineError {
        var error = error
        error.component = "sink kafka"
        error.hint = error.hint?.replacing("broker.kafka.", with: "")
        return error
    }
}
