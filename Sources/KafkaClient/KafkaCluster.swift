internal import CRdKafka
internal import Diagnostics
internal import Synchronization

/// A connection to a Kafka cluster: topics, offsets, groups, readers.
///
/// Order of calls: `init` → ``connect()`` → anything, from any thread → ``close()``. Readers that are still open keep
/// their connection until they are closed.
public final class KafkaCluster: Sendable {
    let settings: KafkaSettings
    let notices: KafkaNotices
    /// Takes the statistics of every handle by its name: `reader`, `producer 1`, …
    let onStatistics: @Sendable (String, KafkaStatistics) -> Void
    private struct Connection {
        var handle: KafkaHandle
        var reading: Set<KafkaPartition> = []
        /// Partitions whose readers are closed; librdkafka has not stopped them.
        var abandoned: Set<KafkaPartition> = []
    }

    private struct Handles {
        /// The first is the one for everything; a second is made when one partition is read twice at a time.
        var all: [Connection] = []
        var readers = 1
        /// The numbers of the producers that are open: a number is used again, so that there are few names.
        var producers: Set<Int> = []
        /// Those that write the offsets of a group, by its name.
        var committers: [String: KafkaHandle] = [:]
        var isClosed = false
    }
    private let handles = Mutex(Handles())

    /// Throws when librdkafka refuses the settings. Connects to nothing yet.
    ///
    /// `onStatistics` gets the name of a handle (`reader`, `producer 1`) and its numbers, about once a second, on a thread
    /// of librdkafka's; it must not call the cluster. The last numbers of a handle are empty.
    public init(
        _ settings: KafkaSettings, notices: KafkaNotices,
        onStatistics: @escaping @Sendable (_ handle: String, KafkaStatistics) -> Void = { _, _ in }
    ) throws {
        self.settings = settings
        self.onStatistics = onStatistics
        self.notices = notices
        let handle = try makeHandle(name: "reader")
        handles.withLock { $0.all = [Connection(handle: handle)] }
    }

    private func makeHandle(name: String) throws -> KafkaHandle {
        let onStatistics = onStatistics
        return try KafkaHandle(RD_KAFKA_CONSUMER, settings.readerProperties, role: "reader", notices: notices) {
            onStatistics(name, $0)
        }
    }

    /// A connection that knows the coordinator of the group. What it has to say the reader says.
    func committer(of group: String) throws -> KafkaHandle {
        try handles.withLock { handles in
            guard !handles.isClosed else { throw KafkaCluster.closedError }
            if let made = handles.committers[group] { return made }
            let properties = settings.readerProperties.merging(
                ["group.id": group, "statistics.interval.ms": "0"], uniquingKeysWith: { $1 })
            let made = try KafkaHandle(
                RD_KAFKA_CONSUMER, properties, role: "writer of group offsets",
                notices: KafkaNotices(sensitiveValues: settings.sensitiveValues, notify: { _ in }),
                onStatistics: { _ in })
            handles.committers[group] = made
            return made
        }
    }

    var handle: KafkaHandle {
        get throws {
            try handles.withLock { handles in
                guard !handles.isClosed, let first = handles.all.first else { throw KafkaCluster.closedError }
                return first.handle
            }
        }
    }

    static let closedError = PipelineError(
        .kafkaClosed, "the connection was used after it had been closed", component: "kafka")

    /// Returns when a broker has answered; throws with exit code 3, saying why, when none does within the request
    /// timeout. Refused credentials, and brokers that all refuse the connection, are reported sooner.
    public func connect() throws { try notices.holding { try connect(try handle) } }

    private func connect(_ handle: KafkaHandle) throws {
        let begin = ContinuousClock.now
        let timeout = Duration.milliseconds(settings.requestTimeoutMilliseconds)
        // A name may stand for several addresses, which are tried one after the other.
        let graceWhenAllAreDown: Duration = .seconds(1)
        var fault = KafkaFault(RD_KAFKA_RESP_ERR__TIMED_OUT)
        // Short at first, to see a refusal soon; then longer, because each call is a request of its own, and no answer of
        // a slow broker comes within a short one.
        var patienceMilliseconds: Int32 = 200
        while true {
            var metadata: UnsafePointer<rd_kafka_metadata>?
            let code = rd_kafka_metadata(handle.pointer, 0, nil, &metadata, patienceMilliseconds)
            if code == RD_KAFKA_RESP_ERR_NO_ERROR {
                rd_kafka_metadata_destroy(metadata)
                return
            }
            fault = KafkaFault(code)
            let remaining = timeout - (ContinuousClock.now - begin)
            patienceMilliseconds = min(
                patienceMilliseconds * 2, max(1, Int32(clamping: Int64(remaining / .milliseconds(1)))))
            let (refusal, down, trouble) = handle.events.read { ($0.refusal, $0.allDownSince, $0.lastTrouble) }
            if let refusal {
                fault = refusal
                break
            }
            if let trouble { fault = trouble }
            let now = ContinuousClock.now
            if now - begin >= timeout {
                if trouble == nil {
                    let limit = settings.requestTimeoutMilliseconds
                    fault = KafkaFault(RD_KAFKA_RESP_ERR__TIMED_OUT, "nothing was answered within \(limit) ms")
                }
                break
            }
            if let down, now - down >= graceWhenAllAreDown { break }
        }
        let servers = settings.common["bootstrap.servers"] ?? "the configured servers"
        if fault.code == RD_KAFKA_RESP_ERR__BAD_MSG {
            throw PipelineError(
                .kafkaBadData, "what answers at \(servers) does not speak Kafka's protocol: \(fault.text)",
                hint: "are broker.kafka.bootstrap_servers and security_protocol right? so answers a port of TLS, too",
                component: "kafka", exitCode: 3)
        }
        throw fault.error("no Kafka broker answers at \(servers)", exitCode: 3)
    }

    /// A producer with a connection of its own.
    public func makeProducer() throws -> KafkaProducer {
        try numbered { try KafkaProducer(self, number: $0) }
    }

    /// A producer of transactions, or of records alone when it has no id. Its first call is
    /// ``KafkaTransactionalProducer/start()``.
    public func makeTransactionalProducer(
        id: String?, timeoutMilliseconds: Int64
    ) throws -> KafkaTransactionalProducer {
        try numbered {
            try KafkaTransactionalProducer(self, id: id, timeoutMilliseconds: timeoutMilliseconds, number: $0)
        }
    }

    private func numbered<Producer>(_ make: (Int) throws -> Producer) throws -> Producer {
        _ = try handle
        let number = handles.withLock { handles in
            var number = 1
            while !handles.producers.insert(number).inserted { number += 1 }
            return number
        }
        do {
            return try make(number)
        } catch {
            releaseProducer(number)
            throw error
        }
    }

    func releaseProducer(_ number: Int) { handles.withLock { _ = $0.producers.remove(number) } }

    /// Reads one partition from `offset` on. Waits for nothing: a fault shows at the first fetch.
    public func makeReader(_ partition: KafkaPartition, at offset: Int64) throws -> KafkaPartitionReader {
        let (handle, isAgain) = try handles.withLock { handles in
            guard !handles.isClosed else { throw KafkaCluster.closedError }
            for index in handles.all.indices where !handles.all[index].reading.contains(partition) {
                handles.all[index].reading.insert(partition)
                let isAgain = handles.all[index].abandoned.remove(partition) != nil
                return (handles.all[index].handle, isAgain)
            }
            handles.readers += 1
            let handle = try makeHandle(name: "reader \(handles.readers)")
            handles.all.append(Connection(handle: handle, reading: [partition]))
            return (handle, false)
        }
        do {
            return try KafkaPartitionReader(self, handle, partition, at: offset, isAgain: isAgain)
        } catch {
            release(partition, of: handle)
            throw error
        }
    }

    func release(_ partition: KafkaPartition, of handle: KafkaHandle) {
        handles.withLock { handles in
            guard let index = handles.all.firstIndex(where: { $0.handle === handle }) else { return }
            handles.all[index].reading.remove(partition)
            handles.all[index].abandoned.insert(partition)
            if index > 0, handles.all[index].reading.isEmpty { handles.all.remove(at: index) }
        }
    }

    /// Ends the connection once its readers are closed; a second call does nothing.
    public func close() {
        // Released outside the lock: destroying a handle waits for its threads.
        let dropped = handles.withLock { handles in
            handles.isClosed = true
            defer { (handles.all, handles.committers) = ([], [:]) }
            return handles.all.map(\.handle) + Array(handles.committers.values)
        }
        withExtendedLifetime(dropped) {}
    }
}
