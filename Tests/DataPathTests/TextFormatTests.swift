import DataPath
import Foundation
import Testing

@Suite("Values as text")
struct TextFormatTests {
    @Test(
        "a double is written as its shortest text that reads back the same",
        arguments: [
            0.0, -0.0, 0.1, 1, 100, 1e15, 1e16, 1e-5, 123.456, 1.0 / 3, 2.5e-3, 99999999999.9999, 5e-324,
            1.7976931348623157e308, -2.005,
        ])
    func double(_ value: Double) {
        let out = ByteBuffer()
        TextFormat.writeDouble(value, to: out)
        #expect(out.string == value.description)
    }

    @Test("random doubles of every size are written as Swift writes them")
    func anyDoubles() {
        let out = ByteBuffer()
        for round in 0..<5000 {
            let value =
                round % 2 == 0
                ? Double(bitPattern: .random(in: 0 ... .max))
                : Double.random(in: -1...1) * [1e-3, 1, 1e2, 1e5, 1e11, 1e15, 1e17].randomElement()!
            out.removeAll()
            TextFormat.writeDouble(value, to: out)
            #expect(out.string == value.description)
        }
    }

    @Test(
        "timestamps one after the other are written as each by itself",
        arguments: [TextFormat.TimestampStyle.iso8601, .sqlite])
    func timestampRun(_ style: TextFormat.TimestampStyle) {
        let (day, year10000) = (Int64(86_400_000), Int64(253_402_300_800_000))
        var run = TimestampRun(style: style)
        let (out, alone) = (ByteBuffer(), ByteBuffer())
        for round in 0..<5000 {
            let start = [0, -day, 1_704_067_200_000, year10000, -62_167_219_200_000, .min, .max - 3 * day]
                .randomElement()!
            let time = round % 5 == 0 ? start : start + .random(in: -1...(2 * day))
            for _ in 0...Int.random(in: 0...2) where start > .min {
                run.write(time, to: out)
                TextFormat.writeTimestamp(time, style: style, to: alone)
            }
        }
        #expect(out.string == alone.string)
    }

    @Test("random doubles with few decimals are written as Swift writes them")
    func doubles() {
        let out = ByteBuffer()
        for _ in 0..<2000 {
            let value =
                Double(Int64.random(in: -9_999_999_999...9_999_999_999)) / [1, 10, 100, 1000, 10_000].randomElement()!
            out.removeAll()
            TextFormat.writeDouble(value, to: out)
            #expect(out.string == value.description)
        }
    }

    @Test(
        "whole numbers round trip",
        arguments: [0, 9, 10, -10, 99, 100, .max, .min, 1_000_000_000_000_000_000] as [Int64])
    func integer(_ value: Int64) {
        let out = ByteBuffer()
        TextFormat.writeInteger(value, to: out)
        #expect(out.string == String(value))
        #expect(TextFormat.integer(out.contents) == value)
    }

    @Test(
        "decimals round trip exactly",
        arguments: [
            (0, 0), (5, 2), (-5, 2), (1234, 2), (99_999_999_999_999_999_999_999_999_999_999_999_999, 38), (100, 0),
            (-1, 38),
        ] as [(Int128, Int)])
    func decimal(_ value: Int128, _ scale: Int) {
        let out = ByteBuffer()
        TextFormat.writeDecimal(value, scale: scale, to: out)
        #expect(TextFormat.decimal(out.contents, precision: 38, scale: scale) == .value(value))
    }

    @Test(
        "timestamps are written as Foundation writes them, also before 1970",
        arguments: [0, -1, 1_795_268_730_123, 951_782_400_000] as [Int64])
    func timestamp(_ value: Int64) throws {
        let text = TextFormat.timestamp(value)
        let expected = Date(timeIntervalSince1970: Double(value) / 1000)
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        let parsed = try #require(formatter.date(from: text))
        #expect(abs(parsed.timeIntervalSince(expected)) < 0.0006)
        #expect(Array(text.utf8).withUnsafeBytes { TextFormat.localTimestamp($0)?.milliseconds } == value)
        #expect(TextFormat.timestamp(value, style: .sqlite).count == 23)
    }

    @Test("a row of every type is JSON that Foundation reads back, and CSV with the quotes that it needs")
    func rows() throws {
        let schema = BatchSchema([
            ColumnSpec("s", .string, encoding: .dictionary), ColumnSpec("a.b", .double, isNullable: true),
            ColumnSpec("a.c", .boolean),
            ColumnSpec("j", .json), ColumnSpec("x", .bytes), ColumnSpec("n", .double),
        ])
        let batch = RecordBatch(schema: schema)
        let text = "q\"\\\n\u{1}é😀,"
        for column in batch.columns {
            switch column {
            case .dictionary(let codes, let dictionary):
                codes.append(Array(text.utf8).withUnsafeBytes { dictionary.code(for: $0) })
            case .boolean(let vector): vector.append(true)
            case .bytes(let vector): vector.append("[1]")
            case .double(let vector): vector === firstDouble(batch) ? vector.appendNull() : vector.append(.nan)
            default: Issue.record("unexpected column")
            }
        }
        batch.rowCount = 1
        let out = ByteBuffer()
        NDJSONWriter(schema: schema).write(batch, to: out)
        let row = try #require(try JSONSerialization.jsonObject(with: Data(out.contents)) as? [String: Any])
        #expect(row["s"] as? String == text)
        #expect((row["a"] as? [String: Any])?["c"] as? Bool == true)
        #expect(row["n"] is NSNull)
        #expect(row["x"] as? String == "5b315d")
        #expect(row["j"] as? [Int] == [1])
        out.removeAll()
        let csv = CSVWriter(schema: schema)
        csv.writeHeader(to: out)
        csv.write(batch, to: out)
        #expect(out.string == "s,a.b,a.c,j,x,n\n\"q\"\"\\\n\u{1}é😀,\",,true,[1],5b315d,nan\n")
    }

    private func firstDouble(_ batch: RecordBatch) -> FixedVector<Double>? {
        if case .double(let vector) = batch.columns[1] { vector } else { nil }
    }

    @Test("dates of all months and leap rules round trip")
    func dates() {
        for days in stride(from: Int64(-800_000), to: 2_900_000, by: 9973) {
            #expect(CivilDate(daysSinceEpoch: days).daysSinceEpoch == days)
        }
        #expect(CivilDate(daysSinceEpoch: 11_016) == CivilDate(year: 2000, month: 2, day: 29))
    }
}
