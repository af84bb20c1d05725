public import DataPath
public import Diagnostics

/// A broker plugin: topics, records, group offsets.
///
/// Order of calls: `validate` (pure) → `open` → any of the broker's methods, from any thread → `close`, once.
public protocol BrokerPlugin: Plugin {
    /// Says what of a topic this broker could not do, with its place. Pure: no file, no network.
    func validateTopic(_ topic: TopicRequest, into diagnostics: inout Diagnostics)
    /// Opens the broker. Throws ``PipelineError`` with exit code 3 when it is not there.
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any Broker
}

/// One partition of a topic.
public struct TopicPartition: Hashable, Sendable, Comparable {
    public var topic: String
    public var partition: Int

    public init(topic: String, partition: Int) {
        self.topic = topic
        self.partition = partition
    }

    public static func < (a: TopicPartition, b: TopicPartition) -> Bool {
        (a.topic, a.partition) < (b.topic, b.partition)
    }
}

/// A topic as it is.
public struct TopicDescription: Hashable, Sendable {
    public var name: String
    public var partitions: Int
    /// Copies of each partition; nil where the broker keeps none or does not say.
    public var replication: Int?
    public var config: [String: String]

    public init(name: String, partitions: Int, replication: Int? = nil, config: [String: String]) {
        self.name = name
        self.partitions = partitions
        self.replication = replication
        self.config = config
    }
}

/// An open broker. Threads: every method may be called from any thread; readers and producers are confined to one.
public protocol Broker: AnyObject, Sendable {
    // Administration. Configuration keys are Kafka's: `retention.ms`, `retention.bytes`, `segment.bytes`.
    func topics() throws -> [TopicDescription]
    func createTopic(_ name: String, partitions: Int, replication: Int, config: [String: String]) throws
    /// Adds partitions (never removes) and sets configuration keys.
    func alterTopic(_ name: String, partitions: Int?, config: [String: String]) throws

    // Records.
    func makeProducer() throws -> any BrokerProducer
    /// As ``makeProducer()``, for what running processes tell each other: it need not outlast a loss of power, which ends
    /// them all, so ``BrokerProducer/flush()`` need not wait for a disk of this machine.
    func makeTransientProducer() throws -> any BrokerProducer
    /// For an offset that is not in the partition this throws ``OffsetOutOfRangeError``, or the first fetch does.
    func makeReader(_ partition: TopicPartition, at offset: Int64) throws -> any PartitionReader
    /// The first offset that can be read, and the one that the next record will get.
    func offsets(_ partition: TopicPartition) throws -> (earliest: Int64, next: Int64)

    // Group offsets: advisory; a checkpoint is the truth.
    func commit(group: String, offsets: [TopicPartition: Int64]) throws
    func committed(group: String) throws -> [TopicPartition: Int64]

    /// Asks the broker whether it is there.
    func health() throws -> ComponentHealth
    func close() throws
}

extension Broker {
    /// Of a broker on other machines: these may lose their power while the processes live.
    public func makeTransientProducer() throws -> any BrokerProducer { try makeProducer() }
}

/// Writes records. Threads: one at a time.
public protocol BrokerProducer: AnyObject {
    /// Sends every record of the block; the key chooses the partition (murmur2, as Kafka's default partitioner; records
    /// without a key are spread, many in a row to one partition). The block can be reused when this returns.
    func send(_ block: RecordBlock, to topic: String) throws
    /// Sends every record of the block to one partition, whatever the keys say: a record that is sent again belongs where
    /// it was.
    func send(_ block: RecordBlock, to partition: TopicPartition) throws
    /// Returns when everything sent is as durable as the broker is configured to make it.
    func flush() throws
    /// As ``flush()``, but returns after that long at the latest; false when not everything is durable by then.
    func flush(milliseconds: Int) throws -> Bool
    func close() throws
}

extension BrokerProducer {
    /// Of a producer whose ``flush()`` never waits for long.
    public func flush(milliseconds: Int) throws -> Bool {
        try flush()
        return true
    }
}

public enum FetchResult: Sendable {
    /// The block holds at least one record.
    case records
    /// There is nothing to read now: nothing lies behind the reader's position.
    case endOfPartition
    /// Nothing has arrived yet, and whether there is more is not known: the first answer is on its way, or the
    /// partition's leader cannot be reached or does not answer. Ask again in some milliseconds.
    case nothingYet
}

/// Reads one partition in order. Threads: one.
public protocol PartitionReader: AnyObject {
    var partition: TopicPartition { get }
    /// The offset that the next fetch begins at.
    var position: Int64 { get }
    /// The offset that the next record of the partition will get, as far as it is known without waiting; nil when it is
    /// not known yet. For showing how far behind a reader is.
    var knownEnd: Int64? { get throws }
    /// The Avro schema, as JSON, of which every value is a bare datum; nil where values are messages, as topics hold them.
    var writerSchema: String? { get }
    /// Replaces the block's contents with the next records, up to about `maxBytes`. Does not wait.
    func fetch(into block: RecordBlock, maxBytes: Int) throws -> FetchResult
    func close() throws
}

extension PartitionReader {
    public var writerSchema: String? { nil }
}
