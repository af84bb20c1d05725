internal import CRdKafka
internal import Diagnostics

/// Writes records in transactions, or one by one without duplicates where it has no id. Threads: one.
///
/// A transaction begins with its first record. After ``commit()`` all of its records are there, for readers of committed
/// records; any other outcome is a ``KafkaTransactionFault``. Records carry a tag, a number of the caller's from 1 up, by
/// which the faults name them.
///
/// librdkafka tells three kinds of errors of a transaction: what may pass (the call is made again), what needs an abort (the
/// records are sent again in a new transaction), and what ends the producer, as when a newer one with the same id has
/// fenced it. All others count as the last kind, as its documentation advises.
public final class KafkaTransactionalProducer {
    private enum State {
        /// No transaction has begun.
        case idle
        case open
        /// A commit has begun, and its outcome is open.
        case committing
        /// The transaction has failed and has to be aborted.
        case failed(KafkaFault)
        /// Nothing can be done with this producer any more.
        case lost(KafkaFault)
    }

    private let cluster: KafkaCluster
    private let handle: KafkaHandle
    private let isTransactional: Bool
    private var topics: [String: OpaquePointer] = [:]
    private var state = State.idle
    private var isClosed = false
    /// Without transactions: records that librdkafka did not take.
    private var unsent: [(tag: Int, fault: KafkaFault)] = []

    init(_ cluster: KafkaCluster, id: String?, timeoutMilliseconds: Int64, number: Int) throws {
        self.cluster = cluster
        isTransactional = id != nil
        var properties = cluster.settings.producerProperties
        properties["enable.idempotence"] = "true"
        // Its offsets are those behind all records, not those behind the last transaction that is known to have ended.
        properties["isolation.level"] = "read_uncommitted"
        if let id {
            properties["transactional.id"] = id
            properties["transaction.timeout.ms"] = "\(timeoutMilliseconds)"
            let delivery = properties["message.timeout.ms"].flatMap(Int64.init) ?? timeoutMilliseconds
            properties["message.timeout.ms"] = "\(min(delivery, timeoutMilliseconds))"
        }
        let onStatistics = cluster.onStatistics
        let name = "producer \(number)"
        handle = try KafkaHandle(RD_KAFKA_PRODUCER, properties, role: "producer", notices: cluster.notices) {
            [weak cluster] statistics in
            onStatistics(name, statistics)
            if statistics.instance.isEmpty { cluster?.releaseProducer(number) }
        }
    }

    deinit { close() }

    /// Ends what an earlier producer with the same id has begun, and keeps it from writing from now on. Waits up to the
    /// request timeout.
    public func start() throws {
        guard isTransactional else { return }
        let deadline = ContinuousClock.now + .milliseconds(cluster.settings.requestTimeoutMilliseconds)
        while let error = rd_kafka_init_transactions(handle.pointer, 1000) {
            let isRetriable = rd_kafka_error_is_retriable(error) != 0
            let fault = KafkaFault(taking: error)
            guard isRetriable, ContinuousClock.now < deadline else {
                let cause = fatalFault ?? cluster.explained(fault)
                var thrown = cause.error("beginning transactions")
                if isRetriable { thrown.retry = .backoff }
                throw thrown
            }
        }
    }

    /// True while the outcome of a commit is open: only ``commit()`` may be called.
    public var isUndecided: Bool { if case .committing = state { true } else { false } }

    /// Hands one record to librdkafka, which copies it; false when it is larger than librdkafka may send.
    ///
    /// The key chooses the partition by murmur2. Other faults show at ``commit()``; after one nothing more is sent.
    public func send(
        key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer, to topic: String, tag: Int
    ) -> Bool {
        precondition(!isUndecided && !isClosed && tag > 0, "the transaction takes no records now")
        guard begin(), let object = object(of: topic) else { return true }
        let code = sp_rd_kafka_produce_tagged(
            handle.pointer, object, -1, key?.baseAddress, key?.count ?? 0, value.baseAddress, value.count,
            UInt(bitPattern: tag))
        switch code {
        case RD_KAFKA_RESP_ERR_NO_ERROR: return true
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE: return false
        default:
            if let fatal = fatalFault {
                state = .lost(fatal)
            } else if isTransactional {
                state = .failed(KafkaFault(code))
            } else {
                unsent.append((tag, KafkaFault(code)))
            }
            return true
        }
    }

    /// Sends what is on its way before more comes: no batch holds records from before and after it.
    public func flush() {
        guard case .open = state else { return }
        // Whatever does not arrive is found by the commit.
        _ = waitForRecords()
    }

    /// Completes the transaction: every record since the last one is there. Does nothing when there is none.
    public func commit() throws(KafkaTransactionFault) {
        switch state {
        case .idle: return
        case .lost(let fault): throw .lost(fault.error("writing"))
        case .failed(let fault): try finishAbort(fault)
        case .open, .committing:
            guard isTransactional else { return try finishFlush() }
            state = .committing
            switch waitForRecords() {
            case .arrived: break
            case .failed(let fault):
                state = .failed(fault)
                return try finishAbort(fault)
            case .timedOut:
                throw .undecided(passing(KafkaFault(RD_KAFKA_RESP_ERR__TIMED_OUT), "committing a transaction"))
            }
            guard let error = rd_kafka_commit_transaction(handle.pointer, cluster.settings.requestTimeoutMilliseconds)
            else {
                state = .idle
                return
            }
            let (needsAbort, isRetriable) = (
                rd_kafka_error_txn_requires_abort(error) != 0, rd_kafka_error_is_retriable(error) != 0
            )
            let fault = KafkaFault(taking: error)
            if let fatal = fatalFault {
                state = .lost(fatal)
                throw .lost(fatal.error("committing a transaction"))
            }
            if needsAbort {
                state = .failed(fault)
                return try finishAbort(fault)
            }
            if isRetriable { throw .undecided(passing(fault, "committing a transaction")) }
            state = .lost(fault)
            throw .lost(fault.error("committing a transaction"))
        }
    }

    /// Ends the transaction without its records; gives the tags of those that the broker refuses for their size.
    public func abort() throws(KafkaTransactionFault) -> [Int] {
        do throws(KafkaTransactionFault) {
            switch state {
            case .idle: return []
            case .lost(let fault): throw .lost(fault.error("writing"))
            case .failed(let fault): try finishAbort(fault)
            case .open, .committing: try finishAbort(KafkaFault(RD_KAFKA_RESP_ERR_NO_ERROR))
            }
        } catch {
            guard case .aborted(_, let tooLarge) = error else { throw error }
            return tooLarge
        }
        return []
    }

    /// The offset behind the last record of a partition, of open and aborted transactions too.
    public func endOffset(_ partition: KafkaPartition) throws -> Int64 {
        var earliest: Int64 = 0
        var next: Int64 = 0
        let code = rd_kafka_query_watermark_offsets(
            handle.pointer, partition.topic, partition.number, &earliest, &next,
            cluster.settings.requestTimeoutMilliseconds)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw cluster.explained(KafkaFault(code)).error(
                "asking for the offsets of topic \(partition.topic), partition \(partition.number)")
        }
        return next
    }

    /// Drops what was not committed, and ends; a second call does nothing. An open transaction is ended by the next
    /// producer with its id, or by the broker after its timeout.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        rd_kafka_purge(handle.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        for topic in topics.values { rd_kafka_topic_destroy(topic) }
        topics = [:]
    }

    // MARK: Steps

    private enum Arrival {
        case arrived, timedOut
        case failed(KafkaFault)
    }

    /// Waits until every record is acknowledged, or one has failed. librdkafka 2.0.2's commit would go on waiting after a
    /// failure, for records that it does not send any more.
    private func waitForRecords() -> Arrival {
        let deadline = ContinuousClock.now + .milliseconds(cluster.settings.requestTimeoutMilliseconds)
        while true {
            let isDone = rd_kafka_flush(handle.pointer, 50) == RD_KAFKA_RESP_ERR_NO_ERROR
            if isTransactional, let fault = fatalFault ?? handle.events.firstFailure { return .failed(fault) }
            if isDone { return .arrived }
            if ContinuousClock.now >= deadline { return .timedOut }
        }
    }

    /// True when records can be sent.
    private func begin() -> Bool {
        switch state {
        case .open: return true
        case .idle:
            _ = handle.events.takeFailures()
            if isTransactional, let error = rd_kafka_begin_transaction(handle.pointer) {
                let fault = KafkaFault(taking: error)
                state = .lost(fatalFault ?? fault)
                return false
            }
            state = .open
            return true
        case .committing, .failed, .lost: return false
        }
    }

    /// Aborts; always throws, ``KafkaTransactionFault/aborted(_:tooLarge:)`` when that is done.
    private func finishAbort(_ cause: KafkaFault) throws(KafkaTransactionFault) {
        if isTransactional,
            let error = rd_kafka_abort_transaction(handle.pointer, cluster.settings.requestTimeoutMilliseconds)
        {
            let isRetriable = rd_kafka_error_is_retriable(error) != 0
            let fault = KafkaFault(taking: error)
            if isRetriable, fatalFault == nil {
                state = .failed(cause)
                throw .undecided(passing(fault, "aborting a transaction"))
            }
            let fatal = fatalFault ?? fault
            state = .lost(fatal)
            throw .lost(fatal.error("aborting a transaction"))
        }
        state = .idle
        // Now every record has been reported.
        let failures = handle.events.takeFailures()
        throw .aborted(passing(cause, "writing in a transaction"), tooLarge: Self.tooLarge(failures))
    }

    /// Without transactions: waits for every record.
    private func finishFlush() throws(KafkaTransactionFault) {
        state = .committing
        let timeout = cluster.settings.requestTimeoutMilliseconds
        let isDone = rd_kafka_flush(handle.pointer, timeout) == RD_KAFKA_RESP_ERR_NO_ERROR
        if let fatal = fatalFault {
            state = .lost(fatal)
            throw .lost(fatal.error("writing"))
        }
        guard isDone else { throw .undecided(passing(KafkaFault(RD_KAFKA_RESP_ERR__TIMED_OUT), "writing")) }
        state = .idle
        let failures = unsent + handle.events.takeFailures()
        unsent = []
        guard let first = failures.first else { return }
        throw .notWritten(
            passing(first.fault, "writing"), tags: failures.map(\.tag), tooLarge: Self.tooLarge(failures))
    }

    private static func tooLarge(_ failures: [(tag: Int, fault: KafkaFault)]) -> [Int] {
        failures.filter { $0.fault.facts.code == .kafkaRecordTooLarge }.map(\.tag)
    }

    /// What librdkafka ended the producer for, if it did.
    private var fatalFault: KafkaFault? {
        withErrorText { text, size in
            let code = rd_kafka_fatal_error(handle.pointer, text, size)
            return code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaFault(code, String(cString: text))
        }
    }

    /// An error that is worth another attempt, unless it is about rights or about topics that are not there.
    private func passing(_ fault: KafkaFault, _ doing: String) -> PipelineError {
        var error = cluster.explained(fault).error(doing)
        let lasting: [DiagnosticCode] = [
            .kafkaAuthorization, .kafkaAuthentication, .unknownTopic, .unknownPartition, .kafkaClientRefused,
            .kafkaUnsupported, .invalidTopicName,
        ]
        if !lasting.contains(error.code) { error.retry = .backoff }
        return error
    }

    /// Nil when librdkafka refuses the name, which the state then says.
    private func object(of topic: String) -> OpaquePointer? {
        if let known = topics[topic] { return known }
        guard let object = rd_kafka_topic_new(handle.pointer, topic, nil) else {
            state = .failed(KafkaFault(rd_kafka_last_error()))
            return nil
        }
        topics[topic] = object
        return object
    }
}
