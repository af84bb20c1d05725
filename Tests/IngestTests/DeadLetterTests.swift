import DataPath
import PluginAPI
import Testing

@Suite("Dead letters")
struct DeadLetterTests {
    @Test(
        "a dead letter's record holds key and value unchanged and reads back the same",
        arguments: [
            DeadLetter.Origin.topic(TopicPartition(topic: "events.purchase", partition: 3), offset: 42),
            .file("a.csv", line: 7, column: 9),
        ])
    func roundTrip(_ origin: DeadLetter.Origin) throws {
        let letter = DeadLetter(
            key: [1, 2], value: [0, 255], headers: [.init("trace", [9])], origin: origin, stage: .decode,
            code: "SP6001",
            message: "it is cut", field: "amount", timeMilliseconds: 1_795_268_730_123, configPlace: "d.yaml:1:2",
            retryCount: 2,
            isTruncated: true, aggregation: "a", step: .init(stream: "s", number: 2))
        let block = RecordBlock()
        letter.encode(into: block)
        let entry = try #require(block.entries.first)
        #expect(block.key(entry).map { Array($0) } == [1, 2])
        #expect(block.value(entry).map { Array($0) } == [0, 255])
        #expect(block.headers(entry).first?.name == "trace")
        #expect(DeadLetter.decode(entry, in: block) == letter)
    }

    @Test("null key and value stay null; a record without our headers is no dead letter")
    func nulls() throws {
        let block = RecordBlock()
        DeadLetter(
            key: nil, value: nil, origin: .file("-", line: 1, column: 1), stage: .ingest, code: "SP3202", message: "m",
            timeMilliseconds: 0
        ).encode(into: block)
        block.append(key: nil, value: nil, timestamp: 0)
        #expect(DeadLetter.decode(block.entries[0], in: block)?.key == nil)
        #expect(DeadLetter.decode(block.entries[1], in: block) == nil)
    }
}
