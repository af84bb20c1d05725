import AvroSchema
import Compression
import DataPath
import Foundation
import LibAvro
import Testing

@Suite("libavro as a second opinion")
struct LibAvroTests {
    static let schemas: [String] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "schemas").path(percentEncoded: false)
        let paths = FileManager.default.enumerator(atPath: root)?.allObjects as? [String] ?? []
        return paths.filter { $0.hasSuffix(".avsc") }.sorted().map { "\(root)/\($0)" }
    }()

    @Test("accepts every committed schema", arguments: schemas)
    func accepts(path: String) throws {
        try LibAvro.check(schemaJSON: String(contentsOfFile: path, encoding: .utf8))
    }

    @Test(
        "refuses what is no schema",
        arguments: ["", "{", #"{"type": "recrd", "name": "a", "fields": []}"#, #"{"type": "record", "name": "a"}"#])
    func refuses(text: String) {
        #expect(throws: LibAvro.Failure.self) { try LibAvro.check(schemaJSON: text) }
    }

    private static let record = AvroRecord(
        name: "order", namespace: "com.example",
        fields: [
            AvroField(name: "event_id", type: .string),
            AvroField(name: "timestamp", type: .logical(base: .long, .timestampMillis)),
            AvroField(name: "amount", type: .union([.null, .double]), defaultValue: .null),
            AvroField(name: "count", type: .int), AvroField(name: "is_new", type: .boolean),
            AvroField(name: "stage", type: .enumeration(name: "stage", namespace: nil, symbols: ["open", "done"])),
            AvroField(
                name: "place",
                type: .record(AvroRecord(name: "place", fields: [AvroField(name: "city", type: .string)]))),
            AvroField(name: "tags", type: .array(.string)), AvroField(name: "marks", type: .map(.long)),
        ])

    @Test("reads what our encoder writes, to the last byte")
    func encoder() throws {
        let columns = BatchSchema([
            ColumnSpec("event_id", .string), ColumnSpec("timestamp", .timestamp),
            ColumnSpec("amount", .double, isNullable: true), ColumnSpec("count", .int), ColumnSpec("is_new", .boolean),
            ColumnSpec("stage", .string), ColumnSpec("place.city", .string), ColumnSpec("tags", .json),
            ColumnSpec("marks", .json),
        ])
        let batch = RecordBatch(schema: columns)
        func text(_ index: Int, _ value: String) {
            if case .bytes(let column) = batch.columns[index] { column.append(value) }
        }
        func whole(_ index: Int, _ value: Int64) {
            if case .int64(let column) = batch.columns[index] { column.append(value) }
        }
        for row in 0..<2 {
            text(0, "id \(row) ä")
            whole(1, 1_700_000_000_000 + Int64(row))
            if case .double(let column) = batch.columns[2] { row == 0 ? column.append(-1.25) : column.appendNull() }
            whole(3, Int64(row) - 300)
            if case .boolean(let column) = batch.columns[4] { column.append(row == 0) }
            text(5, row == 0 ? "open" : "done")
            text(6, "Köln")
            text(7, row == 0 ? "[]" : #"["a","b"]"#)
            text(8, #"{"x":9007199254740993}"#)
        }
        batch.rowCount = 2
        let block = RecordBlock()
        AvroEncoder(plan: try EncodePlan.compile(schema: Self.record, columns: columns)).encode(
            batch, schemaID: nil, keyColumn: nil, timestampColumn: 1, into: block
        ) { row, error in Issue.record("row \(row): \(error)") }
        let schema = AvroSchema.record(Self.record).json(pretty: false)
        let printed = try block.entries.map { entry in
            try LibAvro.json(
                schemaJSON: schema, datum: Array(block.value(entry) ?? UnsafeRawBufferPointer(start: nil, count: 0)))
        }
        // libavro writes characters beyond ASCII as escapes: compared as JSON.
        func parsed(_ text: String) throws -> NSDictionary? {
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary
        }
        let expected = [
            #"{"event_id":"id 0 ä","timestamp":1700000000000,"amount":{"double":-1.25},"count":-300,"is_new":true,"stage":"open","place":{"city":"Köln"},"tags":[],"marks":{"x":9007199254740993}}"#,
            #"{"event_id":"id 1 ä","timestamp":1700000000001,"amount":null,"count":-299,"is_new":false,"stage":"done","place":{"city":"Köln"},"tags":["a","b"],"marks":{"x":9007199254740993}}"#,
        ]
        for (text, wanted) in zip(printed, expected) { #expect(try parsed(text) == parsed(wanted)) }
    }
}

@Suite("Avro container files")
struct AvroContainerTests {
    private func container(_ codec: AvroContainerCodec, records: Int) throws -> [UInt8] {
        let schema = AvroSchema.record(
            AvroRecord(name: "pair", fields: [AvroField(name: "n", type: .long), AvroField(name: "s", type: .string)]))
        let block = RecordBlock()
        for index in 0..<records {
            var datum: [UInt8] = []
            var zigzag = UInt64(index) << 1
            while zigzag >= 0x80 {
                datum.append(UInt8(truncatingIfNeeded: zigzag) | 0x80)
                zigzag >>= 7
            }
            datum.append(UInt8(zigzag))
            datum += [4, UInt8(ascii: "o"), UInt8(ascii: "k")]
            datum.withUnsafeBytes { block.append(key: nil, value: $0, timestamp: 0) }
        }
        var bytes: [UInt8] = []
        let writer = try AvroContainerWriter(schema: schema, codec: codec) { bytes += $0 }
        try writer.append(block)
        try writer.finish()
        return bytes
    }

    private func read(_ bytes: [UInt8]) throws -> Int {
        let reader = try AvroContainerReader(input: MemoryInput(bytes), name: "test.avro")
        let block = RecordBlock()
        while try reader.next(into: block) {}
        return reader.recordCount
    }

    @Test("come back with every record", arguments: [AvroContainerCodec.null, .deflate], [0, 1, 50_000])
    func roundTrip(codec: AvroContainerCodec, records: Int) throws {
        #expect(try read(container(codec, records: records)) == records)
    }

    @Test("are the same bytes each time", arguments: [AvroContainerCodec.null, .deflate])
    func deterministic(codec: AvroContainerCodec) throws {
        #expect(try container(codec, records: 1000) == container(codec, records: 1000))
    }

    @Test("cut or damaged anywhere are refused or read as fewer records, never a crash")
    func damage() throws {
        let bytes = try container(.deflate, records: 300)
        for length in 0..<bytes.count { if let count = try? read(Array(bytes[..<length])) { #expect(count == 0) } }
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x21
            if let count = try? read(damaged) { #expect(count <= 300) }
        }
    }
}
