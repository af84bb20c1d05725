import Compression
import DataPath
import Diagnostics
import Foundation
@testable import Ingest
import PlatformModel
import Testing

@Suite("Formats of ingest")
struct FormatTests {
    static let fields = [testField("amount", .money(scale: 2)), testField("note", .string, nullable: true)]
    static let head = #""event_id":"e","timestamp":"2026-11-21T13:45:30.123Z","user_id":"u1""#

    @Test("a JSON line becomes a row; escapes are resolved, unknown keys are reported once")
    func ndjson() throws {
        let line = "{\(Self.head),\"amount\":12.34,\"note\":\"a\\u00e9\\ud83d\\ude00\\n\\\"\",\"other\":{\"x\":[1,2]}}"
        let result = try ingest("\u{FEFF}\(line)\r\n\n\(line)", Self.fields)
        #expect(result.bad == [])
        #expect(result.lines.count == 2)
        #expect(
            result.lines.first
                == #"{"event_id":"e","timestamp":"2026-11-21T13:45:30.123Z","user_id":"u1","amount_cents":1234,"note":"aé😀\n\""}"#
        )
        #expect(result.summary.ignoredColumns == ["other"])
    }

    @Test("a nested record is read from objects, and from flat dotted keys; null makes its leaves null")
    func nested() throws {
        let record = testField(
            "location", .record([testField("country", .string), testField("lat", .double, nullable: true)]),
            nullable: true)
        let text = [
            "{\(Self.head),\"location\":{\"country\":\"DE\",\"lat\":1.5,\"zip\":1}}",
            "{\(Self.head),\"location.country\":\"FR\"}", "{\(Self.head),\"location\":null}",
            "{\(Self.head),\"location\":7}",
        ].joined(separator: "\n")
        let result = try ingest(text, [record])
        #expect(result.lines.map { String($0.drop { $0 != "{" }.suffix(40)) }.count == 3)
        #expect(result.lines[0].hasSuffix(#""location":{"country":"DE","lat":1.5}}"#))
        #expect(result.lines[1].hasSuffix(#""location":{"country":"FR","lat":null}}"#))
        #expect(result.lines[2].hasSuffix(#""location":null}"#))
        #expect(result.bad.map(\.line) == [4])
        #expect(result.summary.ignoredColumns == ["location.zip"])
    }

    @Test(
        "a malformed JSON line is a bad record with its line, and the next line is read",
        arguments: [
            "{\"a\":1", "[1]", "7", "{} {}", "{\"user_id\":\"\u{1}\"}", "{\"user_id\":\"\\ud800\"}", "nonsense",
            "{\"user_id\" 1}",
        ])
    func malformed(_ line: String) throws {
        let good = "{\(Self.head),\"amount\":1}"
        let result = try ingest("\(good)\n\(line)\n\(good)\n", Self.fields)
        #expect(result.lines.count == 2)
        #expect(result.bad.map(\.line) == [2])
        #expect(result.bad.map { String(decoding: $0.bytes, as: UTF8.self) } == [line])
    }

    @Test("CSV cells may hold delimiters, doubled quotes and line ends; CRLF ends records")
    func csv() throws {
        let text =
            "user_id,timestamp,amount,note\r\nu1,2026-01-01,\"1.50\",\"a, \"\"b\"\"\r\nc\"\r\nu2,2026-01-02,2,\r\n"
        let result = try ingest(text, Self.fields, name: "in.csv")
        #expect(result.bad == [])
        #expect(result.lines.map { $0.contains("a, \\\"b\\\"\\r\\nc") } == [true, false])
        #expect(result.lines[1].hasSuffix(#""amount_cents":200,"note":null}"#))
    }

    @Test("a cell that cannot be read is reported at its own line and column")
    func csvPlace() throws {
        let text = "user_id,timestamp,note,amount\nu1,2026-01-01,\"é\nü\",1.234\nu1,2026-01-01,x,5\nu1,2026\n"
        let result = try ingest(text, Self.fields, name: "in.csv")
        #expect(result.bad.map(\.line) == [3, 5])
        #expect(result.bad.map(\.column) == [4, 8])
        #expect(result.bad.map(\.code.id) == ["SP3206", "SP3202"])
        #expect(result.bad.first?.field == "amount_cents")
        #expect(result.lines.count == 1)
    }

    @Test("broken quotes cost one line")
    func brokenQuotes() throws {
        let text =
            "user_id,timestamp,amount\n\"u\"x,2026-01-01,1\nu2,2026-01-01,2\n\"u3,2026-01-01,3\nu4,2026-01-01,4\n"
        let result = try ingest(text, Self.fields, name: "in.csv")
        #expect(result.bad.map(\.line) == [2, 4])
        #expect(result.lines.count == 2)
    }

    @Test("columns parted by blanks, as CDNOW has them, without a header")
    func whitespace() throws {
        let text = "  00001 19970101  1   11.77\n  00002 19970112  5   77.00\n\n"
        let fields = [testField("quantity", .int), testField("amount", .money(scale: 2))]
        let result = try ingest(text, fields, name: "CDNOW_master.txt") {
            $0.delimiter = .whitespace
            $0.hasHeader = false
            $0.timestampFormat = "%Y%m%d"
            $0.mappings = [("1", "user_id"), ("2", "timestamp"), ("3", "quantity"), ("4", "amount")].map {
                .init(column: $0.0, field: $0.1)
            }
        }
        #expect(result.bad == [])
        #expect(result.lines.count == 2)
        #expect(
            result.lines[0].hasSuffix(
                #""timestamp":"1997-01-01T00:00:00.000Z","user_id":"00001","quantity":1,"amount_cents":1177}"#))
    }

    @Test("an unknown mapping names the nearest field, and the nearest column")
    func mappings() throws {
        func message(_ column: String, _ field: String) -> String? {
            do {
                _ = try ingest("user_id,timestamp,amount\n", Self.fields, name: "in.csv") {
                    $0.mappings = [.init(column: column, field: field)]
                }
                return nil
            } catch { return (error as? DiagnosticsError)?.diagnostics.items.first?.hint }
        }
        #expect(message("amount", "amuont") == "did you mean 'amount'?")
        #expect(message("amuont", "amount") == "did you mean 'amount'?")
    }

    @Test("derived ids repeat, differ by record, and change with the file's name")
    func identities() throws {
        let line = "{\"timestamp\":1,\"user_id\":\"u\",\"amount\":1}"
        func ids(_ name: String) throws -> [String] {
            try ingest("\(line)\n\(line)\n", Self.fields, name: name).lines.map { String($0.prefix(49)) }
        }
        let first = try ids("a.ndjson")
        #expect(try ids("a.ndjson") == first)
        #expect(Set(first).count == 2)
        #expect(try Set(first).isDisjoint(with: ids("b.ndjson")))
    }

    @Test("gzip of several members is unpacked; a cut one is an error")
    func gzip() throws {
        let line = "{\(Self.head),\"amount\":1}\n"
        let members = try gzipped(line) + gzipped(line)
        #expect(try ingest(members, Self.fields, name: "in.ndjson.gz").lines.count == 2)
        #expect(throws: (any Error).self) {
            try ingest(Array(members.dropLast(12)), Self.fields, name: "in.ndjson.gz")
        }
    }

    @Test("a record above the limit is bad, cut, and passed over")
    func tooLarge() throws {
        let long = String(repeating: "x", count: 300_000)
        let good = "{\(Self.head),\"amount\":1}"
        let result = try ingest("\(good)\n{\"note\":\"\(long)\(long)\"}\n\(good)\n", Self.fields) {
            $0.recordByteLimit = 1000
        }
        #expect(result.lines.count == 2)
        #expect(result.bad.map(\.code.id) == ["SP3203"])
        #expect(result.bad.first?.isTruncated == true)
        #expect(result.bad.first?.bytes.count == BadRecord.keptBytes)
    }

    @Test("random bytes never crash a reader", arguments: ["in.ndjson", "in.csv", "in.csv.gz", "in.tsv"])
    func random(_ name: String) throws {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("{}[]\",:\\\n\r u1e.-0é\"\"timestampuser_idamount".utf8)
        for _ in 0..<150 {
            var bytes = (0..<Int.random(in: 0...400)).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            if Bool.random() { bytes = bytes.map { _ in UInt8.random(in: 0...255) } }
            if name.hasPrefix("in.csv") { bytes = Array("user_id,timestamp,amount\n".utf8) + bytes }
            let result = try? ingest(bytes, Self.fields, name: name)
            if let result { #expect(result.summary.good == result.lines.count) }
        }
    }

    private func gzipped(_ text: String) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-c"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        input.fileHandleForWriting.write(Data(text.utf8))
        try input.fileHandleForWriting.close()
        let bytes = Array(output.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        return bytes
    }
}
