internal import CRdKafka
internal import Diagnostics

extension KafkaCluster {
    /// Deletes the records of a topic that lie before the given offsets, by partition: `[0: 42]` keeps those from 42 on.
    ///
    /// Kafka refuses it (``DiagnosticCode/invalidTopicConfig``) on a topic that is only compacted.
    public func deleteRecords(_ topic: String, before offsets: [Int32: Int64]) throws {
        guard !offsets.isEmpty else { return }
        let doing = "deleting the records of topic \(topic)"
        guard let list = rd_kafka_topic_partition_list_new(Int32(clamping: offsets.count)) else {
            throw KafkaFault(RD_KAFKA_RESP_ERR__INVALID_ARG).error(doing)
        }
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for (partition, offset) in offsets.sorted(by: { $0.key < $1.key }) {
            rd_kafka_topic_partition_list_add(list, topic, partition)?.pointee.offset = offset
        }
        guard let request = rd_kafka_DeleteRecords_new(list) else {
            throw KafkaFault(RD_KAFKA_RESP_ERR__INVALID_ARG).error(doing)
        }
        defer { rd_kafka_DeleteRecords_destroy(request) }
        try admin(RD_KAFKA_ADMIN_OP_DELETERECORDS, doing) { options, queue in
            var requests: OpaquePointer? = request
            rd_kafka_DeleteRecords(try handle.pointer, &requests, 1, options, queue)
        } read: { event in
            guard let results = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event)) else {
                return
            }
            for index in 0..<Int(results.pointee.cnt) {
                let element = results.pointee.elems[index]
                guard element.err != RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
                throw KafkaFault(element.err).error("\(doing), partition \(element.partition)")
            }
        }
    }

    /// What is set on a topic itself; nil when it may not be read.
    public func config(of topic: String) throws -> [String: String]? { try describe([topic])[topic] }

    /// The names of the topics that the user may see and that begin with `prefix`, sorted.
    public func topicNames(prefix: String) throws -> [String] {
        try topicSizes().keys.filter { $0.hasPrefix(prefix) }.sorted()
    }
}
