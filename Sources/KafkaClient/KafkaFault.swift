internal import CRdKafka
internal import Diagnostics

/// A result code of librdkafka or of a broker, with the words that came with it.
struct KafkaFault: Sendable {
    var code: rd_kafka_resp_err_t
    var text: String
    /// What TLS failed on, where that is known.
    var cause: KafkaTLSCause?

    /// `text` is librdkafka's own when nil or empty.
    init(_ code: rd_kafka_resp_err_t, _ text: String? = nil) {
        self.code = code
        self.text = text.flatMap { $0.isEmpty ? nil : $0 } ?? String(cString: rd_kafka_err2str(code))
        if code == RD_KAFKA_RESP_ERR__SSL || code == RD_KAFKA_RESP_ERR__TRANSPORT {
            cause = KafkaTLSCause(alert: self.text)
        }
    }

    init(_ code: rd_kafka_resp_err_t, _ text: UnsafePointer<CChar>?) {
        self.init(code, text.map { String(cString: $0) })
    }

    /// Takes what a call of the transactional producer returned, and destroys it.
    init(taking error: OpaquePointer) {
        self.init(rd_kafka_error_code(error), rd_kafka_error_string(error))
        rd_kafka_error_destroy(error)
    }

    /// The code's name as in Kafka's protocol, such as `TOPIC_AUTHORIZATION_FAILED`; a leading `_` is librdkafka's own.
    var name: String { String(cString: rd_kafka_err2name(code)) }

    struct Facts {
        var code: DiagnosticCode
        /// True for what may be different when it is tried again.
        var isPassing: Bool
        var hint: String?
        /// The plugin's options that it is about; empty = the address.
        var options: [String]

        init(_ code: DiagnosticCode, passing: Bool = false, _ hint: String? = nil, options: [String] = []) {
            self.code = code
            isPassing = passing
            self.hint = hint
            self.options = options
        }
    }

    /// The one place that says what a result code means for us.
    var facts: Facts {
        if let cause { return cause.facts }
        return switch code {
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR__NODE_UPDATE:
            Facts(
                .kafkaUnreachable, passing: true,
                "is it running, and are broker.kafka.bootstrap_servers and security_protocol right?")
        case RD_KAFKA_RESP_ERR__SSL:
            Facts(
                .kafkaTLS, passing: true,
                "check security_protocol, ca_file and the broker's certificate; a broker without TLS takes plaintext")
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE,
            RD_KAFKA_RESP_ERR_SECURITY_DISABLED:
            Facts(
                .kafkaAuthentication, "check sasl_mechanism, username and password, or the client's certificate",
                options: ["username", "password", "sasl_mechanism"])
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            Facts(
                .kafkaAuthorization, "give the user the right to do this; plugins/kafka/README.md lists what is needed")
        case RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
            Facts(.kafkaTimedOut, passing: true, "a larger broker.kafka.request_timeout gives a slow broker more time")
        case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
            // Not by this producer, but by the next one.
            Facts(
                .kafkaNotDelivered, passing: true,
                "the broker did not acknowledge within broker.kafka.delivery_timeout; is a leader of each partition up?"
            )
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
            RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
            Facts(
                .kafkaRecordTooLarge,
                "raise message.max.bytes below broker.kafka.client, and max.message.bytes of the topic")
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR_TOPIC_DELETION_DISABLED:
            Facts(.unknownTopic, "run `streamplat apply`, which creates the topics of a domain")
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: Facts(.unknownPartition)
        case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS: Facts(.topicExists)
        case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, RD_KAFKA_RESP_ERR_INVALID_GROUP_ID: Facts(.invalidTopicName)
        case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR,
            RD_KAFKA_RESP_ERR_INVALID_REPLICA_ASSIGNMENT, RD_KAFKA_RESP_ERR_INVALID_CONFIG,
            RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
            Facts(.invalidTopicConfig, "a topic cannot have more replicas than the cluster has brokers")
        case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
            RD_KAFKA_RESP_ERR_NOT_CONTROLLER, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
            RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR_REASSIGNMENT_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
            RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_PREFERRED_LEADER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR__WAIT_CACHE, RD_KAFKA_RESP_ERR__IN_PROGRESS,
            RD_KAFKA_RESP_ERR__RETRY, RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED,
            RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, RD_KAFKA_RESP_ERR_TRANSACTION_COORDINATOR_FENCED:
            Facts(.kafkaBusy, passing: true)
        case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET,
            RD_KAFKA_RESP_ERR__NO_OFFSET:
            Facts(.offsetOutOfRange)
        case RD_KAFKA_RESP_ERR__BAD_MSG, RD_KAFKA_RESP_ERR__BAD_COMPRESSION, RD_KAFKA_RESP_ERR_INVALID_MSG,
            RD_KAFKA_RESP_ERR__UNDERFLOW, RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE:
            Facts(.kafkaBadData)
        case RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
            RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID,
            RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE, RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
            RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE:
            Facts(.kafkaProducerLost, passing: true, "start again: what was not acknowledged is sent again")
        case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
            Facts(.kafkaUnsupported, "Kafka 2.4 or newer is needed")
        case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
            Facts(
                .kafkaClientRefused,
                "lower transaction_timeout: brokers allow 15 minutes, if transaction.max.timeout.ms says nothing else",
                options: ["transaction_timeout"])
        case RD_KAFKA_RESP_ERR__INVALID_ARG, RD_KAFKA_RESP_ERR__CONFLICT, RD_KAFKA_RESP_ERR__NOT_CONFIGURED,
            RD_KAFKA_RESP_ERR__FS:
            Facts(.kafkaClientRefused)
        case RD_KAFKA_RESP_ERR__STATE, RD_KAFKA_RESP_ERR__DESTROY, RD_KAFKA_RESP_ERR__PURGE_QUEUE,
            RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
            Facts(.kafkaClosed)
        default: Facts(.kafkaRefused)
        }
    }

    /// The error of the outside world: `doing` is what failed, such as `creating topic events.purchase`.
    func error(_ doing: String, component: String? = nil, exitCode: Int32 = 1) -> PipelineError {
        let facts = facts
        return PipelineError(
            facts.code, "\(doing): \(text) (\(name))", hint: facts.hint, component: component ?? "kafka",
            retry: facts.isPassing ? .backoff : .never, exitCode: exitCode, options: facts.options)
    }
}
