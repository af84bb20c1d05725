public import Diagnostics
import DurableFiles
import Glibc
import Synchronization

/// Durable topics and group offsets in plain files below one folder. The files: docs/event-log.md.
///
/// Several processes may use one folder at once. Threads: any; producers and readers are confined to one.
public final class EventLog: Sendable {
    static let maximumPartitions = 10_000

    public enum Access: Sendable {
        /// Nothing is created or changed; a log that is not there has no topics.
        case readOnly
        case readWrite
    }

    public let root: String
    let access: Access
    let options: EventLogOptions
    let notify: @Sendable (String) -> Void
    private let ends = Mutex<[String: PartitionEnd]>([:])
    private let isClosed = Mutex(false)

    /// Opens the log; with ``Access/readWrite`` the folder is created where it is missing. Throws with exit code 3 when it
    /// cannot be used.
    public init(
        root: String, options: EventLogOptions = EventLogOptions(), access: Access = .readWrite,
        notify: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(PipelineError) {
        self.root = root
        self.options = options
        self.access = access
        self.notify = notify
        if access == .readWrite { try Folder.create(root) }
        let isThere = try Self.checkFormat(root)
        guard access == .readWrite else { return }
        if !isThere {
            try Folder.replaceFile(
                "\(root)/format.json", with: #"{"format":"streamplat-event-log","version":1}"# + "\n", durable: true)
        }
        for name in ["topics", "groups"] { try Folder.create("\(root)/\(name)") }
        if Glibc.access("\(root)/topics", R_OK | W_OK | X_OK) != 0 {
            throw LogErrors.notAccessible("\(root)/topics", "write to", errno)
        }
    }

    /// After this every method throws `logClosed`. Producers flush when they are closed themselves.
    public func close() { isClosed.withLock { $0 = true } }

    /// Whether the folder is an event log; throws when it is something else. An empty folder, or none, may become one.
    private static func checkFormat(_ root: String) throws(PipelineError) -> Bool {
        let path = "\(root)/format.json"
        if let file = try LogFile(reading: path) {
            let json = JSONValue.parse(try file.contents())
            if json?["format"]?.string == "streamplat-event-log", json?["version"]?.integer == 1 { return true }
            throw PipelineError(
                .logFormatUnknown, "\(path) does not name version 1 of the event log's format",
                hint: "it was written by a newer streamplat, or is damaged", component: "event log", exitCode: 3)
        }
        let ours = ["topics", "groups", "format.json"]
        if let other = try Folder.names(in: root)?.first(where: { !ours.contains($0) && !$0.hasPrefix("~") }) {
            throw PipelineError(
                .logFormatUnknown, "the folder \(root) is not an event log: it holds '\(other)'",
                hint: "set the broker's 'path' to an empty folder, or one that is not there", component: "event log",
                exitCode: 3)
        }
        return false
    }

    func checkOpen() throws(PipelineError) {
        if isClosed.withLock({ $0 }) {
            throw PipelineError(.logClosed, "the event log at \(root) is closed", component: "event log")
        }
    }

    /// Whoever opened the log for reading must not change it, whatever the folder's rights would allow.
    func checkWritable() throws(PipelineError) {
        try checkOpen()
        if access == .readOnly {
            throw PipelineError(
                .logNotAccessible, "the event log at \(root) was opened for reading only", component: "event log")
        }
    }

    // MARK: Records

    /// - Parameter isDurable: Whether appended records are to outlast a loss of power, as ``EventLogOptions/fsync`` says.
    public func makeProducer(isDurable: Bool = true) throws(PipelineError) -> LogProducer {
        try checkWritable()
        var options = options
        if !isDurable { options.fsync = .never }
        return LogProducer(self, options)
    }

    /// A reader at `offset`. Throws ``OffsetOutOfRange`` when the partition does not hold it and it is not its end.
    public func makeReader(topic: String, partition: Int, at offset: Int64) throws -> LogReader {
        try LogReader(folder(topic, partition), at: offset)
    }

    /// The first offset that can be read, and the one that the next record will get.
    public func offsets(topic: String, partition: Int) throws -> (earliest: Int64, next: Int64) {
        let folder = try folder(topic, partition)
        let end = try PartitionEnd.find(folder, from: ends.withLock { $0[folder.path] })
        ends.withLock { $0[folder.path] = end }
        return (end.earliest, end.next)
    }

    private func folder(_ topic: String, _ partition: Int) throws(PipelineError) -> PartitionFolder {
        let known = try requireTopic(topic)
        guard (0..<known.partitions).contains(partition) else {
            throw PipelineError(
                .unknownPartition, "topic '\(topic)' has no partition \(partition)",
                hint: "it has the partitions 0 to \(known.partitions - 1)", component: "event log")
        }
        return partitionFolder(topic, partition)
    }

    func partitionFolder(_ topic: String, _ partition: Int) -> PartitionFolder {
        PartitionFolder(path: "\(topicFolder(topic))/\(partition)", topic: topic, partition: partition)
    }
}
