internal import CRdKafka
internal import Glibc
internal import Synchronization

/// What a handle's background thread has seen: errors, failed deliveries, statistics.
///
/// Threads: librdkafka's own write, any read. The handle keeps it alive until librdkafka's threads have ended.
final class KafkaEvents: Sendable {
    struct State {
        /// The last trouble of a connection, for the words of a later error.
        var lastTrouble: KafkaFault?
        /// Since when no broker can be reached; nil while one can.
        var allDownSince: ContinuousClock.Instant?
        /// The credentials were refused: trying again gives the same.
        var refusal: KafkaFault?
        /// librdkafka gave up on the handle.
        var fatal: KafkaFault?
        var failedDeliveries = 0
        var firstFailedDelivery: (topic: String, fault: KafkaFault)?
        /// Records with a tag that were not delivered, since ``KafkaEvents/takeFailures()``.
        var taggedFailures: [(tag: Int, fault: KafkaFault)] = []
        /// Why the certificate of a broker was not accepted last.
        var certificateFault: KafkaCertificateFault?
        /// The newest statistics.
        var reading: KafkaStatisticsReading?
        var readAt: ContinuousClock.Instant?
        /// How often each partition's leader, and how often every broker, was found to be away.
        var outages: [KafkaPartition: Int] = [:]
        var outagesOfAll = 0
    }

    private let state = Mutex(State())
    let notices: KafkaNotices
    /// Whose events: `reader` or `producer`.
    let role: String
    /// Takes each reading of the statistics; on librdkafka's thread, about once a second.
    private let onStatistics: @Sendable (KafkaStatistics) -> Void
    /// With librdkafka's `debug` property its log lines are what a person asked for.
    let logsEverything: Bool
    /// How long a broker may leave a request unanswered before it counts as silent.
    private let patienceMicroseconds: Int64

    init(
        role: String, notices: KafkaNotices, logsEverything: Bool, patienceMilliseconds: Int64,
        onStatistics: @escaping @Sendable (KafkaStatistics) -> Void
    ) {
        self.onStatistics = onStatistics
        self.role = role
        self.notices = notices
        self.logsEverything = logsEverything
        patienceMicroseconds = patienceMilliseconds * 1000
    }

    func read<Result: Sendable>(_ body: @Sendable (State) -> Result) -> Result { state.withLock { body($0) } }

    /// Whether the partition's leader cannot be reached now or leaves requests unanswered, and how often that has been
    /// found. A lost connection is known within a second, a silent broker some seconds later. Without news of the brokers
    /// a partition counts as away too.
    func outage(of partition: KafkaPartition) -> (isAway: Bool, count: Int) {
        state.withLock { state in
            let hasNoNews = state.readAt.map { .now - $0 > KafkaEvents.newsLimit } ?? false
            return (
                state.allDownSince != nil || hasNoNews || state.reading?.partitionsAway.contains(partition) == true,
                state.outagesOfAll + (state.outages[partition] ?? 0)
            )
        }
    }

    private static let newsLimit: Duration = .seconds(10)

    /// Called when no callback can come any more: the gauges of a handle that has ended show nothing.
    func end() { onStatistics(KafkaStatistics()) }

    // MARK: From librdkafka's threads.

    func handle(_ event: OpaquePointer) {
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_DR: countFailedDeliveries(event)
        case RD_KAFKA_EVENT_STATS: takeStatistics(event)
        case RD_KAFKA_EVENT_ERROR:
            takeError(
                KafkaFault(rd_kafka_event_error(event), rd_kafka_event_error_string(event)),
                isFatal: rd_kafka_event_error_is_fatal(event) != 0)
        default: notices.say("an event of an unknown kind from librdkafka", topic: "unknown event")
        }
    }

    /// With `delivery.report.only.error` only failed records are reported.
    private func countFailedDeliveries(_ event: OpaquePointer) {
        while let message = rd_kafka_event_message_next(event) {
            let code = message.pointee.err
            guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
            let tag = Int(bitPattern: message.pointee._private)
            if tag != 0 {
                state.withLock { $0.taggedFailures.append((tag, KafkaFault(code, nil as String?))) }
                continue
            }
            let topic = message.pointee.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? ""
            let isFirst = state.withLock { state in
                state.failedDeliveries += 1
                guard state.firstFailedDelivery == nil else { return false }
                // Not `rd_kafka_message_errstr`: for a producer's message that is the record's value, without an end.
                state.firstFailedDelivery = (topic, KafkaFault(code, nil as String?))
                return true
            }
            // What a producer drops that is given up was said when it was given up.
            if isFirst, code != RD_KAFKA_RESP_ERR__PURGE_QUEUE, code != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT {
                notices.say(
                    "a record for topic \(topic) was not delivered: \(KafkaFault(code, nil as String?).text)",
                    topic: "delivery")
            }
        }
    }

    /// Why the first record with a tag was not delivered, since ``takeFailures()``.
    var firstFailure: KafkaFault? { state.withLock { $0.taggedFailures.first?.fault } }

    /// The records with a tag that were not delivered since the last call.
    func takeFailures() -> [(tag: Int, fault: KafkaFault)] {
        state.withLock { state in
            defer { state.taggedFailures = [] }
            return state.taggedFailures
        }
    }

    private func takeStatistics(_ event: OpaquePointer) {
        let previous = state.withLock { $0.reading }
        guard let text = rd_kafka_event_stats(event),
            let reading = KafkaStatisticsReading(
                json: UnsafeRawBufferPointer(start: text, count: strlen(text)), after: previous,
                patienceMicroseconds: patienceMicroseconds)
        else {
            return notices.say("librdkafka's statistics cannot be read", topic: "statistics")
        }
        let wasDown = state.withLock { state in
            for partition in reading.partitionsAway.subtracting(previous?.partitionsAway ?? []) {
                state.outages[partition, default: 0] += 1
            }
            state.reading = reading
            state.readAt = .now
            guard reading.isConnected, state.allDownSince != nil else { return false }
            state.allDownSince = nil
            state.lastTrouble = nil
            return true
        }
        onStatistics(reading.statistics)
        for broker in reading.silent.subtracting(previous?.silent ?? []).sorted() {
            notices.say(
                "broker \(broker) leaves the \(role)'s requests unanswered, which goes on waiting",
                topic: "silent \(role) \(broker)")
        }
        if wasDown {
            notices.forget(topic: "all down \(role)")
            notices.say("the \(role) is connected again", topic: "up \(role)")
        }
    }

    private func takeError(_ fault: KafkaFault, isFatal: Bool) {
        let fault = KafkaFault(fault.code, notices.redacted(fault.text)).explained(
            by: state.withLock { $0.certificateFault })
        if isFatal {
            state.withLock { $0.fatal = $0.fatal ?? fault }
            return notices.sayAlways("the \(role) cannot go on: \(fault.text)")
        }
        switch fault.code {
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
            let reason = state.withLock { state in
                if state.allDownSince == nil {
                    state.allDownSince = .now
                    state.outagesOfAll += 1
                }
                return state.lastTrouble?.text
            }
            notices.forget(topic: "up \(role)")
            notices.say(
                "the \(role) reaches no broker and goes on trying\(reason.map { "; the last reason: \($0)" } ?? "")",
                topic: "all down \(role)")
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__RESOLVE:
            // A single connection may come and go; that none is left is said above.
            state.withLock { $0.lastTrouble = fault }
        case RD_KAFKA_RESP_ERR__AUTHENTICATION:
            state.withLock {
                $0.refusal = fault
                $0.lastTrouble = fault
            }
            notices.say("the \(role): \(fault.text)", topic: "authentication")
        default:
            // Both are the end of a connection.
            if [RD_KAFKA_RESP_ERR__SSL, RD_KAFKA_RESP_ERR__BAD_MSG].contains(fault.code) {
                state.withLock { $0.lastTrouble = fault }
            }
            notices.say("the \(role): \(fault.text) (\(fault.name))", topic: fault.name)
        }
    }

    /// What OpenSSL found about a certificate of a broker's chain; true when it may be used.
    func judgeCertificate(error: Int32) -> Bool {
        let fault = error == 0 ? nil : KafkaCertificateFault(error: error)
        // The certificates that are right come after and before a wrong one: they do not make it good.
        if let fault { state.withLock { $0.certificateFault = fault } }
        return fault == nil
    }

    /// A log line. Levels are those of syslog.
    func log(level: Int32, facility: String, text: String) {
        if logsEverything {
            notices.sayAlways("librdkafka \(facility): \(text)")
        } else if level <= 4, !KafkaEvents.saidElsewhere.contains(facility) {
            notices.say("librdkafka \(facility): \(text)", topic: "log \(facility)")
        }
    }

    /// Lines that also come as events, and the warning that a property concerns the other kind of handle only.
    private static let saidElsewhere: Set<String> = ["FAIL", "ERROR", "FATAL", "CONFWARN", "SSLCERTVRFY"]
}
