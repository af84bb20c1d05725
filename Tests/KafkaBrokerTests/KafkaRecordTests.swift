import DataPath
import Diagnostics
import Foundation
import PluginAPI
import TestServers
import Testing

extension KafkaSuites {
    @Suite("Records")
    struct Records {
        @Test("keys, headers, timestamps, nulls and empty values come back as they were written")
        func roundTrip() throws {
            try KafkaSuites.withBroker { broker, _ in
                let topic = KafkaSuites.topic()
                try broker.createTopic(topic, partitions: 1)
                let records = [
                    TestRecord("k", "v"), TestRecord(nil, "no key"), TestRecord("tombstone", nil),
                    TestRecord("", "empty key"), TestRecord("empty value", ""),
                    TestRecord("ключ", "значение 🎈", timestamp: 1, headers: ["a=1", "a=2", "b="]),
                    TestRecord("later", String(repeating: "x", count: 300_000), timestamp: 4_000_000_000_000),
                ]
                try broker.write(records, to: topic)
                let read = try broker.readToEnd(topic)
                #expect(read.map(\.record) == records)
                #expect(read.map(\.offset) == Array(0..<Int64(records.count)))
                let (earliest, next) = try broker.offsets(TopicPartition(topic: topic, partition: 0))
                #expect(earliest == 0 && next == Int64(records.count))
            }
        }

        /// The vectors are those of Kafka's own UtilsTest.testMurmur2.
        @Test(
            "a key goes where Java's partitioner sends it, and where the embedded log does",
            arguments: [
                ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
                ("a-little-bit-longer-string", -1_486_304_829),
                ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
            ])
        func partitions(key: String, hash: Int) throws {
            try KafkaSuites.withBroker { broker, _ in
                let topic = KafkaSuites.topic()
                try broker.createTopic(topic, partitions: 7)
                try broker.write([TestRecord(key, "v")], to: topic)
                let expected = (hash & 0x7FFF_FFFF) % 7
                #expect(Array(key.utf8).withUnsafeBytes { kafkaPartition(ofKey: $0, partitions: 7) } == expected)
                for partition in 0..<7 {
                    #expect(
                        try broker.offsets(TopicPartition(topic: topic, partition: partition)).next
                            == (partition == expected ? 1 : 0))
                }
            }
        }

        @Test("records that are sent to a partition go there, whatever their keys")
        func toPartition() throws {
            try KafkaSuites.withBroker { broker, _ in
                let topic = KafkaSuites.topic()
                try broker.createTopic(topic, partitions: 3)
                let block = RecordBlock()
                for key in ["21", "foobar", "abc"] {
                    Array(key.utf8).withUnsafeBytes { block.append(key: $0, value: $0, timestamp: 7) }
                }
                let producer = try broker.makeProducer()
                try producer.send(block, to: TopicPartition(topic: topic, partition: 2))
                try producer.flush()
                let ends = try (0..<3).map { try broker.offsets(TopicPartition(topic: topic, partition: $0)).next }
                #expect(ends == [0, 0, 3])
                try producer.close()
            }
        }

        @Test("100,000 records arrive once each and in order, in blocks that are used again")
        func manyInOrder() throws {
            try KafkaSuites.withBroker { broker, _ in
                let topic = KafkaSuites.topic()
                try broker.createTopic(topic, partitions: 4)
                let producer = try broker.makeProducer()
                let block = RecordBlock()
                for start in stride(from: 0, to: 100_000, by: 1000) {
                    block.removeAll()
                    for number in start..<start + 1000 { block.append(TestRecord("key \(number % 97)", "\(number)")) }
                    try producer.send(block, to: topic)
                }
                try producer.close()
                var seen = Set<Int>()
                for partition in 0..<4 {
                    var last: [[UInt8]: Int] = [:]
                    for (_, record) in try broker.readToEnd(topic, partition) {
                        let number = try #require(Int(String(decoding: record.value ?? [], as: UTF8.self)))
                        let key = try #require(record.key)
                        #expect(number > last[key] ?? -1)
                        last[key] = number
                        seen.insert(number)
                    }
                }
                #expect(seen.count == 100_000)
            }
        }

        @Test("the end is not reported before what lay in the partition was read, also while another writes")
        func endUnderLoad() throws {
            try KafkaSuites.withBroker { broker, _ in
                let topic = KafkaSuites.topic()
                let partition = TopicPartition(topic: topic, partition: 0)
                try broker.createTopic(topic, partitions: 1)
                try broker.write((0..<5000).map { TestRecord(nil, "\($0)") }, to: topic)
                let writer = Thread {
                    guard let producer = try? broker.makeProducer() else { return }
                    let block = RecordBlock()
                    for number in 5000..<8000 {
                        block.removeAll()
                        block.append(TestRecord(nil, "\(number)"))
                        guard (try? producer.send(block, to: topic)) != nil else { return }
                        if number % 100 == 0 { _ = try? producer.flush() }
                    }
                    try? producer.close()
                }
                writer.start()
                // Several readers begin at different moments; each must first read what was there.
                for _ in 0..<5 {
                    let before = try broker.offsets(partition).next
                    let read = try broker.readToEnd(topic)
                    #expect(Int64(read.count) >= before)
                    #expect(read.map(\.offset) == Array(0..<Int64(read.count)))
                }
                while !writer.isFinished { usleep(1000) }
                #expect(try broker.readToEnd(topic).count == 8000)
            }
        }

        @Test("a reader that reached the end goes on when more comes, and says how far the end is")
        func afterTheEnd() throws {
            try KafkaSuites.withBroker { broker, _ in
                let topic = KafkaSuites.topic()
                try broker.createTopic(topic, partitions: 1)
                let reader = try broker.makeReader(TopicPartition(topic: topic, partition: 0), at: 0)
                let block = RecordBlock()
                func next() throws -> FetchResult {
                    for _ in 0..<5000 {
                        let result = try reader.fetch(into: block, maxBytes: 1 << 20)
                        if result != .nothingYet { return result }
                        usleep(1000)
                    }
                    return .nothingYet
                }
                #expect(try next() == .endOfPartition)
                try broker.write([TestRecord("a", "1"), TestRecord("b", "2")], to: topic)
                var read = 0
                for _ in 0..<5000 where read < 2 {
                    if try reader.fetch(into: block, maxBytes: 1 << 20) == .records { read += block.count }
                    usleep(1000)
                }
                #expect(read == 2)
                #expect(reader.position == 2)
                #expect(try reader.knownEnd == 2)
                #expect(try next() == .endOfPartition)
                try reader.close()
            }
        }

        @Test("one partition can be read twice at a time")
        func twoReaders() throws {
            try KafkaSuites.withBroker { broker, _ in
                let topic = KafkaSuites.topic()
                try broker.createTopic(topic, partitions: 1)
                try broker.write([TestRecord("a", "1")], to: topic)
                let first = try broker.makeReader(TopicPartition(topic: topic, partition: 0), at: 0)
                #expect(try broker.readToEnd(topic).count == 1)
                try first.close()
                #expect(try broker.readToEnd(topic).count == 1)
            }
        }

        @Test("an offset outside the partition is the broker's error, with the ends")
        func outOfRange() throws {
            try KafkaSuites.withBroker { broker, _ in
                let topic = KafkaSuites.topic()
                try broker.createTopic(topic, partitions: 1)
                try broker.write([TestRecord("a", "1")], to: topic)
                let reader = try broker.makeReader(TopicPartition(topic: topic, partition: 0), at: 9)
                let block = RecordBlock()
                let end = Date(timeIntervalSinceNow: 10)
                let error = #expect(throws: OffsetOutOfRangeError.self) {
                    while Date() < end, try reader.fetch(into: block, maxBytes: 1 << 20) == .nothingYet { usleep(1000) }
                }
                #expect(error?.position == 9 && error?.earliest == 0 && error?.next == 1)
                try reader.close()
            }
        }

        @Test("a record larger than librdkafka is set to take is refused at once, and the producer goes on")
        func tooLarge() throws {
            try KafkaSuites.withBroker { broker, _ in
                let topic = KafkaSuites.topic()
                try broker.createTopic(topic, partitions: 1)
                let error = #expect(throws: PipelineError.self) {
                    try broker.write([TestRecord("a", String(repeating: "x", count: 1_100_000))], to: topic)
                }
                #expect(error?.code == .kafkaRecordTooLarge)
                #expect(error?.hint?.contains("message.max.bytes") == true)
            }
        }

        @Test("a topic that is not there is said and not created")
        func unknownTopic() throws {
            try KafkaSuites.withBroker { broker, _ in
                let topic = KafkaSuites.topic("missing")
                let error = #expect(throws: PipelineError.self) { try broker.write([TestRecord("a", "b")], to: topic) }
                #expect(error?.code == .unknownTopic)
                let names = try broker.topics().map(\.name)
                #expect(!names.contains(topic))
            }
        }
    }
}
