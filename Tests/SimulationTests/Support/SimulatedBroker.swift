import DataPath
import Diagnostics
import PluginAPI

/// Partitions in memory, which outlive every process.
final class SimulatedBroker {
    struct Record {
        var value: [UInt8]
        var headers: [(name: String, value: [UInt8])] = []
    }

    private(set) var partitions: [TopicPartition: [Record]] = [:]
    private let history: EventHistory
    private var arrived = 0
    /// Until when a partition's leader is away.
    var awayUntil: [TopicPartition: Int64] = [:]

    /// Troubles of readers that are still to come.
    var troubles = 150

    static let letters = TopicPartition(topic: "events.dlq", partition: 0)

    static let late = TopicPartition(topic: "events.late", partition: 0)

    init(_ history: EventHistory) {
        self.history = history
        for partition in history.partitions + [Self.letters, Self.late] { partitions[partition] = [] }
    }

    var hasAll: Bool { arrived == history.events.count }

    /// Takes the next events.
    func take(_ count: Int) {
        for event in history.events[arrived..<min(arrived + count, history.events.count)] {
            partitions[event.partition, default: []].append(Record(value: Array(event.message.utf8)))
            arrived += 1
        }
    }

    func append(_ records: [Record], to partition: TopicPartition) { partitions[partition, default: []] += records }
}

/// The broker as one process sees it. See ``World`` for why it may be unchecked.
final class BrokerConnection: Broker, @unchecked Sendable {
    private let process: SimulatedProcess
    private var broker: SimulatedBroker { process.world.broker }

    init(_ process: SimulatedProcess) { self.process = process }

    func topics() throws -> [TopicDescription] {
        try process.call("topics")
        return Dictionary(grouping: broker.partitions.keys, by: \.topic).map {
            TopicDescription(name: $0.key, partitions: $0.value.count, config: [:])
        }
    }

    func createTopic(_ name: String, partitions: Int, replication: Int, config: [String: String]) throws {}
    func alterTopic(_ name: String, partitions: Int?, config: [String: String]) throws {}
    func makeProducer() throws -> any BrokerProducer { Producer(process) }

    func makeReader(_ partition: TopicPartition, at offset: Int64) throws -> any PartitionReader {
        try process.call("open reader", Int(offset))
        return Reader(process, partition, offset)
    }

    func offsets(_ partition: TopicPartition) throws -> (earliest: Int64, next: Int64) {
        try process.call("offsets")
        return (0, Int64(broker.partitions[partition]?.count ?? 0))
    }

    func commit(group: String, offsets: [TopicPartition: Int64]) throws { try process.call("group offsets") }
    func committed(group: String) throws -> [TopicPartition: Int64] { [:] }
    func health() throws -> ComponentHealth { ComponentHealth(version: "simulated") }
    func close() throws {}

    /// Records arrive when the broker has flushed them; of a flush that fails some may have arrived.
    private final class Producer: BrokerProducer {
        private let process: SimulatedProcess
        private var waiting: [(TopicPartition, SimulatedBroker.Record)] = []

        init(_ process: SimulatedProcess) { self.process = process }

        func send(_ block: RecordBlock, to topic: String) throws {
            try send(block, to: TopicPartition(topic: topic, partition: 0))
        }

        func send(_ block: RecordBlock, to partition: TopicPartition) throws {
            try process.call("send", block.count)
            waiting += block.entries.map {
                (partition, .init(value: block.value($0).map(Array.init) ?? [], headers: block.headers($0)))
            }
        }

        func flush() throws {
            let isFailing = process.world.chance.happens(process.failurePercent)
            let arriving = isFailing ? process.world.chance.below(waiting.count + 1) : waiting.count
            for (partition, record) in waiting.prefix(arriving) { process.world.broker.append([record], to: partition) }
            waiting = []
            try process.call("flush letters", arriving)
            if isFailing { throw PipelineError(.kafkaTimedOut, "the broker went away", retry: .backoff) }
        }

        func close() throws {}
    }

    /// Reads in bits and with delays; after trouble it may begin again at records that it has given before.
    private final class Reader: PartitionReader {
        let partition: TopicPartition
        private(set) var position: Int64
        private let process: SimulatedProcess
        private let lowest: Int64

        init(_ process: SimulatedProcess, _ partition: TopicPartition, _ offset: Int64) {
            self.process = process
            self.partition = partition
            position = offset
            lowest = offset
        }

        var knownEnd: Int64? { Int64(process.world.broker.partitions[partition]?.count ?? 0) }

        func fetch(into block: RecordBlock, maxBytes: Int) throws -> FetchResult {
            try process.call("fetch", Int(position))
            block.removeAll()
            let (world, chance) = (process.world, process.world.chance)
            if let until = world.broker.awayUntil[partition] {
                if world.now < until { return .nothingYet }
                world.broker.awayUntil[partition] = nil
            }
            if world.broker.troubles > 0, chance.happens(world.plan.readerTroublePercent) {
                world.broker.troubles -= 1
                switch chance.below(4) {
                case 0:
                    world.broker.awayUntil[partition] = world.now + Int64(chance.below(2000))
                    process.incident("leader away")
                case 1:
                    // As after a new connection: from a place that it had come by.
                    position = max(0, position - Int64(chance.below(12)))
                    process.incident("reads again", Int(position))
                default: break
                }
                return .nothingYet
            }
            let records = world.broker.partitions[partition] ?? []
            guard position < records.count else { return .endOfPartition }
            let end = min(records.count, Int(position) + chance.within(1...20))
            for offset in Int(position)..<end {
                records[offset].value.withUnsafeBytes { block.append(key: nil, value: $0, timestamp: 0) }
                block.entries[block.count - 1].offset = Int64(offset)
            }
            position = Int64(end)
            return .records
        }

        func close() throws {}
    }
}

/// No event of a simulation has a registered schema.
final class NoSchemas: SchemaRegistry {
    func register(subject: String, schema: String) throws -> Int32 { 0 }
    func schema(id: Int32) throws -> String? { nil }
    func latest(subject: String) throws -> RegisteredSchema? { nil }
    func incompatibilities(subject: String, schema: String) throws -> [String] { [] }
    func compatibility(subject: String) throws -> CompatibilityLevel { .none }
    func setCompatibility(_ level: CompatibilityLevel, subject: String) throws {}
    func health() throws -> ComponentHealth { ComponentHealth(version: "none") }
    func close() throws {}
}
