import DataPath
import Diagnostics
import EventLog
import Foundation
import Testing

@Suite("Event log: records")
struct RoundTripTests {
    @Test("what is written is read, also after reopening", arguments: [61, 300, 1 << 20])
    func randomRecords(maxBytes: Int) throws {
        let scratch = Scratch()
        var random = SplitMix(state: 42)
        func bytes(_ limit: Int) -> [UInt8] { (0..<Int.random(in: 0...limit, using: &random)).map { UInt8($0 & 0xFF) } }
        var records = (0..<300).map { row in
            Record(
                key: Bool.random(using: &random) ? bytes(20) : nil, value: row % 7 == 0 ? nil : bytes(200),
                timestamp: .random(in: -5_000...5_000_000_000_000, using: &random),
                headers: row % 5 == 0 ? ["a": bytes(10), "trace": []] : [:])
        }
        records.append(Record(key: nil, value: [UInt8](repeating: 7, count: 2 << 20), timestamp: 1, headers: [:]))
        records.append(Record("after the large one"))
        let log = try scratch.open(segmentBytes: 8192)
        try log.createTopic("t", partitions: 1, config: [:])
        for start in stride(from: 0, to: records.count, by: 31) {
            try log.write(Array(records[start..<min(start + 31, records.count)]))
        }
        #expect(try log.readAll(maxBytes: maxBytes) == records)
        #expect(try scratch.segments().count > 3)
        let again = try scratch.open()
        #expect(try again.readAll() == records)
        #expect(try again.offsets(topic: "t", partition: 0) == (0, Int64(records.count)))
        for offset in [0, 1, 30, 31, 150, records.count] {
            #expect(try again.readAll(at: Int64(offset)) == Array(records[offset...]))
        }
        #expect(scratch.notes.all.isEmpty)
    }

    @Test("every record has the time at which it was appended, in seconds")
    func appendTimes() throws {
        let scratch = Scratch()
        for (second, value) in [(1_700_000_000, "a"), (1_800_000_001, "b")] as [(Int64, String)] {
            let log = try scratch.open(now: { second * 1000 + 999 })
            if value == "a" { try log.createTopic("t", partitions: 1, config: [:]) }
            try log.write([Record(value)])
        }
        let reader = try scratch.open().makeReader(topic: "t", partition: 0, at: 0)
        let block = RecordBlock()
        var times: [Int64] = []
        while try reader.fetch(into: block, maxBytes: 1 << 20) { times += block.entries.map(\.appendTime) }
        #expect(times == [1_700_000_000_000, 1_800_000_001_000])
    }

    @Test("a block that is sent to a partition goes there, whatever its keys; one that is not there is an error")
    func toPartition() throws {
        let scratch = Scratch()
        let log = try scratch.open()
        try log.createTopic("t", partitions: 3, config: [:])
        let producer = try log.makeProducer()
        let records = ["21", "foobar", "abc"].map { Record("v", key: $0) }
        try producer.send(RecordBlock(records), to: "t", partition: 2)
        #expect(try log.readAll("t", 2) == records)
        #expect(try log.offsets(topic: "t", partition: 0).next == 0)
        let error = #expect(throws: PipelineError.self) {
            try producer.send(RecordBlock(records), to: "t", partition: 3)
        }
        #expect(error?.code == .unknownPartition)
    }

    @Test("keys choose partitions as Kafka does, keyless blocks go round robin")
    func partitioning() throws {
        let scratch = Scratch()
        let log = try scratch.open()
        try log.createTopic("t", partitions: 3, config: [:])
        let producer = try log.makeProducer()
        try producer.send(RecordBlock([Record("x", key: "21"), Record("y", key: "foobar")]), to: "t")
        // murmur2("21") = -973932308, murmur2("foobar") = -790332482, both from Kafka's tests
        for (key, hash, value) in [("21", -973_932_308, "x"), ("foobar", -790_332_482, "y")] {
            let partition = (hash & 0x7FFF_FFFF) % 3
            #expect(try log.readAll("t", partition).contains(Record(value, key: key)))
        }
        let before = try (0..<3).map { try log.offsets(topic: "t", partition: $0).next }
        for _ in 0..<3 { try producer.send(RecordBlock([Record("n"), Record("m")]), to: "t") }
        let after = try (0..<3).map { try log.offsets(topic: "t", partition: $0).next }
        #expect(zip(before, after).map { $1 - $0 } == [2, 2, 2])
    }

    @Test("a reader follows a writer over segment rolls")
    func follow() throws {
        let scratch = Scratch()
        let log = try scratch.open(segmentBytes: 1024)
        try log.createTopic("t", partitions: 1, config: [:])
        let reader = try scratch.open().makeReader(topic: "t", partition: 0, at: 0)
        #expect(try reader.readAll().isEmpty)
        for round in 0..<60 {
            try log.write([Record("value \(round)"), Record(String(repeating: "x", count: 90))])
            #expect(try reader.readAll().first == Record("value \(round)"))
        }
        #expect(try scratch.segments().count > 5)
        #expect(reader.position == 120)
    }

    @Test("several writers append at once: nothing is lost, each one's order is kept")
    func concurrent() throws {
        let scratch = Scratch()
        try scratch.open(segmentBytes: 4096).createTopic("t", partitions: 1, config: [:])
        let path = scratch.path
        DispatchQueue.concurrentPerform(iterations: 4) { writer in
            do {
                let log = try EventLog(root: path, options: EventLogOptions(fsync: .never, segmentBytes: 4096))
                let producer = try log.makeProducer()
                for number in 0..<40 {
                    try producer.send(RecordBlock([Record("\(writer) \(number)"), Record("-")]), to: "t")
                }
                try producer.close()
            } catch { Issue.record(error) }
        }
        let values = try scratch.open().readAll().map { String(decoding: $0.value ?? [], as: UTF8.self) }
        #expect(values.count == 320)
        for writer in 0..<4 {
            #expect(values.filter { $0.hasPrefix("\(writer) ") } == (0..<40).map { "\(writer) \($0)" })
        }
    }

    @Test("a position outside the partition is refused with its ends")
    func outOfRange() throws {
        let scratch = Scratch()
        let log = try scratch.open()
        try log.createTopic("t", partitions: 1, config: [:])
        try log.write([Record("a"), Record("b")])
        let error = #expect(throws: OffsetOutOfRange.self) { try log.makeReader(topic: "t", partition: 0, at: 3) }
        #expect(error?.next == 2)
    }
}

/// A small seeded generator (splitmix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
