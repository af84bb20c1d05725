internal import CRdKafka
internal import Diagnostics

extension KafkaCluster {
    /// Sends one request of the Admin API and gives its result to `read`, or throws its error.
    ///
    /// Waits up to the request timeout. `doing` is what a person is told when it fails. Threads: any.
    func admin<Result>(
        _ kind: rd_kafka_admin_op_t, _ doing: String,
        submit: (_ options: OpaquePointer, _ queue: OpaquePointer) throws -> Void,
        read: (_ event: OpaquePointer) throws -> Result
    ) throws -> Result {
        let handle = try handle
        let timeout = settings.requestTimeoutMilliseconds
        guard let options = rd_kafka_AdminOptions_new(handle.pointer, kind),
            let queue = rd_kafka_queue_new(handle.pointer)
        else { throw KafkaFault(RD_KAFKA_RESP_ERR__INVALID_ARG).error(doing) }
        defer {
            rd_kafka_queue_destroy(queue)
            rd_kafka_AdminOptions_destroy(options)
        }
        try withErrorText { text, size in
            var code = rd_kafka_AdminOptions_set_request_timeout(options, timeout, text, size)
            let isChange = [
                RD_KAFKA_ADMIN_OP_CREATETOPICS, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, RD_KAFKA_ADMIN_OP_DELETERECORDS,
            ].contains(kind)
            if code == RD_KAFKA_RESP_ERR_NO_ERROR, isChange {
                // How long the controller waits until every broker knows of it.
                code = rd_kafka_AdminOptions_set_operation_timeout(options, timeout, text, size)
            }
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaFault(code, text).error(doing) }
        }
        try submit(options, queue)
        // The request has its own timeout; the second one is for a library that would never answer.
        guard let event = rd_kafka_queue_poll(queue, timeout.addingReportingOverflow(5000).partialValue) else {
            throw KafkaFault(RD_KAFKA_RESP_ERR__TIMED_OUT).error(doing)
        }
        defer { rd_kafka_event_destroy(event) }
        let code = rd_kafka_event_error(event)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw explained(KafkaFault(code, rd_kafka_event_error_string(event))).error(doing)
        }
        return try read(event)
    }

    /// A timeout while no broker can be reached is the trouble of the connection.
    func explained(_ fault: KafkaFault) -> KafkaFault {
        guard fault.code == RD_KAFKA_RESP_ERR__TIMED_OUT || fault.code == RD_KAFKA_RESP_ERR__TRANSPORT,
            let handle = try? handle
        else { return fault }
        return handle.events.read { $0.allDownSince == nil ? nil : $0.lastTrouble } ?? fault
    }

    /// Throws the first error among the results that name a topic each.
    func throwTopicError(
        _ results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int, _ doing: String
    ) throws {
        guard let results else { return }
        for index in 0..<count {
            guard let result = results[index] else { continue }
            let code = rd_kafka_topic_result_error(result)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw KafkaFault(code, rd_kafka_topic_result_error_string(result)).error(doing)
            }
        }
    }
}
