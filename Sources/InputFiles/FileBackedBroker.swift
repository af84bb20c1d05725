public import PluginAPI
internal import Synchronization

/// A broker some of whose topics are files (``InputFile/topic``); all else is passed on. Threads: as ``Broker``.
public final class FileBackedBroker: Broker {
    private let base: any Broker
    private let files: [String: InputFile]

    private let notify: @Sendable (String) -> Void
    /// Topics of files whose unfinished last record was told of.
    private let told = Mutex<Set<String>>([])

    /// - Parameter notify: Gets what a person should know of a file, once each.
    public init(_ base: any Broker, _ files: [InputFile], notify: @escaping @Sendable (String) -> Void) {
        self.base = base
        self.notify = notify
        self.files = Dictionary(files.map { ($0.topic, $0) }) { first, _ in first }
    }

    public func topics() throws -> [TopicDescription] {
        try base.topics()
            + files.values.map { TopicDescription(name: $0.topic, partitions: $0.partitions, config: [:]) }
    }

    public func createTopic(_ name: String, partitions: Int, replication: Int, config: [String: String]) throws {
        try base.createTopic(name, partitions: partitions, replication: replication, config: config)
    }

    public func alterTopic(_ name: String, partitions: Int?, config: [String: String]) throws {
        try base.alterTopic(name, partitions: partitions, config: config)
    }

    public func makeProducer() throws -> any BrokerProducer { try base.makeProducer() }
    public func makeTransientProducer() throws -> any BrokerProducer { try base.makeTransientProducer() }

    public func makeReader(_ partition: TopicPartition, at offset: Int64) throws -> any PartitionReader {
        guard let file = files[partition.topic] else { return try base.makeReader(partition, at: offset) }
        guard let index = file.index else {
            return try LineLane(file, partition, at: offset) { [self] in tellUnfinished(file, at: $0) }
        }
        return try ContainerLane(file, partition, at: offset, index: index)
    }

    private func tellUnfinished(_ file: InputFile, at offset: Int64) {
        guard told.withLock({ $0.insert(file.topic).inserted }) else { return }
        notify(
            "\(file.path) ends within a record, which begins at byte \(offset): that is left to a run that finds it finished"
        )
    }

    /// How many records a container holds is not known before it is read.
    public func offsets(_ partition: TopicPartition) throws -> (earliest: Int64, next: Int64) {
        guard let file = files[partition.topic] else { return try base.offsets(partition) }
        return (0, file.format == .avro ? .max : file.size)
    }

    /// Of files nobody else is told.
    public func commit(group: String, offsets: [TopicPartition: Int64]) throws {
        let others = offsets.filter { files[$0.key.topic] == nil }
        if !others.isEmpty { try base.commit(group: group, offsets: others) }
    }

    public func committed(group: String) throws -> [TopicPartition: Int64] { try base.committed(group: group) }
    public func health() throws -> ComponentHealth { try base.health() }
    public func close() throws { try base.close() }
}
