import DataPath
import Diagnostics
import PlatformModel
import PluginAPI
import RecordConversion
import Testing

/// A reader that has seen a line's layout before reads it as one that has not.
@Suite("Lines of a known layout")
struct LineLayoutTests {
    private static let type = eventType([
        field("name", .string, nullable: true), field("amount", .double, nullable: true),
        field("count", .long, nullable: true), field("isNew", .boolean, nullable: true),
        field("place", .record([field("city", .string), field("zip", .string, nullable: true)]), nullable: true),
    ])
    private static let columns = ["name", "amount", "count", "isNew", "place.city", "place.zip"]

    private static let texts = [
        "", "a", "sixteen bytes ...", "seventeen bytes ..", "é", "日本語の名前です", "a\\\"b", "\\u00e9", "tab\\t", "{", "}",
        ",",
        "a\u{1}b", "\u{7f}", "long " + String(repeating: "x", count: 70), "\\", "\"",
    ]
    private static let numbers = [
        "0", "-0", "-0.0", "1", "-1", "12.5", "1e3", "1E-2", "-1.5e+300", "1e400", "0.1", "0.1234567890123456789",
        "123456789012345678",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808", "99999999999999999999",
        "9007199254740993.0",
        "4.35", "5e-324", "00", "01", "-", "1.", ".5", "1e", "+1", "1.2.3", "0x1", "NaN", "1_000", "true", "null",
        "\"7\"", "[]", "{}",
    ]

    private static func message(_ random: inout SystemRandomNumberGenerator) -> String {
        func text() -> String { "\"\(texts.randomElement(using: &random) ?? "")\"" }
        func number() -> String { numbers.randomElement(using: &random) ?? "" }
        var fields = ["\"event_id\":\"e\"", "\"timestamp\":1700000000000", "\"user_id\":\"u\""]
        let colon = [":", ": ", " :"].randomElement(using: &random) ?? ":"
        for name in ["name", "unwanted", "other"] where Int.random(in: 0..<5, using: &random) > 0 {
            fields.append("\"\(name)\"\(colon)\(text())")
        }
        for name in ["amount", "count", "more"] where Int.random(in: 0..<5, using: &random) > 0 {
            fields.append("\"\(name)\"\(colon)\(number())")
        }
        fields.append("\"isNew\":\(["true", "false", "null", "tru", "truex", "1"].randomElement(using: &random) ?? "")")
        switch Int.random(in: 0..<5, using: &random) {
        case 0: fields.append("\"place\":null")
        case 1: fields.append("\"place\":{\"city\":\(text()),\"zip\":\(text())}")
        case 2: fields.append("\"place\":{\"city\":\(text()),\"deep\":{\"x\":1}}")
        case 3: fields.append("\"unused\":{\"y\":{\"z\":[1]},\"x\":\(number())}")
        default: break
        }
        if Int.random(in: 0..<6, using: &random) == 0 { fields.shuffle(using: &random) }
        if Int.random(in: 0..<6, using: &random) == 0 { fields.append("\"name\":\"again\"") }
        let end = ["}", "}", "}", " }", "} ", "", "}}", "} x"].randomElement(using: &random) ?? "}"
        return "{" + fields.joined(separator: [",", ",", ", "].randomElement(using: &random) ?? ",") + end
    }

    @Test("whatever the lines are, in any order", arguments: 0..<30)
    func sameAnswers(round: Int) throws {
        var random = SystemRandomNumberGenerator()
        // A few messages many times, so that layouts are learned, forgotten and met again.
        let kinds = (0..<Int.random(in: 1...12, using: &random)).map { _ in Self.message(&random) }
        let messages = (0..<300).map { _ in
            Int.random(in: 0..<3, using: &random) == 0
                ? Self.message(&random) : kinds.randomElement(using: &random) ?? "{}"
        }
        let together = try read(messages, Self.type, columns: Self.columns)
        var lines: [String] = []
        var faults: [Int: JSONMessageReader.Fault] = [:]
        for (index, message) in messages.enumerated() {
            let alone = try read([message], Self.type, columns: Self.columns)
            lines += alone.lines
            if let fault = alone.faults.first { faults[index] = fault }
        }
        #expect(together.lines == lines)
        #expect(together.faults.map(\.entry) == faults.keys.sorted())
        let inPlace = try read(Self.lines(messages), Self.type, columns: Self.columns)
        #expect(inPlace.lines == lines && inPlace.faults == together.faults)
        let inParts = try read(Self.lines(messages), Self.type, columns: Self.columns, batchRows: 37)
        #expect(inParts.lines == lines && inParts.faults == together.faults)
        for fault in together.faults {
            let alone = faults[fault.entry]
            #expect(alone?.code == fault.code && alone?.reason == fault.reason && alone?.field == fault.field)
        }
    }

    @Test("lines that nest deeper than any stack are read as without a layout, again and again")
    func deep() throws {
        let levels = 13_000
        let start = "{\"event_id\":\"e\",\"timestamp\":1700000000000,\"user_id\":\"u\",\"name\":\"n\",\"unwanted\":"
        let message =
            start + String(repeating: "{\"\":", count: levels) + "1" + String(repeating: "}", count: levels) + "}"
        let alone = try read([message], Self.type, columns: ["name"])
        let together = try read(Self.lines(Array(repeating: message, count: 4)), Self.type, columns: ["name"])
        #expect(together.lines == (0..<4).flatMap { _ in alone.lines })
        #expect(together.faults.count == alone.faults.count * 4)
    }

    /// Of records that begin where their number says.
    private final class Numbering: RecordNumbering, @unchecked Sendable {
        let fileName = "events.ndjson"
        private(set) var asked: [Int64] = []

        func number(ofRecordAt offset: Int64) -> Int {
            asked.append(offset)
            return Int(offset) + 1
        }
    }

    @Test("a record's number in its file is asked for only where an event has no id, once a read")
    func numbers() throws {
        func event(_ id: String) -> String { "{\(id)\"timestamp\":1700000000000,\"user_id\":\"u\",\"name\":\"n\"}" }
        let numbering = Numbering()
        let known = Self.lines([event("\"event_id\":\"a\","), "broken", "[]", event("\"event_id\":\"b\",")])
        known.numbering = numbering
        #expect(try read(known, Self.type, columns: ["event_id"]).faults.count == 2)
        let bare = Self.lines(["broken"] + Array(repeating: event(""), count: 600))
        bare.numbering = numbering
        #expect(try read(bare, Self.type, columns: ["name"]).lines.count == 600)
        #expect(numbering.asked == [])
        let whole = try read(bare, Self.type, columns: ["event_id"])
        #expect(Set(whole.lines).count == 600 && numbering.asked == [0])
        #expect(try read(bare, Self.type, columns: ["event_id"], batchRows: 100).lines == whole.lines)
        #expect(numbering.asked.dropFirst() == [0, 100, 200, 300, 400, 500, 600])
    }

    /// The messages as a file holds them, with blank lines between some.
    private static func lines(_ messages: [String]) -> RecordBlock {
        let block = RecordBlock()
        var text: [UInt8] = []
        for (index, message) in messages.enumerated() {
            if index % 7 == 3 { text += Array(" \r\n\n".utf8) }
            let start = text.count
            text += Array(message.utf8)
            block.entries.append(
                RecordBlock.Entry(
                    offset: Int64(index), timestamp: 0, keyStart: 0, keyLength: -1, valueStart: start,
                    valueLength: text.count - start))
            if index < messages.count - 1 { text.append(10) }
        }
        block.reserve(text.count + RecordBlock.linePadding)
        block.bytes.update(
            from: text + [UInt8](repeating: 0, count: RecordBlock.linePadding),
            count: text.count + RecordBlock.linePadding)
        block.byteCount = text.count
        block.holdsLines = true
        return block
    }

    @Test("numbers are the doubles that the standard library reads")
    func doubles() throws {
        var random = SystemRandomNumberGenerator()
        let values = (0..<2000).map { number -> String in
            switch number % 5 {
            case 0: "\(Double(bitPattern: UInt64.random(in: 0..<0x7FF0_0000_0000_0000, using: &random)))"
            case 1: "\(Double.random(in: -1e6...1e6, using: &random))"
            case 2: "\(Int.random(in: -1000...1000, using: &random)).\(Int.random(in: 0...99_999, using: &random))"
            // More digits than a double holds.
            case 3: "1.5\((0..<30).map { _ in "\(Int.random(in: 0...9, using: &random))" }.joined())"
            default: "\(Int.random(in: 0...(1 << 53), using: &random)).5"
            }
        }
        let reading = try read(
            values.map { "{\"event_id\":\"e\",\"timestamp\":1700000000000,\"user_id\":\"u\",\"amount\":\($0)}" },
            Self.type,
            columns: ["amount"])
        #expect(reading.faults == [])
        let found = reading.lines.map { $0.dropFirst("{\"amount\":".count).dropLast() }
        #expect(found.map { Double($0) } == values.map { Double($0) })
    }
}
