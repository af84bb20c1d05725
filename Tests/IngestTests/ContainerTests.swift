import Compression
import DataPath
import Diagnostics
import Foundation
@testable import Ingest
import PlatformModel
import Testing

@Suite("Avro container files", .enabled(if: FastavroFiles.isRunning, FastavroFiles.reason))
struct ContainerTests {
    static let fields = [
        testField("amount", .money(scale: 2)), testField("exact", .decimal(precision: 20, scale: 4)),
        testField("ratio", .double), testField("small", .float), testField("wide", .double), testField("n", .int),
        testField("big", .long, nullable: true), testField("flag", .boolean),
        testField("note", .string, nullable: true), testField("code", .enumeration(symbols: ["A", "B"])),
        testField("day", .date), testField("seen", .timestamp), testField("at", .timestamp),
        testField("raw", .bytes), testField("mixed", .double, nullable: true),
        testField(
            "location",
            .record([testField("country", .string), testField("lat", .double, nullable: true)]), nullable: true),
        testField("limits", .record([testField("low", .long, nullable: true)]), nullable: true),
        testField("tags", .array(.string)), testField("counts", .map(.long)),
        testField(
            "parts",
            .array(
                .record([
                    testField("sku", .string), testField("at", .timestamp), testField("n", .int, nullable: true),
                ]))),
    ]

    /// The values of a row but the first column, which holds the derived event id.
    static func text(_ batch: RecordBatch, _ row: Int) -> String {
        zip(batch.schema.columns, batch.columns).dropFirst().map { spec, vector -> String in
            switch vector {
            case .boolean(let column): return column.nulls[row] ? "~" : column.values[row] ? "1" : "0"
            case .int64(let column): return column.nulls[row] ? "~" : "\(column.values[row])"
            case .int128(let column): return column.nulls[row] ? "~" : "\(column.values[row])"
            case .double(let column):
                if column.nulls[row] { return "~" }
                if column.values[row].isNaN { return "nan" }
                let digits = String(column.values[row].bitPattern, radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            case .bytes(let column):
                if column.nulls[row] { return "~" }
                var bytes = Data(column[row])
                if spec.type == .json, let value = try? JSONSerialization.jsonObject(with: bytes) {
                    bytes =
                        (try? JSONSerialization.data(
                            withJSONObject: value, options: [.sortedKeys, .withoutEscapingSlashes])) ?? bytes
                }
                return bytes.map { String(format: "%02x", $0) }.joined()
            case .dictionary, .hash: return "?"
            }
        }.joined(separator: " ")
    }

    static func reader(_ bytes: [UInt8], _ fields: [Field], _ options: IngestOptions) throws -> IngestReader {
        try IngestReader(
            source: IngestSource(input: MemoryInput(bytes), name: "in.avro"), eventType: testEventType(fields),
            options: options)
    }

    @Test("every value of every row is what fastavro's reader says", arguments: ["null", "deflate"])
    func everyRow(codec: String) throws {
        let expected = String(decoding: try FastavroFiles.bytes("all-\(codec).txt"), as: UTF8.self)
            .split(separator: "\n").map(String.init)
        var options = IngestOptions()
        // Concerns the plain long `at` alone: the others are marked as instants.
        options.timestampFormat = "epoch_s"
        options.mappings = [.init(column: "user", field: "user_id")]
        let reader = try Self.reader(try FastavroFiles.bytes("all-\(codec).avro"), Self.fields, options)
        let batch = RecordBatch(schema: reader.schema)
        var bad: [BadRecord] = []
        var rows: [String] = []
        while let count = try reader.next(into: batch, maxRows: 1000, bad: &bad) {
            rows += (0..<count).map { Self.text(batch, $0) }
        }
        #expect(bad == [])
        #expect(rows.count == expected.count)
        let different = zip(rows, expected).enumerated().first { $0.element.0 != $0.element.1 }
        #expect(
            different == nil,
            "seed \(FastavroFiles.seed), row \(different?.offset ?? 0): \(different?.element.0 ?? "") \(different?.element.1 ?? "")"
        )
        #expect(reader.summary.ignoredColumns == ["unwanted", "location.zip"])
        #expect(reader.summary.derivedEventIDs == expected.count)
    }

    static let small = [testField("n", .long)]

    @Test("a record that cannot be decoded is a bad record with its number and bytes; the others are read")
    func oneRecord() throws {
        var bytes = try FastavroFiles.bytes("blocks-null.avro")
        // Record 501 holds 2^40, which is no int.
        let text = Array(#""n", "type": "long""#.utf8)
        let place = try #require(bytes.indices.first { Array(bytes[$0...].prefix(text.count)) == text })
        bytes.replaceSubrange(place..<place + text.count, with: Array(#""n", "type": "int" "#.utf8))
        let result = try ingest(bytes, Self.small, name: "in.avro")
        #expect(result.lines.count == 999)
        #expect(result.bad.map(\.line) == [501])
        #expect(result.bad.first?.code.id == "SP3202")
        #expect(result.bad.first?.reason == "its bytes do not follow the file's schema")
        // The datum: user_id, timestamp, n.
        #expect(result.bad.first?.bytes.first == 4)
        #expect(result.bad.first?.bytes.suffix(6) == [0x80, 0x80, 0x80, 0x80, 0x80, 0x40])
    }

    /// The numbers of the records that are good.
    private func numbers(_ result: Ingested) -> [Int] {
        result.lines.compactMap { line in
            line.split(separator: ":").last.flatMap { Int($0.dropLast()) }
        }
    }

    @Test("where a block stops following the schema, the rest of it is one dead letter, and the next block is read")
    func restOfBlock() throws {
        var bytes = try FastavroFiles.bytes("blocks-null.avro")
        let block = BlockMap(bytes).blocks[3]
        let middle = (block.lowerBound + block.upperBound) / 2
        for index in middle..<middle + 24 { bytes[index] = 0xFF }
        let result = try ingest(bytes, Self.small, name: "in.avro")
        let loss = try #require(result.bad.first { $0.code.id == "SP3214" })
        #expect(loss.reason.hasPrefix("block 4: the bytes do not follow the schema; "))
        #expect(result.lines.count + result.summary.bad == 1000)
        #expect(result.summary.bad < 30)
        #expect(numbers(result).last == 999)
        #expect(!loss.bytes.isEmpty && loss.line > 1)
    }

    @Test("a deflate block that cannot be unpacked is one dead letter with the number of its records")
    func deflateBlock() throws {
        var bytes = try FastavroFiles.bytes("blocks-deflate.avro")
        let block = BlockMap(bytes).blocks[2]
        for index in block.lowerBound + 10..<block.upperBound - 16 { bytes[index] ^= 0x5A }
        let result = try ingest(bytes, Self.small, name: "in.avro")
        let loss = try #require(result.bad.first)
        #expect(result.bad.count == 1)
        let lost = 1000 - result.lines.count
        #expect(loss.reason.hasSuffix("; \(lost) records, \(loss.line) to \(loss.line + lost - 1), are lost"))
        #expect(result.summary.bad == lost)
        let kept = Array(0..<loss.line - 1) + Array(loss.line - 1 + lost..<1000)
        #expect(numbers(result) == kept.map { $0 == 500 ? 1 << 40 : $0 })
    }

    @Test("after a block head that cannot be right, reading goes on behind the next marker")
    func blockHead() throws {
        var bytes = try FastavroFiles.bytes("blocks-null.avro")
        let blocks = BlockMap(bytes).blocks
        // The size: 8,191, far beyond the block.
        let head = blocks[5].lowerBound
        let place = bytes[head] < 0x80 ? head + 1 : head + 2
        bytes[place] = 0xFE
        bytes[place + 1] = 0x7F
        let result = try ingest(bytes, Self.small, name: "in.avro")
        #expect(result.bad.map(\.code.id) == ["SP3214"])
        #expect(result.bad.first?.reason.hasPrefix("block 6: ") == true)
        #expect(result.lines.count + result.summary.bad == 1000)
        #expect(numbers(result).last == 999)
    }

    @Test("a damaged marker behind a whole block loses no record, and is said")
    func marker() throws {
        var bytes = try FastavroFiles.bytes("blocks-null.avro")
        bytes[BlockMap(bytes).blocks[1].upperBound - 3] ^= 1
        let result = try ingest(bytes, Self.small, name: "in.avro")
        #expect(result.lines.count == 1000)
        #expect(result.bad.map(\.code.id) == ["SP3214"])
        #expect(result.bad.first?.reason.hasSuffix("; no record is known to be lost") == true)
    }

    @Test("a file that is cut gives the blocks before and one dead letter", arguments: ["null", "deflate"])
    func cut(codec: String) throws {
        let bytes = try FastavroFiles.bytes("blocks-\(codec).avro")
        let block = BlockMap(bytes).blocks[4]
        let result = try ingest(Array(bytes[..<(block.upperBound - 20)]), Self.small, name: "in.avro")
        #expect(result.bad.count == 1)
        #expect(result.bad.first?.reason.hasPrefix("block 5: the file ends inside the block; ") == true)
        #expect(result.bad.first?.line == result.lines.count + 1)
        let boundary = try ingest(Array(bytes[..<block.upperBound]), Self.small, name: "in.avro")
        #expect(boundary.bad == [])
    }

    @Test("any damage anywhere gives bad records or an error, never a crash and never more records")
    func damage() throws {
        let whole = try FastavroFiles.bytes("blocks-deflate.avro")
        let bytes = Array(whole[..<BlockMap(whole).blocks[2].upperBound])
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            var damaged = bytes
            damaged[Int.random(in: damaged.indices, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
            guard let result = try? ingest(damaged, Self.small, name: "in.avro") else { continue }
            #expect(result.lines.count <= 1000)
        }
    }

    @Test("NaN stays NaN, and is refused where the field is exact")
    func notANumber() throws {
        let bytes = try FastavroFiles.bytes("all-null.avro")
        let result = try ingest(
            bytes, [testField("ratio", .decimal(precision: 30, scale: 20))], name: "in.avro"
        ) {
            $0.mappings = [.init(column: "user", field: "user_id")]
        }
        #expect(result.bad.contains { $0.code.id == "SP3205" && $0.field == "ratio" })
        #expect(result.lines.allSatisfy { !$0.contains("nan") })
    }

    @Test("a row that is refused later on has the number and the bytes of its record")
    func refusedLater() throws {
        let reader = try Self.reader(try FastavroFiles.bytes("blocks-null.avro"), Self.small, IngestOptions())
        let batch = RecordBatch(schema: reader.schema)
        var bad: [BadRecord] = []
        var seen = 0
        while let count = try reader.next(into: batch, maxRows: 100, bad: &bad), seen + count <= 700 { seen += count }
        let refused = reader.refuse(row: 2, field: "n", code: .encodingRefused, reason: "it does not fit")
        #expect(refused.line == seen + 3)
        #expect(refused.bytes.first == 4)
        #expect(reader.summary.bad == 1)
        #expect(reader.summary.good + reader.summary.bad == reader.summary.records)
    }
}
