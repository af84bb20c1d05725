import ConfigTree
import DataPath
import Diagnostics
import EmbeddedBroker
import Foundation
import PluginAPI
import Testing

@Suite("Broker plugin embedded")
struct EmbeddedBrokerTests {
    private func withBroker(_ body: (any Broker) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("embedded-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        var diagnostics = Diagnostics()
        let options = EmbeddedBroker.spec.parse(
            nil, path: "broker.embedded", at: SourceLocation(file: "platform.yaml", line: 1, column: 1),
            into: &diagnostics)
        #expect(diagnostics.items.isEmpty)
        let broker = try EmbeddedBroker().open(options, PluginContext(projectRoot: root) { _ in })
        #expect(FileManager.default.fileExists(atPath: "\(root)/.streamplat/log/format.json"))
        try body(broker)
        try broker.close()
    }

    @Test("what it cannot do of a topic is found without opening anything, with its place")
    func topicIsJudged() {
        let place = SourceLocation(file: "d.yaml", line: 3, column: 5)
        var diagnostics = Diagnostics()
        EmbeddedBroker().validateTopic(
            TopicRequest(
                name: .init("t", at: nil), partitions: .init(1, at: nil), replication: .init(3, at: place),
                config: ["retension.ms": .init("5", at: place), "segment.bytes": .init("12", at: place)]),
            into: &diagnostics)
        #expect(diagnostics.items.map(\.code) == [.brokerRefusesTopic, .brokerRefusesTopic, .brokerRefusesTopic])
        #expect(diagnostics.items.allSatisfy { $0.location == place })
        #expect(diagnostics.items.contains { $0.hint == "did you mean 'retention.ms'?" })
    }

    @Test("with default options it opens, takes records and gives them back")
    func roundTrip() throws {
        try withBroker { broker in
            try broker.createTopic("t", partitions: 1, replication: 1, config: [:])
            let block = RecordBlock()
            Array("hello".utf8).withUnsafeBytes { block.append(key: nil, value: $0, timestamp: 5) }
            let producer = try broker.makeProducer()
            try producer.send(block, to: "t")
            try producer.close()
            let partition = TopicPartition(topic: "t", partition: 0)
            let reader = try broker.makeReader(partition, at: 0)
            let read = RecordBlock()
            guard case .records = try reader.fetch(into: read, maxBytes: 1 << 20) else {
                Issue.record("nothing was read")
                return
            }
            #expect(read.entries.map(\.timestamp) == [5])
            #expect(read.value(read.entries[0]).map { Array($0) } == Array("hello".utf8))
            #expect(reader.position == 1)
            guard case .endOfPartition = try reader.fetch(into: read, maxBytes: 1 << 20) else {
                Issue.record("more was read than written")
                return
            }
            try broker.commit(group: "g", offsets: [partition: 1])
            #expect(try broker.committed(group: "g") == [partition: 1])
            #expect(try broker.offsets(partition) == (0, 1))
        }
    }

    @Test("a position behind the end is the broker's error, with the ends")
    func outOfRange() throws {
        try withBroker { broker in
            try broker.createTopic("t", partitions: 1, replication: 1, config: [:])
            let partition = TopicPartition(topic: "t", partition: 0)
            let error = #expect(throws: OffsetOutOfRangeError.self) { _ = try broker.makeReader(partition, at: 9) }
            #expect(error?.earliest == 0 && error?.next == 0)
        }
    }

    @Test("a closed broker says so")
    func closed() throws {
        try withBroker { broker in
            try broker.close()
            let error = #expect(throws: PipelineError.self) { _ = try broker.topics() }
            #expect(error?.code == .logClosed)
        }
    }
}
