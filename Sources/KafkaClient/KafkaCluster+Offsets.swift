internal import CRdKafka
internal import Diagnostics

extension KafkaCluster {
    /// The first offset that can be read, and the one behind the last that a reader of the isolation may see.
    ///
    /// A broker that takes the request and does not answer is waited for up to librdkafka's `socket.timeout.ms`.
    public func offsets(_ partition: KafkaPartition) throws -> (earliest: Int64, next: Int64) {
        var earliest: Int64 = 0
        var next: Int64 = 0
        let code = rd_kafka_query_watermark_offsets(
            try handle.pointer, partition.topic, partition.number, &earliest, &next,
            settings.requestTimeoutMilliseconds)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw explained(KafkaFault(code)).error(
                "asking for the offsets of topic \(partition.topic), partition \(partition.number)")
        }
        return (earliest, next)
    }

    /// Writes a group's offsets without being a member of it. Waits for two seconds at most.
    public func commit(group: String, offsets: [KafkaPartition: Int64]) throws {
        guard !offsets.isEmpty else { return }
        let doing = "committing offsets of group \(group)"
        guard let list = rd_kafka_topic_partition_list_new(Int32(clamping: offsets.count)) else {
            throw KafkaFault(RD_KAFKA_RESP_ERR__INVALID_ARG).error(doing)
        }
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for (partition, offset) in offsets {
            rd_kafka_topic_partition_list_add(list, partition.topic, partition.number)?.pointee.offset = offset
        }
        // Without a broker it would be waited for in vain.
        if let trouble = try handle.events.read({ $0.allDownSince == nil ? nil : $0.lastTrouble }) {
            throw trouble.error(doing)
        }
        // Not the Admin API: librdkafka 2.0.2 ends the process when the connection to the coordinator is lost during its
        // request (an assertion in rd_kafka_enq_once_del_source_return).
        let committer = try committer(of: group)
        guard let queue = rd_kafka_queue_new(committer.pointer) else {
            throw KafkaFault(RD_KAFKA_RESP_ERR__INVALID_ARG).error(doing)
        }
        defer { rd_kafka_queue_destroy(queue) }
        let code = rd_kafka_commit_queue(committer.pointer, list, queue, nil, nil)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaFault(code).error(doing) }
        // A checkpoint waits meanwhile, and these offsets only inform.
        guard let event = rd_kafka_queue_poll(queue, min(settings.requestTimeoutMilliseconds, 2000)) else {
            throw explained(KafkaFault(RD_KAFKA_RESP_ERR__TIMED_OUT)).error(doing)
        }
        defer { rd_kafka_event_destroy(event) }
        let result = rd_kafka_event_error(event)
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw explained(KafkaFault(result, rd_kafka_event_error_string(event))).error(doing)
        }
        guard let committed = rd_kafka_event_topic_partition_list(event) else { return }
        for position in 0..<Int(committed.pointee.cnt) {
            let element = committed.pointee.elems[position]
            guard element.err != RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
            throw KafkaFault(element.err).error(
                "\(doing), topic \(String(cString: element.topic)), partition \(element.partition)")
        }
    }

    /// The offsets that a group has committed; empty when it never did.
    public func committed(group: String) throws -> [KafkaPartition: Int64] {
        let doing = "reading the offsets of group \(group)"
        guard let request = rd_kafka_ListConsumerGroupOffsets_new(group, nil) else {
            throw KafkaFault(RD_KAFKA_RESP_ERR__INVALID_ARG).error(doing)
        }
        defer { rd_kafka_ListConsumerGroupOffsets_destroy(request) }
        return try admin(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, doing) { options, queue in
            var requests: OpaquePointer? = request
            rd_kafka_ListConsumerGroupOffsets(try handle.pointer, &requests, 1, options, queue)
        } read: { event in
            var offsets: [KafkaPartition: Int64] = [:]
            var count = 0
            let results = rd_kafka_ListConsumerGroupOffsets_result_groups(
                rd_kafka_event_ListConsumerGroupOffsets_result(event), &count)
            try forEachPartition(results, count, doing) { partition, offset in
                if offset >= 0 { offsets[partition] = offset }
            }
            return offsets
        }
    }

    /// Gives every partition of the groups' results to `body`; throws the first error among them.
    private func forEachPartition(
        _ groups: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int, _ doing: String,
        _ body: (KafkaPartition, Int64) -> Void
    ) throws {
        for index in 0..<count {
            guard let group = groups?[index] else { continue }
            if let error = rd_kafka_group_result_error(group) {
                throw KafkaFault(rd_kafka_error_code(error), rd_kafka_error_string(error)).error(doing)
            }
            guard let list = rd_kafka_group_result_partitions(group) else { continue }
            for position in 0..<Int(list.pointee.cnt) {
                let element = list.pointee.elems[position]
                let partition = KafkaPartition(topic: String(cString: element.topic), number: element.partition)
                guard element.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                    throw KafkaFault(element.err).error(
                        "\(doing), topic \(partition.topic), partition \(partition.number)")
                }
                body(partition, element.offset)
            }
        }
    }
}
