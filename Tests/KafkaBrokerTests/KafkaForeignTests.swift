import Foundation
import PluginAPI
import TestServers
import Testing

extension KafkaSuites {
    @Suite("Other people's clients")
    struct Foreign {
        private struct Line: Decodable {
            var partition: Int
            var offset: Int64
            var key: String?
            var value: String?
            var timestamp: Int64
            var headers: [String]
        }

        @Test("confluent-kafka reads what we write")
        func theyRead() throws {
            try KafkaSuites.withBroker { broker, server in
                let topic = KafkaSuites.topic()
                try broker.createTopic(topic, partitions: 3)
                let records = (0..<300).map { (number: Int) -> TestRecord in
                    let value: String? = number % 7 == 0 ? nil : "value \(number)"
                    let headers: [String] = number % 2 == 0 ? ["n=\(number)"] : []
                    return TestRecord(
                        "key \(number)", value, timestamp: 1_650_000_000_000 + Int64(number), headers: headers)
                }
                try broker.write(records, to: topic)
                let lines = try JSONDecoder().decode(
                    [Line].self, from: Data(server.python(KafkaServer.topicScript, ["read", topic]).utf8))
                let read = lines.map { TestRecord($0.key, $0.value, timestamp: $0.timestamp, headers: $0.headers) }
                #expect(Set(read) == Set(records))
                #expect(read.count == records.count)
            }
        }

        @Test("we read what confluent-kafka writes, from the partitions that our partitioner names")
        func theyWrite() throws {
            try KafkaSuites.withBroker { broker, server in
                let topic = KafkaSuites.topic()
                try broker.createTopic(topic, partitions: 3)
                let placed = try JSONDecoder().decode(
                    [String: Int].self,
                    from: Data(server.python(KafkaServer.topicScript, ["write", topic, "300"]).utf8))
                #expect(placed.count == 300)
                var read: [String: TestRecord] = [:]
                for partition in 0..<3 {
                    for (_, record) in try broker.readToEnd(topic, partition) {
                        let key = String(decoding: record.key ?? [], as: UTF8.self)
                        #expect(placed[key] == partition)
                        read[key] = record
                    }
                }
                for number in 0..<300 {
                    let value: String? = number % 10 == 9 ? nil : "value \(number)"
                    let expected = TestRecord(
                        "key \(number)", value, timestamp: 1_600_000_000_000 + Int64(number),
                        headers: ["number=\(number)", "empty="])
                    #expect(read["key \(number)"] == expected)
                }
                // The same keys, written by us, land in the same partitions.
                let ours = KafkaSuites.topic()
                try broker.createTopic(ours, partitions: 3)
                try broker.write((0..<300).map { TestRecord("key \($0)", "") }, to: ours)
                for partition in 0..<3 {
                    let keys = try broker.readToEnd(ours, partition).map {
                        String(decoding: $0.record.key ?? [], as: UTF8.self)
                    }
                    #expect(Set(keys) == Set(placed.filter { $0.value == partition }.keys))
                }
            }
        }
    }
}
