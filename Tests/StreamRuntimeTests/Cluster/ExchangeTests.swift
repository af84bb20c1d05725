import DataPath
import Glibc
import PluginAPI
import Synchronization
import Testing

@testable import StreamRuntime

@Suite("Messages between the workers of different processes")
struct ExchangeTests {
    private let broker = MemoryBroker()
    private static let inbox = TopicPartition(topic: "t", partition: ClusterTopic.inbox(ofWorker: 1))

    private func exchange(_ worker: Int, round: Int64 = 7) -> Exchange {
        Exchange(
            Exchange.Place(topic: "t", round: round, inboxOffsets: [0, 0, 0]), worker: worker, aggregations: 2,
            broker: broker, retrying: Retrying(component: "cluster", control: RunControl(workerCount: 1)))
    }

    private func received(_ receiver: Exchange) throws -> [String] {
        var messages: [String] = []
        try receiver.receive { message in
            switch message {
            case .encodedPartial(let aggregation, let bytes): messages.append("\(aggregation): \(bytes.count) bytes")
            case .watermarks(let worker, let reports): messages.append("\(worker): \(reports.map(\.active))")
            case .barrier(let worker, let number, let published): messages.append("\(worker): \(number) \(published)")
            case .partial: messages.append("partial")
            }
        }
        return messages
    }

    private static let reports = [WatermarkReport(active: 5, idle: .min), WatermarkReport(active: .max, idle: 3)]

    @Test("what is sent arrives whole and in order, also what is larger than a record may be")
    func order() throws {
        let sender = exchange(0)
        try sender.send(.encodedPartial(aggregation: 1, [UInt8](repeating: 1, count: 3 << 20)), to: 1, at: 0)
        try sender.send(.watermarks(worker: 0, Self.reports), to: 1, at: 0)
        try sender.send(.barrier(worker: 0, number: 4, published: [8, .min]), to: 1, at: 0)
        try sender.flush()
        let receiver = exchange(1)
        #expect(
            try received(receiver) == [
                "1: \(3 << 20) bytes", "0: [5, \(Int64.max)]", "0: 4 [8, \(Int64.min)]",
            ])
        #expect(try received(receiver) == [])
        #expect(broker.records.withLock { $0[Self.inbox]?.map(\.count).max() ?? 0 } < 1_000_000)
    }

    @Test("what comes twice, of another round, or is no message, is dropped")
    func dropped() throws {
        let sender = exchange(0)
        try exchange(2, round: 6).send(.barrier(worker: 2, number: 1, published: [0, 0]), to: 1, at: 0)
        try sender.send(.watermarks(worker: 0, Self.reports), to: 1, at: 0)
        try sender.flush()
        broker.records.withLock { all in
            let sent = all[Self.inbox] ?? []
            all[Self.inbox] = [[1, 2, 3]] + sent + sent
        }
        try sender.send(.barrier(worker: 0, number: 4, published: [0, 0]), to: 1, at: 0)
        try sender.flush()
        #expect(try received(exchange(1)) == ["0: [5, \(Int64.max)]", "0: 4 [0, 0]"])
    }

    @Test("a worker that sends to a broker that is away comes back when the round is over", .timeLimit(.minutes(1)))
    func brokerAway() throws {
        broker.isAway.store(true, ordering: .relaxed)
        let control = RunControl(workerCount: 1)
        let sender = Exchange(
            Exchange.Place(topic: "t", round: 7, inboxOffsets: [0, 0]), worker: 0, aggregations: 2, broker: broker,
            retrying: Retrying(component: "cluster", control: control))
        try sender.send(.barrier(worker: 0, number: 4, published: [0, 0]), to: 1, at: 0)
        let ending = RunThread(name: "ending", confining: ()) { _ in
            usleep(100_000)
            control.fail(RoundOver("the leader does not answer"))
        }
        #expect(throws: RoundOver.self) { try sender.flush() }
        #expect(ending.join(milliseconds: 30_000))
    }

    @Test("a message that is missing ends the round")
    func lost() throws {
        let sender = exchange(0)
        for number in 1...3 {
            try sender.send(.barrier(worker: 0, number: number, published: [0, 0]), to: 1, at: 0)
        }
        try sender.flush()
        broker.records.withLock { _ = $0[Self.inbox]?.remove(at: 1) }
        #expect(throws: RoundOver.self) { try received(exchange(1)) }
    }

    @Test("a message of a worker who is not in the round ends it")
    func stranger() throws {
        let sender = exchange(3)
        try sender.send(.barrier(worker: 3, number: 1, published: [0, 0]), to: 1, at: 0)
        try sender.flush()
        #expect(throws: RoundOver.self) { try received(exchange(1)) }
    }

    @Test("a report comes back from its bytes; damaged ones are refused")
    func reports() throws {
        let partition = TopicPartition(topic: "events.a", partition: 2)
        let report = RunControl.Report(
            positions: [
                .init(
                    section: "sums",
                    position: Checkpoint.Position(partition: partition, nextOffset: 9, maxEventTime: .min))
            ], state: [[StateFile(name: "state-1-2-3", offset: 4, length: 5, checksum: 6)]],
            letters: [Checkpoint.Section(name: "letters", fingerprint: "f", positions: [], shards: [[1, 2]])])
        let back = try RunControl.Report(decoding: report.encoded())
        #expect(back.positions.map(\.section) == ["sums"] && back.positions[0].position.nextOffset == 9)
        #expect(back.positions[0].position.partition == partition)
        #expect(back.state == report.state)
        #expect(back.letters.map(\.name) == ["letters"] && back.letters[0].shards == [[1, 2]])
        var damaged = report.encoded()
        damaged[damaged.count - 1] ^= 1
        #expect(throws: Checkpoint.DecodingFailure.self) { try RunControl.Report(decoding: damaged) }
    }
}
