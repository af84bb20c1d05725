import DataPath
import Diagnostics
import Foundation
import PluginAPI
import TestServers
import Testing

extension KafkaSuites {
    @Suite("Topics and groups")
    struct Topics {
        private func description(_ broker: any Broker, _ topic: String) throws -> TopicDescription? {
            try broker.topics().first { $0.name == topic }
        }

        @Test(
            "a new topic has the partitions and the configuration that were asked for, and keeps the time of appending")
        func create() throws {
            try KafkaSuites.withBroker { broker, _ in
                let topic = KafkaSuites.topic()
                let config = ["retention.ms": "123456789", "cleanup.policy": "compact"]
                try broker.createTopic(topic, partitions: 3, replication: 1, config: config)
                let expected = config.merging(["message.timestamp.type": "LogAppendTime"]) { $1 }
                #expect(
                    try description(broker, topic)
                        == TopicDescription(name: topic, partitions: 3, replication: 1, config: expected))
            }
        }

        @Test("records of long ago are not deleted by retention as soon as they are written")
        func oldRecords() throws {
            try KafkaSuites.withBroker { broker, _ in
                let topic = KafkaSuites.topic()
                try broker.createTopic(topic, partitions: 1, replication: 1, config: ["retention.ms": "3600000"])
                let producer = try broker.makeProducer()
                let block = RecordBlock()
                Array("old".utf8).withUnsafeBytes { block.append(key: nil, value: $0, timestamp: 1_000_000_000_000) }
                try producer.send(block, to: topic)
                try producer.flush()
                try producer.close()
                // noida-db looks at retention when a topic is read.
                usleep(1_500_000)
                #expect(try broker.offsets(TopicPartition(topic: topic, partition: 0)) == (0, 1))
            }
        }

        @Test("altering adds partitions, sets keys, and keeps what somebody else has set")
        func alter() throws {
            try KafkaSuites.withBroker { broker, server in
                let topic = KafkaSuites.topic()
                try broker.createTopic(topic, partitions: 2, replication: 1, config: ["retention.ms": "1000"])
                try server.python(KafkaServer.topicScript, ["set-config", topic, "max.message.bytes", "222222"])
                try broker.alterTopic(topic, partitions: 5, config: ["retention.ms": "2000"])
                let expected = [
                    "retention.ms": "2000", "max.message.bytes": "222222", "message.timestamp.type": "LogAppendTime",
                ]
                #expect(
                    try description(broker, topic)
                        == TopicDescription(name: topic, partitions: 5, replication: 1, config: expected))
                // A second time changes nothing.
                try broker.alterTopic(topic, partitions: 5, config: ["retention.ms": "2000"])
                #expect(
                    try description(broker, topic)
                        == TopicDescription(name: topic, partitions: 5, replication: 1, config: expected))
            }
        }

        @Test("a topic that is there already is not touched")
        func exists() throws {
            try KafkaSuites.withBroker { broker, _ in
                let topic = KafkaSuites.topic()
                try broker.createTopic(topic, partitions: 2, replication: 1, config: [:])
                let error = #expect(throws: PipelineError.self) {
                    try broker.createTopic(topic, partitions: 9, replication: 1, config: [:])
                }
                #expect(error?.code == .topicExists)
                #expect(try description(broker, topic)?.partitions == 2)
            }
        }

        @Test("what the broker refuses is said with its words")
        func refused() throws {
            try KafkaSuites.withBroker { broker, _ in
                let error = #expect(throws: PipelineError.self) {
                    try broker.createTopic("no spaces here", partitions: 1, replication: 1, config: [:])
                }
                #expect(error?.code == .invalidTopicName)
                let missing = #expect(throws: PipelineError.self) {
                    try broker.alterTopic(KafkaSuites.topic("missing"), partitions: 3, config: [:])
                }
                #expect(missing?.code == .unknownTopic)
            }
        }

        @Test("group offsets are kept, each group's own")
        func groups() throws {
            try KafkaSuites.withBroker { broker, _ in
                let topic = KafkaSuites.topic()
                let group = KafkaSuites.topic("group")
                try broker.createTopic(topic, partitions: 2, replication: 1, config: [:])
                #expect(try broker.committed(group: group) == [:])
                let zero = TopicPartition(topic: topic, partition: 0)
                let one = TopicPartition(topic: topic, partition: 1)
                try broker.commit(group: group, offsets: [zero: 5, one: 7])
                try broker.commit(group: group, offsets: [zero: 6])
                #expect(try broker.committed(group: group) == [zero: 6, one: 7])
                #expect(try broker.committed(group: KafkaSuites.topic("group")) == [:])
            }
        }

        @Test("health says what answered")
        func health() throws {
            try KafkaSuites.withBroker { broker, _ in
                let health = try broker.health()
                #expect(health.version.hasPrefix("Kafka (librdkafka "))
                #expect(health.detail?.hasPrefix("1 broker, ") == true)
            }
        }

        @Test("a closed broker says so")
        func closed() throws {
            try KafkaSuites.withBroker { broker, _ in
                try broker.close()
                let error = #expect(throws: PipelineError.self) { _ = try broker.topics() }
                #expect(error?.code == .kafkaClosed)
            }
        }
    }
}
