import DataPath
import Diagnostics
import PlatformModel
import RecordConversion
import Testing

@Suite("Writing JSON messages")
struct JSONMessageWriterTests {
    static let fields = [
        field("amount", .money(scale: 2), source: "total"), field("price", .money(scale: 2)),
        field("city", .string, nullable: true, source: "address.city"), field("ratio", .double),
        field("tags", .array(.string)),
    ]

    private func batch(_ type: EventType, _ messages: [String]) throws -> RecordBatch {
        let batch = RecordBatch(schema: BatchSchema(type.columns))
        let reader = try JSONMessageReader(eventType: type, columns: type.columns, hashKey: testKey)
        let messages = block(messages)
        try reader.read(messages, entries: 0..<messages.count, of: testPartition, into: batch) { Issue.record("\($0)") }
        return batch
    }

    private func write(
        _ batch: RecordBatch, _ type: EventType, onError: (Int, AvroEncodeError) -> Void
    ) throws -> RecordBlock {
        let result = RecordBlock()
        try JSONMessageWriter(type).write(
            batch, keyColumn: 2, timestampColumn: 1, into: result, onError: onError)
        return result
    }

    private func texts(_ block: RecordBlock) -> [String] {
        block.entries.map { String(decoding: block.value($0) ?? .init(start: nil, count: 0), as: UTF8.self) }
    }

    @Test(
        "The message has the names and the time format that the event type says",
        arguments: [
            ("iso8601", #""2023-11-14T22:13:20.123Z""#), ("epoch_ms", "1700000000123"), ("epoch_s", "1700000000.123"),
            ("epoch_us", "1700000000123000"),
        ])
    func names(_ format: String, _ time: String) throws {
        let type = eventType(Self.fields, time: EventTime(field: "at", format: format), id: "no")
        let message =
            #"{"no":"e1","at":\#(time),"user_id":"u1","total":12.50,"price_cents":-5,"address":{"city":"X"},"#
            + #""ratio":0.25,"tags":["a"]}"#
        let rows = try batch(type, [message])
        let written = try write(rows, type) { Issue.record("\($0) \($1)") }
        #expect(texts(written) == [message])
        #expect(written.key(written.entries[0]).map { String(decoding: $0, as: UTF8.self) } == "u1")
        #expect(written.entries[0].timestamp == 1_700_000_000_123)
        // And is read back as it was.
        #expect(try read(written, type).lines == read([message], type).lines)
    }

    @Test("A field that is the event's id, and one that is its time, stand once")
    func sharedFields() throws {
        let type = eventType(
            [field("order", .long), field("made", .timestamp)], time: EventTime(field: "made", format: "epoch_ms"),
            id: "order")
        let message = #"{"made":1700000000000,"user_id":"u","order":17}"#
        let written = try write(try batch(type, [message]), type) { Issue.record("\($0) \($1)") }
        #expect(texts(written) == [message])
    }

    @Test("Rows that the schema or JSON cannot hold are refused, the others written")
    func refusals() throws {
        let type = eventType([field("ratio", .double), field("n", .int)])
        let rows = try batch(
            type, (0..<4).map { #"{"event_id":"e\#($0)","timestamp":0,"user_id":"u","ratio":1,"n":\#($0)}"# })
        guard case .double(let ratios) = rows.columns[3], case .int64(let numbers) = rows.columns[4] else { return }
        ratios.values[1] = .nan
        numbers.values[2] = 1 << 40
        var refused: [String] = []
        let written = try write(rows, type) { refused.append("\($0) \($1.field)") }
        #expect(refused.sorted() == ["1 ratio", "2 n"])
        #expect(try read(written, type, columns: ["n"]).lines == [#"{"n":0}"#, #"{"n":3}"#])
    }

    @Test("A time format that can only be read is refused with what can be written")
    func readOnlyFormat() throws {
        let error = #expect(throws: PipelineError.self) {
            try JSONMessageWriter(eventType([], time: EventTime(field: "at", format: "%s")))
        }
        #expect(error?.code.id == "SP6141")
        #expect(error?.hint?.contains("epoch_ms") == true)
    }
}
