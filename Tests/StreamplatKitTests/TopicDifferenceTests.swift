import Diagnostics
import Foundation
import PlatformModel
import PluginAPI
import Provisioning
import StreamplatKit
import Testing

/// What a plan says of topics that are there and not as the domain takes them.
@Suite("Topics that differ and are not changed")
struct TopicDifferenceTests {
    private static let domain = BadRecordTests.head + BadRecordTests.total
    private static let json = domain.replacingOccurrences(
        of: "  - name: purchase\n", with: "  - name: purchase\n    format: json\n")

    private func warnings(_ harness: RunHarness) throws -> [Diagnostic] {
        let system = try harness.open()
        defer { try? system.close() }
        let plan = try system.plan()
        #expect(!plan.diagnostics.hasErrors)
        return plan.diagnostics.items
    }

    @Test("a topic with JSON messages is not read as Avro without a warning, until its schema is registered")
    func jsonToAvro() throws {
        let harness = try RunHarness(domain: Self.json)
        try harness.apply()
        #expect(try warnings(harness).isEmpty)
        try harness.write(Self.domain)
        #expect(try warnings(harness).isEmpty, "an empty topic holds nothing of another format")
        try harness.write(Self.json)
        try harness.ingest([BadRecordTests.event(1)], as: "purchase")
        #expect(try warnings(harness).isEmpty)
        try harness.write(Self.domain)
        let found = try warnings(harness)
        #expect(found.map(\.code) == [.topicFormat])
        #expect(found.first?.severity == .warning)
        #expect(found.first?.location?.line == 4)
        #expect(found.first?.message.contains("events.purchase-value") == true)
        #expect(found.first?.hint?.contains("format: json") == true)
    }

    @Test("a topic with Avro messages is not read as JSON without a warning")
    func avroToJSON() throws {
        let harness = try RunHarness(domain: Self.domain)
        try harness.apply()
        try harness.ingest([BadRecordTests.event(1)], as: "purchase")
        #expect(try warnings(harness).isEmpty)
        try harness.write(Self.json)
        #expect(try warnings(harness).map(\.code) == [.topicFormat])
    }

    @Test("another number of copies is shown at its place and left alone", arguments: [1, 3])
    func replication(copies: Int) throws {
        let harness = try RunHarness(domain: Self.domain)
        try harness.apply()
        let system = try harness.open()
        defer { try? system.close() }
        let broker = Copies(system.broker, copies)
        let plan = try Provisioner(
            desired: DesiredState(domain: system.domain, topicPrefix: "events"), broker: broker,
            schemas: system.schemas, compatibility: system.project.platform.schemas.compatibility, sinks: [:]
        ).plan()
        #expect(plan.isEmpty)
        let found = plan.diagnostics.items
        #expect(found.map(\.code) == (copies == 1 ? [] : [.topicReplication, .topicReplication]))
        if copies == 3 {
            #expect(found.first?.severity == .warning)
            #expect(found.first?.message.contains("has 3 copies of each partition, the domain wants 1") == true)
        }
    }

    /// Says of every topic that it has so many copies.
    private final class Copies: Broker {
        private let inner: any Broker
        private let copies: Int

        init(_ inner: any Broker, _ copies: Int) {
            self.inner = inner
            self.copies = copies
        }

        func topics() throws -> [TopicDescription] {
            try inner.topics().map {
                TopicDescription(name: $0.name, partitions: $0.partitions, replication: copies, config: $0.config)
            }
        }
        func createTopic(_ name: String, partitions: Int, replication: Int, config: [String: String]) throws {}
        func alterTopic(_ name: String, partitions: Int?, config: [String: String]) throws {}
        func makeProducer() throws -> any BrokerProducer { try inner.makeProducer() }
        func makeReader(_ partition: TopicPartition, at offset: Int64) throws -> any PartitionReader {
            try inner.makeReader(partition, at: offset)
        }
        func offsets(_ partition: TopicPartition) throws -> (earliest: Int64, next: Int64) {
            try inner.offsets(partition)
        }
        func commit(group: String, offsets: [TopicPartition: Int64]) throws {}
        func committed(group: String) throws -> [TopicPartition: Int64] { [:] }
        func health() throws -> ComponentHealth { try inner.health() }
        func close() throws {}
    }
}
