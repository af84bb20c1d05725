import AvroSchema
import DataPath
import Diagnostics
import PlatformModel
import PluginAPI
import RecordConversion
import Testing

@Suite("Reading JSON messages")
struct JSONMessageReaderTests {
    /// A value of each type, as a message has it and as a column shows it.
    struct Value: Sendable, CustomTestStringConvertible {
        var type: FieldType
        var json: String
        var shown: String
        var testDescription: String { "\(type) \(json)" }

        init(_ type: FieldType, _ json: String, _ shown: String? = nil) {
            self.type = type
            self.json = json
            self.shown = shown ?? json
        }
    }

    static let values = [
        Value(.string, #""a \"b\" \\ \/ \u00e9 \ud83d\ude00 \t""#, #""a \"b\" \\ / é 😀 \t""#), Value(.string, #""""#),
        Value(.int, "-2147483648"), Value(.long, "9223372036854775807"), Value(.long, "1e3", "1000"),
        Value(.float, "0.5"), Value(.double, "-1.5e300", "-1.5e+300"), Value(.double, "3", "3.0"),
        Value(.boolean, "true"), Value(.boolean, "false"), Value(.bytes, #""00ff""#),
        Value(.date, #""2024-02-29""#), Value(.date, "19782", #""2024-02-29""#),
        Value(.timestamp, #""2024-05-06T07:08:09.5+02:00""#, #""2024-05-06T05:08:09.500Z""#),
        Value(.timestamp, "0", #""1970-01-01T00:00:00.000Z""#),
        Value(.uuid, #""6ba7b810-9dad-11d1-80b4-00c04fd430c8""#),
        Value(.decimal(precision: 20, scale: 2), "12345678901234567.89"),
        Value(.decimal(precision: 5, scale: 2), #""1.5""#, "1.50"),
        Value(.enumeration(symbols: ["web", "app"]), #""app""#),
        Value(.array(.long), "[1, 2]"), Value(.map(.double), #"{"a": 1.5}"#),
    ]

    private func event(_ more: String, id: Int = 1) -> String {
        #"{"event_id":"e\#(id)","timestamp":1700000000000,"user_id":"u\#(id)"\#(more.isEmpty ? "" : ",")\#(more)}"#
    }

    @Test("A value of every type", arguments: values)
    func everyType(_ value: Value) throws {
        let reading = try read([event(#""x":\#(value.json)"#)], eventType([field("x", value.type)]), columns: ["x"])
        #expect(reading.faults == [])
        #expect(reading.lines == [#"{"x":\#(value.shown)}"#])
    }

    @Test("Null, a missing nullable field and a default; nested records")
    func nullsAndRecords() throws {
        let type = eventType([
            field("a", .long, nullable: true), field("b", .long, default: .integer(5)),
            field("place", .record([field("city", .string), field("zip", .string, nullable: true)]), nullable: true),
        ])
        let reading = try read(
            [
                event(#""a":null,"b":1,"place":{"city":"X","zip":null,"more":[{}]}"#), event(#""place":null"#),
                event(#""place":{"city":"Y"}"#),
            ], type, columns: ["a", "b", "place.city", "place.zip"])
        #expect(reading.faults == [])
        #expect(
            reading.lines == [
                #"{"a":null,"b":1,"place":{"city":"X","zip":null}}"#, #"{"a":null,"b":5,"place":null}"#,
                #"{"a":null,"b":5,"place":{"city":"Y","zip":null}}"#,
            ])
    }

    /// A message that is no event, the fault's code and its field.
    static let bad: [(String?, String, String?)] = [
        (nil, "SP6140", nil), ("", "SP6140", nil), (" \n\t ", "SP6140", nil), ("{", "SP3202", nil),
        (#"{"n":1"#, "SP3202", nil), (#"{"n":"unclosed}"#, "SP3202", nil), ("[1]", "SP3202", nil),
        (#"{"n":1} {"n":2}"#, "SP3202", nil), ("{\"n\":1}\n{\"n\":2}", "SP3202", nil), (#"{"n":null}"#, "SP3204", "n"),
        ("{}", "SP3204", "n"), (#"{"n":"x"}"#, "SP3205", "n"), (#"{"n":9223372036854775808}"#, "SP3206", "n"),
        ("\u{0}\u{0}\u{0}\u{0}\u{7}avro", "SP3202", nil),
    ]

    @Test("A bad message is told with code and field, wherever it stands, and the rest goes on", arguments: bad)
    func badMessages(_ message: String?, _ code: String, _ name: String?) throws {
        let type = eventType([field("n", .long)])
        let good = [1, 2, 3].map { #"{"n":\#($0)}"# }
        for position in 0...3 {
            var messages: [String?] = good
            messages.insert(message, at: position)
            let reading = try read(messages, type, columns: ["n"])
            #expect(reading.lines == good)
            #expect(reading.faults.map(\.entry) == [position])
            #expect(reading.faults.map(\.code.id) == [code])
            #expect(reading.faults.map(\.field) == [name])
        }
    }

    @Test("Bytes that are not UTF-8 are told as such")
    func invalidUTF8() throws {
        let messages = block([#"{"s":"a"}"#])
        ([UInt8](#"{"s":""#.utf8) + [0xC3, 0x28] + [UInt8](#""}"#.utf8)).withUnsafeBytes {
            messages.append(key: nil, value: $0, timestamp: 0)
        }
        let reading = try read(messages, eventType([field("s", .string)]), columns: ["s"])
        #expect(reading.lines == [#"{"s":"a"}"#])
        #expect(reading.faults.map(\.reason) == ["it is not valid UTF-8"])
    }

    @Test("Nothing but bad messages; no message at all")
    func onlyBad() throws {
        let type = eventType([field("n", .long)])
        let reading = try read(["", nil, "x", " "], type, columns: ["n"])
        #expect(reading.lines == [])
        #expect(reading.faults.map(\.entry) == [0, 1, 2, 3])
        #expect(try read([], type, columns: ["n"]).faults == [])
    }

    @Test("Line ends and blanks between the tokens of a message")
    func prettyPrinted() throws {
        let type = eventType([field("n", .long), field("tags", .array(.string))])
        let reading = try read(
            ["{\r\n  \"n\" :\n 1,\n\t\"tags\": [\n\"a\\nb\",\n\"c\"\n]\n}\n\n", #"{"n":2,"tags":[]}"#], type,
            columns: ["n", "tags"])
        #expect(reading.faults == [])
        #expect(reading.lines == ["{\"n\":1,\"tags\":[\t\"a\\nb\",\t\"c\"\t]}", #"{"n":2,"tags":[]}"#])
    }

    @Test("A line end inside a string is no JSON")
    func lineEndInString() throws {
        let type = eventType([field("n", .long), field("s", .string)])
        let reading = try read(["{\"n\":1,\"s\":\"x\ny\"}", #"{"n":2,"s":"x\ny"}"#], type, columns: ["n", "s"])
        #expect(reading.faults.map(\.entry) == [0])
        #expect(reading.lines == [#"{"n":2,"s":"x\ny"}"#])
    }

    @Test("What no column needs may be anything, also a required field's value")
    func onlyNeededColumns() throws {
        let type = eventType([field("n", .long), field("other", .long)])
        let message = #"{"n":1,"other":"no number"}"#
        #expect(try read([message], type, columns: ["n"]).faults == [])
        #expect(
            try read([message], type, columns: ["n", "other"]).faults.map(\.field) == ["other"])
    }

    @Test("Names and times of messages that others write")
    func foreignNames() throws {
        let type = eventType(
            [
                field("amount", .money(scale: 2), source: "total"), field("city", .string, source: "address.city"),
                field("device", .record([field("os", .string, source: "system")]), source: "agent"),
            ], time: EventTime(field: "meta.at", format: "%d.%m.%Y %H:%M:%S"), id: "no")
        let reading = try read(
            [
                #"{"no":17,"meta":{"at":"06.05.2024 07:08:09"},"user_id":"u","total":12.5,"address":{"city":"X"},"#
                    + #""agent":{"system":"linux"},"timestamp":0}"#
            ], type)
        #expect(reading.faults == [])
        #expect(
            reading.lines == [
                #"{"event_id":"17","timestamp":"2024-05-06T07:08:09.000Z","user_id":"u","amount_cents":1250,"#
                    + #""city":"X","device":{"os":"linux"}}"#
            ])
    }

    @Test(
        "The event's time has its own format; other times do not",
        arguments: [
            ("iso8601", #""2023-11-14T22:13:20Z""#), ("epoch_s", "1700000000"), ("epoch_s", "1700000000.000"),
            ("epoch_ms", "1700000000000"), ("epoch_us", "1700000000000000"), ("%s", #""1700000000""#),
        ])
    func timeFormats(_ format: String, _ text: String) throws {
        let type = eventType([field("seen", .timestamp)], time: EventTime(field: "at", format: format))
        let reading = try read(
            [#"{"at":\#(text),"seen":"2023-11-14T22:13:20Z"}"#], type, columns: ["timestamp", "seen"])
        #expect(reading.faults == [])
        #expect(
            reading.lines == [#"{"timestamp":"2023-11-14T22:13:20.000Z","seen":"2023-11-14T22:13:20.000Z"}"#])
    }

    @Test("An absent id follows from topic, partition and offset alone")
    func derivedIDs() throws {
        let type = eventType([])
        func ids(_ count: Int, first: Int64) throws -> [String] {
            try read(
                block(Array(repeating: #"{"n":1}"#, count: count), firstOffset: first), type, columns: ["event_id"]
            )
            .lines
        }
        let all = try ids(4, first: 10)
        #expect(Set(all).count == 4)
        #expect(try ids(2, first: 12) == Array(all.suffix(2)))
        #expect(
            all.allSatisfy {
                $0.wholeMatch(
                    of: /\{"event_id":"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"\}/) != nil
            })
        #expect(try read([#"{"event_id":"own"}"#], type, columns: ["event_id"]).lines == [#"{"event_id":"own"}"#])
    }

    @Test("Ten thousand messages in several reads, every seventh bad: rows and faults stay in order")
    func manyMessages() throws {
        let type = eventType([field("n", .long)])
        let columns = type.columns.filter { $0.name == "n" }
        let reader = try JSONMessageReader(eventType: type, columns: columns, hashKey: testKey)
        let all = block((0..<10_000).map { $0 % 7 == 0 ? ($0 % 2 == 0 ? "" : "{") : #"{"n":\#($0)}"# })
        let batch = RecordBatch(schema: BatchSchema(columns))
        var faults: [Int] = []
        for start in stride(from: 0, to: 10_000, by: 3_000) {
            try reader.read(all, entries: start..<min(start + 3_000, 10_000), of: testPartition, into: batch) {
                faults.append($0.entry)
            }
        }
        guard case .int64(let numbers) = batch.columns[0] else { throw UnexpectedColumn() }
        #expect(faults == (0..<10_000).filter { $0 % 7 == 0 })
        #expect(batch.rowCount == numbers.count)
        #expect((0..<numbers.count).map { Int(numbers.values[$0]) } == (0..<10_000).filter { $0 % 7 != 0 })
    }

    struct UnexpectedColumn: Error {}

    /// Bytes are changed, dropped and doubled, line ends and quotes among them.
    private func damaged(_ message: String, _ random: inout SeededRandom) -> [UInt8] {
        var bytes = Array(message.utf8)
        for _ in 0..<Int(random.next() % 3) where !bytes.isEmpty {
            let place = Int(random.next() % UInt64(bytes.count))
            switch random.next() % 4 {
            case 0: bytes.remove(at: place)
            case 1: bytes.insert(bytes[place], at: place)
            case 2: bytes[place] = Array("\"\\{}[]:,\n\r 0ntf".utf8)[Int(random.next() % 15)]
            default: bytes.removeSubrange(place...)
            }
        }
        return bytes
    }

    /// The same numbers in every run (Steele and others, splitmix64).
    struct SeededRandom {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
            return word ^ word >> 31
        }
    }

    @Test("Whatever stands in a message, it is judged as it would be alone", arguments: [1, 2, 3])
    func isolation(_ seed: UInt64) throws {
        let type = eventType([field("n", .long), field("s", .string), field("tags", .array(.string))])
        var random = SeededRandom(state: seed)
        let messages = (0..<300).map { number in
            damaged(event(#""n":\#(number),"s":"a\\n\u00e9","tags":["x","y"]"#), &random)
        }
        func read(_ messages: [[UInt8]]) throws -> Reading {
            let block = RecordBlock()
            for message in messages { message.withUnsafeBytes { block.append(key: nil, value: $0, timestamp: 0) } }
            return try RecordConversionTests.read(block, type)
        }
        let together = try read(messages)
        #expect(together.lines.count + together.faults.count == messages.count)
        #expect(together.lines.count > 50 && together.faults.count > 50)
        var lines: [String] = []
        var faulty: [Int] = []
        for (index, message) in messages.enumerated() {
            let alone = try read([message])
            lines += alone.lines
            if !alone.faults.isEmpty { faulty.append(index) }
        }
        #expect(together.lines == lines)
        #expect(together.faults.map(\.entry) == faulty)
    }

    @Test("Dictionary codes and hashes are those that Avro messages give")
    func sameEncodingsAsAvro() throws {
        let type = eventType([
            field("kind", .enumeration(symbols: ["a", "b"])), field("name", .string, nullable: true),
            field("raw", .bytes), field("id", .uuid),
        ])
        let encodings: [String: ColumnEncoding] = ["kind": .dictionary, "name": .hash, "raw": .hash, "id": .hash]
        let columns = type.columns.compactMap { column in
            encodings[column.name].map {
                ColumnSpec(column.name, column.type, isNullable: column.isNullable, encoding: $0)
            }
        }
        let uuid = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
        let messages = ["\"x\\u00e9\"", "null", "\"\""].map {
            event(#""kind":"b","name":\#($0),"raw":"00ff","id":"\#(uuid)""#)
        }
        let fromJSON = RecordBatch(schema: BatchSchema(columns))
        let reader = try JSONMessageReader(eventType: type, columns: columns, hashKey: testKey)
        try reader.read(block(messages), entries: 0..<3, of: testPartition, into: fromJSON) { Issue.record("\($0)") }

        // The same events as Avro messages.
        let plain = RecordBatch(schema: BatchSchema(type.columns))
        let all = try JSONMessageReader(eventType: type, columns: type.columns, hashKey: testKey)
        try all.read(block(messages), entries: 0..<3, of: testPartition, into: plain) { Issue.record("\($0)") }
        let encoded = RecordBlock()
        AvroEncoder(plan: try .compile(schema: type.schema, columns: plain.schema)).encode(
            plain, schemaID: 1, keyColumn: nil, timestampColumn: 1, into: encoded
        ) { Issue.record("\($0) \($1)") }
        let fromAvro = RecordBatch(schema: BatchSchema(columns))
        AvroDecoder(
            plan: try .compile(writer: .record(type.schema), columns: columns), key: testKey
        ).decode(encoded, entries: 0..<3, prefixBytes: WireFormat.headerLength, into: fromAvro) {
            Issue.record("\($0) \($1)")
        }
        #expect(shown(fromJSON) == shown(fromAvro))
    }

    /// Every cell; hashes as such.
    private func shown(_ batch: RecordBatch) -> String {
        let out = ByteBuffer()
        NDJSONWriter(schema: batch.schema).write(batch, to: out)
        return out.string
    }
}
