import CRdKafka
import DataPath
import Diagnostics
import Foundation
import KafkaClient
import Synchronization
import Testing

/// Faults that a real server does not produce on request.
@Suite("Injected faults", .serialized)
struct MockClusterTests {
    private let partition = KafkaPartition(topic: "t", number: 0)

    @Test("a produce request that may succeed later is sent again: every record once, in order")
    func passingProduceErrors() throws {
        let mock = try MockCluster()
        let cluster = try mock.connect()
        defer { cluster.close() }
        let producer = try cluster.makeProducer()
        mock.fail(
            .produce,
            [
                RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
                RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
            ])
        for start in stride(from: 0, to: 500, by: 50) { try producer.send(.numbers(start..<start + 50), to: "t") }
        try producer.close()
        let reader = try cluster.makeReader(partition, at: 0)
        #expect(try reader.read(until: .end) == Array(0..<500))
        #expect(producer.failedRecords == 0)
        reader.close()
    }

    @Test(
        "a record that the broker refuses for good ends the producer and is counted",
        arguments: [
            (RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, DiagnosticCode.kafkaAuthorization),
            (RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, .kafkaRecordTooLarge),
            (RD_KAFKA_RESP_ERR_POLICY_VIOLATION, .invalidTopicConfig),
        ])
    func permanentProduceErrors(error: rd_kafka_resp_err_t, code: DiagnosticCode) throws {
        let mock = try MockCluster()
        let cluster = try mock.connect(producer: ["linger.ms": "100"])
        defer { cluster.close() }
        let producer = try cluster.makeProducer()
        try producer.send(.numbers(0..<1), to: "t")
        try producer.flush()
        mock.fail(.produce, [error])
        try producer.send(.numbers(1..<4), to: "t")
        let thrown = #expect(throws: PipelineError.self) { try producer.flush() }
        #expect(thrown?.code == code)
        // librdkafka's words, not the value of the record, which stands where a reader's message has its error.
        #expect(thrown?.message.contains(String(cString: rd_kafka_err2str(error))) == true)
        #expect(producer.failedRecords == 3)
        #expect(throws: PipelineError.self) { try producer.send(.numbers(4..<5), to: "t") }
        #expect(throws: PipelineError.self) { try producer.close() }
    }

    @Test("a fetch that fails in passing is tried again; one out of range is said with the position")
    func fetchErrors() throws {
        let mock = try MockCluster()
        let cluster = try mock.connect()
        defer { cluster.close() }
        let producer = try cluster.makeProducer()
        try producer.send(.numbers(0..<10), to: "t")
        try producer.close()
        mock.fail(.fetch, [RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR])
        let reader = try cluster.makeReader(partition, at: 0)
        #expect(try reader.read(until: .end) == Array(0..<10))
        reader.close()
        let beyond = try cluster.makeReader(partition, at: 99)
        let error = #expect(throws: KafkaPartitionReader.OutOfRange.self) { _ = try beyond.read(until: .end) }
        #expect(error?.position == 99)
        #expect(throws: KafkaPartitionReader.OutOfRange.self, "each fetch says so") {
            _ = try beyond.fetch(into: RecordBlock(), maxBytes: 1 << 20)
        }
        beyond.close()
    }

    @Test(
        "what a reader takes is fetched anew at once, not after librdkafka's second of a full queue",
        arguments: [["queued.max.messages.kbytes": "8"], ["queued.min.messages": "100"]])
    func fullQueue(bounds: [String: String]) throws {
        let mock = try MockCluster()
        // Each answer has one batch, and two of them fill the queue.
        let cluster = try mock.connect(
            producer: ["batch.num.messages": "100", "linger.ms": "0"],
            reader: bounds.merging(["fetch.message.max.bytes": "4096"], uniquingKeysWith: { $1 }))
        defer { cluster.close() }
        let producer = try cluster.makeProducer()
        for start in stride(from: 0, to: 20_000, by: 100) {
            try producer.send(.numbers(start..<start + 100, width: 50), to: "t")
            try producer.flush()
        }
        try producer.close()
        let reader = try cluster.makeReader(partition, at: 0)
        #expect(try reader.read(until: .end, seconds: 10) == Array(0..<20_000))
        reader.close()
    }

    @Test("a partition whose leader is away is not at its end; when another broker leads, it goes on")
    func leaderAway() throws {
        let mock = try MockCluster(brokers: 2)
        mock.setLeader(1, of: "t")
        let cluster = try mock.connect()
        defer { cluster.close() }
        let producer = try cluster.makeProducer()
        try producer.send(.numbers(0..<10), to: "t")
        try producer.flush()
        let reader = try cluster.makeReader(partition, at: 0)
        #expect(try reader.read(until: .end) == Array(0..<10))
        mock.setDown(1)
        #expect(try reader.read(until: .nothingYet) == [])
        mock.setLeader(2, of: "t")
        try producer.send(.numbers(10..<20), to: "t")
        try producer.flush()
        #expect(try reader.read(until: .end, seconds: 8) == Array(10..<20))
        reader.close()
        try producer.close()
    }

    @Test("a topic that is missing for a moment is waited for; one that stays missing ends the reading")
    func missingTopic() throws {
        let mock = try MockCluster()
        let cluster = try mock.connect(missingTopicTimeoutMilliseconds: 1500)
        defer { cluster.close() }
        let producer = try cluster.makeProducer()
        try producer.send(.numbers(0..<10), to: "t")
        try producer.close()
        let reader = try cluster.makeReader(partition, at: 0)
        #expect(try reader.read(until: .end) == Array(0..<10))
        mock.setError(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, topic: "t")
        #expect(try reader.read(until: .nothingYet) == [])
        mock.setError(RD_KAFKA_RESP_ERR_NO_ERROR, topic: "t")
        let second = try cluster.makeProducer()
        try second.send(.numbers(10..<20), to: "t")
        try second.close()
        #expect(try reader.read(until: .records) == Array(10..<20))
        mock.setError(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, topic: "t")
        let error = #expect(throws: PipelineError.self) {
            while try reader.read(until: .records, seconds: 10) != nil {}
        }
        #expect(error?.code == .unknownTopic)
        reader.close()
    }

    @Test("a broker that answers too slowly is said to be that, and may be asked again")
    func slowBroker() throws {
        let mock = try MockCluster()
        let cluster = try mock.connect(requestTimeoutMilliseconds: 300)
        defer { cluster.close() }
        #expect(try cluster.partitionCount("t") == 1)
        mock.setRoundTrip(milliseconds: 700)
        let error = #expect(throws: PipelineError.self) { _ = try cluster.partitionCount("t") }
        #expect(error?.code == .kafkaTimedOut)
        #expect(error?.retry == .backoff)
    }

    @Test("a leader that does not answer is away, though its connection stands; when it answers again, all is read")
    func silentLeader() throws {
        let mock = try MockCluster()
        let cluster = try mock.connect()
        defer { cluster.close() }
        let producer = try cluster.makeProducer()
        try producer.send(.numbers(0..<10), to: "t")
        try producer.flush()
        let reader = try cluster.makeReader(partition, at: 0)
        #expect(try reader.read(until: .end) == Array(0..<10))
        // The answers that are on their way come so late; librdkafka gives a connection up after 30 seconds.
        mock.setRoundTrip(milliseconds: 12_000)
        #expect(try reader.read(until: .nothingYet, seconds: 11) == [])
        mock.setRoundTrip(milliseconds: 0)
        // Until then it stays unknown whether there is more.
        #expect(try reader.read(until: .end, seconds: 1) == nil)
        #expect(try reader.read(until: .end, seconds: 60) == [])
        try producer.send(.numbers(10..<20), to: "t")
        try producer.close()
        var numbers: [Int] = []
        for _ in 0..<20 where numbers.count < 10 { numbers += try reader.read(until: .records, seconds: 5) ?? [] }
        #expect(numbers == Array(10..<20))
        reader.close()
    }

    @Test("statistics hold what was sent and received")
    func statistics() throws {
        let mock = try MockCluster()
        let seen = Mutex<[String: KafkaStatistics]>([:])
        let cluster = try mock.connect { name, statistics in seen.withLock { $0[name] = statistics } }
        defer { cluster.close() }
        let producer = try cluster.makeProducer()
        try producer.send(.numbers(0..<100), to: "t")
        try producer.flush()
        let reader = try cluster.makeReader(partition, at: 0)
        #expect(try reader.read(until: .end)?.count == 100)
        let end = Date(timeIntervalSinceNow: 4)
        func of(_ name: String) -> KafkaStatistics? { seen.withLock { $0[name] } }
        while Date() < end, of("producer 1")?.sentMessages != 100 || of("reader")?.receivedMessages != 100 {
            usleep(10_000)
        }
        #expect(of("producer 1")?.sentMessages == 100)
        #expect(of("producer 1")?.queuedMessages == 0)
        #expect(of("reader")?.receivedMessages == 100)
        #expect(of("reader")?.brokersUp == 1)
        #expect(of("reader")?.brokersKnown == 1)
        #expect(of("reader")?.roundTripP99Milliseconds ?? 0 > 0)
        reader.close()
        try producer.close()
    }

    @Test("for a partition whose reader is closed nothing is fetched any more; a later reader goes on where it wants")
    func closedReader() throws {
        let mock = try MockCluster()
        let seen = Mutex<(readings: Int, received: Int64, held: Int)>((0, 0, 0))
        let cluster = try mock.connect { name, statistics in
            guard name == "reader" else { return }
            seen.withLock { $0 = ($0.readings + 1, statistics.receivedMessages, statistics.fetchedMessages) }
        }
        defer { cluster.close() }
        func nextReadings() -> (readings: Int, received: Int64, held: Int) {
            let first = seen.withLock { $0.readings }
            let end = Date(timeIntervalSinceNow: 30)
            while Date() < end, seen.withLock({ $0.readings }) < first + 3 { usleep(10_000) }
            return seen.withLock { $0 }
        }
        let producer = try cluster.makeProducer()
        try producer.send(.numbers(0..<100), to: "t")
        try producer.flush()
        let reader = try cluster.makeReader(partition, at: 0)
        #expect(try reader.read(until: .end) == Array(0..<100))
        // What was fetched ahead and not taken is given back.
        try producer.send(.numbers(100..<200), to: "t")
        try producer.flush()
        #expect(nextReadings().held >= 100)
        reader.close()
        let closed = nextReadings()
        try producer.send(.numbers(200..<300), to: "t")
        try producer.close()
        let later = nextReadings()
        #expect(later.received == closed.received && later.held == 0, "\(closed), \(later)")
        let again = try cluster.makeReader(partition, at: 50)
        #expect(try again.read(until: .end) == Array(50..<300))
        again.close()
    }

    @Test("a producer that gave a record up says that another may succeed, which does when the broker is back")
    func givenUp() throws {
        let mock = try MockCluster()
        let cluster = try mock.connect(producer: ["message.timeout.ms": "2000"])
        defer { cluster.close() }
        let producer = try cluster.makeProducer()
        try producer.send(.numbers(0..<1), to: "t")
        #expect(try producer.flush(milliseconds: 10_000))
        mock.setDown()
        try producer.send(.numbers(1..<2), to: "t")
        #expect(try !producer.flush(milliseconds: 50), "it does not wait for what takes long")
        let error = #expect(throws: PipelineError.self) { while try !producer.flush(milliseconds: 50) {} }
        #expect(error?.code == .kafkaNotDelivered && error?.retry == .backoff)
        mock.setUp()
        let second = try cluster.makeProducer()
        try second.send(.numbers(1..<2), to: "t")
        try second.close()
        let reader = try cluster.makeReader(partition, at: 0)
        var numbers: [Int] = []
        for _ in 0..<20 where numbers.count < 2 { numbers += try reader.read(until: .records, seconds: 5) ?? [] }
        #expect(numbers == [0, 1])
        reader.close()
    }

    @Test("readers that are never closed, and a cluster dropped with records unsent, free everything")
    func dropped() throws {
        let mock = try MockCluster()
        for _ in 0..<3 {
            let cluster = try mock.connect(producer: ["linger.ms": "1000"])
            let producer = try cluster.makeProducer()
            try producer.send(.numbers(0..<10), to: "t")
            _ = try cluster.makeReader(partition, at: 0)
            cluster.close()
        }
    }
}
