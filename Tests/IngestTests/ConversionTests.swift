import AvroSchema
import Compression
import DataPath
import Diagnostics
@testable import Ingest
import PlatformModel
@testable import RecordConversion
import Testing

@Suite("Conversions of ingest")
struct ConversionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var type: FieldType
        var json: String
        /// The value as it is written back; nil = a bad record.
        var result: String?
        var testDescription: String { "\(type) \(json)" }

        init(_ type: FieldType, _ json: String, _ result: String?) {
            self.type = type
            self.json = json
            self.result = result
        }
    }

    static let cases: [Case] = [
        Case(.int, "7", "7"), Case(.int, "\"-7\"", "-7"), Case(.int, "2147483648", nil), Case(.int, "1.5", nil),
        Case(.int, "3.0", "3"), Case(.int, "true", nil), Case(.long, "9223372036854775807", "9223372036854775807"),
        Case(.long, "9223372036854775808", nil), Case(.long, "1e3", "1000"), Case(.long, "\"x\"", nil),
        Case(.double, "0.1", "0.1"), Case(.double, "\"1e-5\"", "1e-05"), Case(.double, "5", "5.0"),
        Case(.double, "\"nan\"", nil), Case(.double, "1e999", nil), Case(.float, "1e39", nil),
        Case(.float, "0.1", "0.1"),
        Case(.boolean, "true", "true"), Case(.boolean, "\"No\"", "false"), Case(.boolean, "1", "true"),
        Case(.boolean, "2", nil), Case(.string, "\"x\"", "\"x\""), Case(.string, "\"\"", "\"\""),
        Case(.string, "5", nil),
        Case(.date, "\"2024-02-29\"", "\"2024-02-29\""), Case(.date, "\"2023-02-29\"", nil),
        Case(.date, "0", "\"1970-01-01\""),
        Case(.uuid, "\"6F9619FF-8B86-D011-B42D-00CF4FC964FF\"", "\"6F9619FF-8B86-D011-B42D-00CF4FC964FF\""),
        Case(.uuid, "\"6F9619FF\"", nil), Case(.bytes, "\"00ff\"", "\"00ff\""), Case(.bytes, "\"0g\"", nil),
        Case(
            .decimal(precision: 38, scale: 4), "1234567890123456789012345678901234.5678",
            "1234567890123456789012345678901234.5678"),
        Case(.decimal(precision: 5, scale: 2), "1.50000", "1.50"), Case(.decimal(precision: 5, scale: 2), "1.505", nil),
        Case(.decimal(precision: 5, scale: 2), "1000", nil), Case(.decimal(precision: 5, scale: 2), "-1.5e1", "-15.00"),
        Case(.enumeration(symbols: ["A", "B"]), "\"B\"", "\"B\""),
        Case(.enumeration(symbols: ["A", "B"]), "\"b\"", nil),
        Case(.array(.string), "[\"a\", \"b\"]", "[\"a\", \"b\"]"), Case(.array(.int), "[1,\"a\"]", nil),
        Case(.array(.int), "[1,]", nil), Case(.map(.double), "{\"a\":1.5}", "{\"a\":1.5}"),
        Case(.map(.double), "[1]", nil),
    ]

    @Test("a value is converted by its field's type, or its record is bad at the value's place", arguments: cases)
    func convert(_ test: Case) throws {
        let head = #"{"event_id":"e","timestamp":0,"user_id":"u","value":"#
        let result = try ingest("\(head)\(test.json)}\n", [testField("value", test.type)])
        if let expected = test.result {
            #expect(result.bad == [])
            #expect(result.lines.first?.hasSuffix("\"value\":\(expected)}") == true, "\(result.lines)")
        } else {
            #expect(result.lines == [])
            #expect(result.bad.map(\.column) == [head.count + 1])
            #expect(result.bad.map(\.field) == ["value"])
        }
    }

    @Test(
        "money is exact, in either form, and refuses both at once",
        arguments: [
            ("\"amount\":\"19.99\"", "1999"), ("\"amount\":0.07", "7"), ("\"amount_cents\":1999", "1999"),
            ("\"amount\":1.005", nil),
            ("\"amount\":1,\"amount_cents\":100", nil), ("\"amount\":92233720368547758.07", "9223372036854775807"),
            ("\"amount\":92233720368547758.08", nil), ("\"x\":1", nil), ("\"amount\":null", nil),
        ] as [(String, String?)])
    func money(_ json: String, _ cents: String?) throws {
        let result = try ingest(
            "{\"timestamp\":0,\"user_id\":\"u\",\(json)}\n", [testField("amount", .money(scale: 2))])
        #expect(
            result.lines.map { $0.hasSuffix("\"amount_cents\":\(cents ?? "none")}") } == (cents == nil ? [] : [true]))
        #expect(result.bad.count == (cents == nil ? 1 : 0))
    }

    @Test("a field that the record lacks takes its default; a null in a required field is bad")
    func defaults() throws {
        let field = testField("n", .int, default: .integer(5))
        let result = try ingest(
            "{\"timestamp\":0,\"user_id\":\"u\"}\n{\"timestamp\":0,\"user_id\":\"u\",\"n\":null}\n", [field])
        #expect(result.lines.map { $0.hasSuffix("\"n\":5}") } == [true])
        #expect(result.bad.map(\.code.id) == ["SP3204"])
        #expect(result.bad.map(\.line) == [2])
    }

    @Test(
        "local times are those of Python's zoneinfo with fold=0",
        arguments: [
            // zone, local time, datetime(…, tzinfo=ZoneInfo(zone)).timestamp()
            ("Europe/Berlin", "2024-03-31 01:59:59", 1_711_846_799),
            ("Europe/Berlin", "2024-03-31 02:30:00", 1_711_848_600),
            ("Europe/Berlin", "2024-03-31 03:00:00", 1_711_846_800),
            ("Europe/Berlin", "2024-10-27 02:30:00", 1_729_989_000),
            ("Europe/Berlin", "2024-10-27 03:00:00", 1_729_994_400),
            ("America/New_York", "2024-11-03 01:30:00", 1_730_611_800),
            ("America/New_York", "2050-07-01 12:00:00", 2_540_304_000),
            ("Europe/Berlin", "2050-01-01 12:00:00", 2_524_647_600),
            ("+02:00", "1970-01-01 02:00:00", 0), ("UTC", "1969-12-31 23:59:59", -1),
            ("Asia/Kolkata", "2024-01-01 05:30:00", 1_704_067_200),
        ])
    func zones(_ zone: String, _ local: String, _ seconds: Int64) throws {
        let reader = try TimestampReader(format: nil, timezone: zone)
        #expect(milliseconds(reader, local) == seconds * 1000)
        #expect(milliseconds(try TimestampReader(format: "%Y-%m-%d %H:%M:%S", timezone: zone), local) == seconds * 1000)
    }

    @Test(
        "timestamp formats",
        arguments: [
            ("%d/%b/%Y:%H:%M:%S %z", "21/Nov/2026:13:45:30 +0200", 1_795_261_530_000), ("%y%j", "70001", 0),
            ("epoch_s", "1.5", 1500), ("epoch_us", "-1", -1), ("%s", "12", 12_000),
            ("%m/%d/%Y %I:%M %p", "1/2/1970 12:05 AM", 86_700_000),
            ("%Y-%m-%dT%H:%M:%S.%f", "1970-01-01T00:00:00.1234", 123), ("iso8601", "1970-01-01T01:00+01:00", 0),
            ("iso8601", "1970-01-01T25:00", nil), ("%Y%m%d", "19700230", nil), ("%Y%m%d", "19700101x", nil),
            ("epoch_ms", "x", nil),
        ] as [(String, String, Int64?)])
    func patterns(_ format: String, _ text: String, _ expected: Int64?) throws {
        #expect(milliseconds(try TimestampReader(format: format, timezone: "UTC"), text) == expected)
    }

    @Test(
        "unknown zones and bad patterns are refused",
        arguments: [("Mars/Base", nil), ("UTC", "%Q"), ("UTC", "%H:%M"), ("../x", nil)] as [(String, String?)])
    func refused(_ zone: String, _ format: String?) {
        #expect(throws: DiagnosticsError.self) { try TimestampReader(format: format, timezone: zone) }
    }

    @Test(
        "a timestamp outside the years 0 to 9999 is refused as such, whatever its format",
        arguments: [
            ("1152921504606846977", nil), ("-1152921504606846977", nil), ("9223372036854775807", "epoch_s"),
            ("253402300800", "epoch_s"), ("1e30", "epoch_ms"),
        ] as [(String, String?)])
    func untimed(_ value: String, _ format: String?) throws {
        let good = "{\"user_id\":\"u\",\"timestamp\":1}"
        let result = try ingest("\(good)\n{\"user_id\":\"u\",\"timestamp\":\(value)}\n\(good)", []) {
            $0.timestampFormat = format
        }
        #expect(result.lines.count == 2)
        #expect(result.bad.map(\.code.id) == ["SP3215"])
        #expect(result.bad.map(\.line) == [2])
    }

    @Test("a row that is refused later on has the line, the column and the bytes that it was read from")
    func refusedLater() throws {
        let head = "\"user_id\":\"u\",\"timestamp\":1"
        let lines = ["{\(head),\"tags\":[]}", "broken", "{\(head), \"tags\": [1]}", "{\(head), \"tags\":[2]}"]
        let reader = try IngestReader(
            source: IngestSource(
                input: MemoryInput(Array((lines.joined(separator: "\n") + "\n").utf8)), name: "in.ndjson"),
            eventType: testEventType([testField("tags", .array(.int))]), options: IngestOptions())
        let batch = RecordBatch(schema: reader.schema)
        var bad: [BadRecord] = []
        #expect(try reader.next(into: batch, maxRows: 100, bad: &bad) == 3)
        let refused = reader.refuse(row: 1, field: "tags.item", code: .encodingRefused, reason: "it does not fit")
        #expect(refused.line == 3)
        #expect(refused.column == lines[2].count - 3)
        #expect(String(decoding: refused.bytes, as: UTF8.self) == lines[2])
        #expect(reader.summary.good == 2)
        #expect(reader.summary.bad == 2)
    }

    private func milliseconds(_ reader: TimestampReader, _ text: String) -> Int64? {
        Array(text.utf8).withUnsafeBytes {
            if case .milliseconds(let value) = reader.read($0, isNumber: false) { value } else { nil }
        }
    }
}
