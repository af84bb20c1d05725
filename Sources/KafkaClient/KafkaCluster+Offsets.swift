internal import CRdKafka
internal import Diagnostics

extension KafkaCluster {
    /// The first offset that can be read, and the one behind the last that a reader of the isolation may see.
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

    /// Writes a group's offsets without being a member of it.
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
        guard let request = rd_kafka_AlterConsumerGroupOffsets_new(group, list) else {
            throw KafkaFault(RD_KAFKA_RESP_ERR__INVALID_ARG).error(doing)
        }
        defer { rd_kafka_AlterConsumerGroupOffsets_destroy(request) }
        try admin(RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, doing) { options, queue in
            var requests: OpaquePointer? = request
            rd_kafka_AlterConsumerGroupOffsets(try handle.pointer, &requests, 1, options, queue)
        } read: { event in
            var count = 0
            let results = rd_kafka_AlterConsumerGroupOffsets_result_groups(
                rd_kafka_event_AlterConsumerGroupOffsets_result(event), &count)
            try forEachPartition(results, count, doing) { _, _ in }
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
