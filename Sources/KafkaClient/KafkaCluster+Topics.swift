internal import CRdKafka
internal import Diagnostics
internal import Glibc

/// A topic as the cluster describes it.
public struct KafkaTopic: Hashable, Sendable {
    public var name: String
    public var partitions: Int
    /// Copies of the partition that has the fewest.
    public var replication: Int
    /// What is set on the topic itself; what it takes from the broker's defaults is not among it.
    public var config: [String: String]
}

extension KafkaCluster {
    /// Every topic that the user may see, but for Kafka's own (`__consumer_offsets`), with what is set on it.
    public func topics() throws -> [KafkaTopic] {
        let sizes = try topicSizes()
        let names = sizes.keys.sorted()
        var configs: [String: [String: String]] = [:]
        // A request that names all topics of a large cluster would be answered by one huge message.
        for start in stride(from: 0, to: names.count, by: 200) {
            configs.merge(try describe(Array(names[start..<min(start + 200, names.count)])), uniquingKeysWith: { $1 })
        }
        return names.map { name in
            let size = sizes[name]
            return KafkaTopic(
                name: name, partitions: size?.partitions ?? 0, replication: size?.replication ?? 0,
                config: configs[name] ?? [:])
        }
    }

    /// The number of partitions of a topic; nil when there is no such topic. Never creates it.
    public func partitionCount(_ topic: String) throws -> Int? {
        let handle = try handle
        let doing = "looking up topic \(topic)"
        guard let object = rd_kafka_topic_new(handle.pointer, topic, nil) else {
            throw KafkaFault(rd_kafka_last_error()).error(doing)
        }
        defer { rd_kafka_topic_destroy(object) }
        return try metadata(of: object, doing) { metadata in
            guard metadata.topic_cnt > 0, let found = metadata.topics?.pointee else { return nil }
            switch found.err {
            case RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE: return Int(found.partition_cnt)
            case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC: return nil
            default: throw KafkaFault(found.err).error(doing)
            }
        }
    }

    /// How many brokers the cluster has, and how many topics the user may see.
    public func size() throws -> (brokers: Int, topics: Int) {
        let brokers = try metadata(of: nil, "asking for the brokers") { Int($0.broker_cnt) }
        return (brokers, try topicSizes().count)
    }

    /// Returns when every partition of the new topic has a leader.
    ///
    /// `replication` 0 or less = the broker's default (Kafka 2.4 and newer).
    public func createTopic(
        _ name: String, partitions: Int, replication: Int, config: [String: String]
    ) throws {
        let doing = "creating topic \(name)"
        let topic = try withErrorText { text, size in
            guard
                let topic = rd_kafka_NewTopic_new(
                    name, Int32(clamping: partitions), replication > 0 ? Int32(clamping: replication) : -1, text, size)
            else { throw KafkaFault(RD_KAFKA_RESP_ERR_INVALID_CONFIG, text).error(doing) }
            return topic
        }
        defer { rd_kafka_NewTopic_destroy(topic) }
        for (key, value) in config.sorted(by: { $0.key < $1.key }) {
            let code = rd_kafka_NewTopic_set_config(topic, key, value)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaFault(code).error("\(doing): \(key)") }
        }
        try admin(RD_KAFKA_ADMIN_OP_CREATETOPICS, doing) { options, queue in
            var list: OpaquePointer? = topic
            rd_kafka_CreateTopics(try handle.pointer, &list, 1, options, queue)
        } read: { event in
            var count = 0
            try throwTopicError(
                rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count), count, doing)
        }
        try waitForPartitions(partitions, of: name)
    }

    /// Raises the number of partitions to `total`.
    public func addPartitions(_ topic: String, total: Int) throws {
        let doing = "adding partitions to topic \(topic)"
        let request = try withErrorText { text, size in
            guard let request = rd_kafka_NewPartitions_new(topic, total, text, size) else {
                throw KafkaFault(RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, text).error(doing)
            }
            return request
        }
        defer { rd_kafka_NewPartitions_destroy(request) }
        try admin(RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, doing) { options, queue in
            var list: OpaquePointer? = request
            rd_kafka_CreatePartitions(try handle.pointer, &list, 1, options, queue)
        } read: { event in
            var count = 0
            try throwTopicError(
                rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), &count), count,
                doing)
        }
        try waitForPartitions(total, of: topic)
    }

    /// Sets configuration keys of a topic and keeps those that are set already.
    ///
    /// librdkafka 2.0 can only replace a topic's configuration as a whole, so what is set is read first and sent again; a
    /// key that somebody else sets in between is lost. (`rd_kafka_IncrementalAlterConfigs` came with 2.2.)
    public func setConfig(_ topic: String, _ config: [String: String]) throws {
        let doing = "changing the configuration of topic \(topic)"
        guard let present = try describe([topic])[topic] else {
            throw PipelineError(
                .kafkaAuthorization, "\(doing): what is set cannot be read, so it could not be kept",
                hint: "the user needs the right DescribeConfigs on the topic", component: "kafka")
        }
        guard let resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic) else {
            throw KafkaFault(RD_KAFKA_RESP_ERR__INVALID_ARG).error(doing)
        }
        defer { rd_kafka_ConfigResource_destroy(resource) }
        for (key, value) in present.merging(config, uniquingKeysWith: { $1 }).sorted(by: { $0.key < $1.key }) {
            let code = rd_kafka_ConfigResource_set_config(resource, key, value)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaFault(code).error("\(doing): \(key)") }
        }
        try admin(RD_KAFKA_ADMIN_OP_ALTERCONFIGS, doing) { options, queue in
            var list: OpaquePointer? = resource
            rd_kafka_AlterConfigs(try handle.pointer, &list, 1, options, queue)
        } read: { event in
            var count = 0
            guard
                let results = rd_kafka_AlterConfigs_result_resources(
                    rd_kafka_event_AlterConfigs_result(event), &count)
            else { return }
            for index in 0..<count {
                guard let result = results[index] else { continue }
                let code = rd_kafka_ConfigResource_error(result)
                guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                    throw KafkaFault(code, rd_kafka_ConfigResource_error_string(result)).error(doing)
                }
            }
        }
    }

    // MARK: Descriptions.

    /// What is set on each of the topics itself. A topic whose configuration may not be read is missing.
    func describe(_ topics: [String]) throws -> [String: [String: String]] {
        guard !topics.isEmpty else { return [:] }
        let doing = "reading the configuration of topics"
        var resources = topics.map { rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, $0) }
        defer { for case let resource? in resources { rd_kafka_ConfigResource_destroy(resource) } }
        return try admin(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, doing) { options, queue in
            rd_kafka_DescribeConfigs(try handle.pointer, &resources, resources.count, options, queue)
        } read: { event in
            var described: [String: [String: String]] = [:]
            var count = 0
            let results = rd_kafka_DescribeConfigs_result_resources(
                rd_kafka_event_DescribeConfigs_result(event), &count)
            for index in 0..<count {
                guard let result = results?[index] else { continue }
                let name = String(cString: rd_kafka_ConfigResource_name(result))
                let code = rd_kafka_ConfigResource_error(result)
                switch code {
                case RD_KAFKA_RESP_ERR_NO_ERROR: described[name] = entries(of: result)
                case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
                    notices.say("the configuration of topic \(name) may not be read", topic: "describe")
                // Deleted since it was listed.
                case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: continue
                default: throw KafkaFault(code, rd_kafka_ConfigResource_error_string(result)).error(doing)
                }
            }
            return described
        }
    }

    private func entries(of resource: OpaquePointer) -> [String: String] {
        var count = 0
        guard let entries = rd_kafka_ConfigResource_configs(resource, &count) else { return [:] }
        var config: [String: String] = [:]
        for index in 0..<count {
            guard let entry = entries[index],
                rd_kafka_ConfigEntry_source(entry) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG,
                let value = rd_kafka_ConfigEntry_value(entry)
            else { continue }
            config[String(cString: rd_kafka_ConfigEntry_name(entry))] = String(cString: value)
        }
        return config
    }

    func topicSizes() throws -> [String: (partitions: Int, replication: Int)] {
        try metadata(of: nil, "asking for the topics") { metadata in
            var sizes: [String: (partitions: Int, replication: Int)] = [:]
            for index in 0..<Int(metadata.topic_cnt) {
                guard let topic = metadata.topics?[index], let name = topic.topic else { continue }
                let text = String(cString: name)
                guard !text.hasPrefix("__"), topic.err == RD_KAFKA_RESP_ERR_NO_ERROR || topic.partition_cnt > 0 else {
                    continue
                }
                let copies = (0..<Int(topic.partition_cnt)).map { Int(topic.partitions?[$0].replica_cnt ?? 0) }
                sizes[text] = (Int(topic.partition_cnt), copies.min() ?? 0)
            }
            return sizes
        }
    }

    /// A change of topics is known to the controller first; the rest of the cluster follows.
    private func waitForPartitions(_ count: Int, of topic: String) throws {
        let deadline = ContinuousClock.now + .milliseconds(settings.requestTimeoutMilliseconds)
        let handle = try handle
        let doing = "waiting for the partitions of topic \(topic)"
        guard let object = rd_kafka_topic_new(handle.pointer, topic, nil) else {
            throw KafkaFault(rd_kafka_last_error()).error(doing)
        }
        defer { rd_kafka_topic_destroy(object) }
        while true {
            let isReady = try metadata(of: object, doing) { metadata in
                guard metadata.topic_cnt > 0, let found = metadata.topics?.pointee else { return false }
                return Int(found.partition_cnt) >= count
                    && (0..<Int(found.partition_cnt)).allSatisfy { (found.partitions?[$0].leader ?? -1) >= 0 }
            }
            if isReady { return }
            guard ContinuousClock.now < deadline else {
                throw KafkaFault(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE).error(doing)
            }
            usleep(50_000)
        }
    }

    /// Metadata of all topics, or of one.
    private func metadata<Result>(
        of topic: OpaquePointer?, _ doing: String, _ read: (rd_kafka_metadata) throws -> Result
    ) throws -> Result {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = rd_kafka_metadata(
            try handle.pointer, topic == nil ? 1 : 0, topic, &metadata, settings.requestTimeoutMilliseconds)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { throw explained(KafkaFault(code)).error(doing) }
        defer { rd_kafka_metadata_destroy(metadata) }
        return try read(metadata.pointee)
    }
}
