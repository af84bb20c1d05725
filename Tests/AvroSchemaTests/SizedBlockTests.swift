import AvroSchema
import DataPath
import Foundation
import Testing

/// Data whose arrays and maps lie in blocks with a size, by fastavro.
private enum SizedBlocks {
    struct Case: Decodable {
        struct Datum: Decodable {
            var hex: String
            /// The array or map as JSON text.
            var value: String
            /// The text behind it.
            var last: String
        }

        var schema: String
        var data: [Datum]
    }

    static let cases = Result { try FixtureScript.run("sized_blocks.py", 5, 60, lines: Case.self) }

    static let isRunning: Bool = {
        if case .success = cases { return true }
        return ProcessInfo.processInfo.environment["CI"] != nil
    }()

    static let reason: Comment = {
        if case .failure(let error) = cases { return Comment(rawValue: "sized_blocks.py: \(error)") }
        return "fastavro is there"
    }()
}

/// A block of an array or map may say how many bytes it takes, so that a reader who does not want it need not look inside.
@Suite("Avro blocks with a size")
struct SizedBlockTests {
    /// Decodes these columns of the data; what else the schema has is skipped.
    private func decode(
        _ data: [[UInt8]], _ schema: String, _ columns: [ColumnSpec]
    ) throws -> (batch: RecordBatch, faults: [Int]) {
        let record = try #require(try AvroSchema.parse(json: schema).record)
        let block = RecordBlock()
        for datum in data { datum.withUnsafeBytes { block.append(key: nil, value: $0, timestamp: 0) } }
        let batch = RecordBatch(schema: BatchSchema(columns))
        var faults: [Int] = []
        AvroDecoder(plan: try .compile(writer: .record(record), columns: columns), key: HashKey(k0: 1, k1: 2))
            .decode(block, entries: 0..<block.count, prefixBytes: 0, into: batch) { index, _ in faults.append(index) }
        return (batch, faults)
    }

    private func texts(_ batch: RecordBatch, _ column: Int) -> [String] {
        guard case .bytes(let vector) = batch.columns[column] else { return [] }
        return (0..<batch.rowCount).map { vector.string($0) }
    }

    private static let timestamp = ColumnSpec("timestamp", .timestamp)
    private static let last = ColumnSpec("last", .string)

    private func schema(_ type: String) -> String {
        """
        {"type": "record", "name": "event", "fields": [
          {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}},
          {"name": "value", "type": \(type)}, {"name": "last", "type": "string"}]}
        """
    }

    @Test(
        "what is behind fastavro's elements is found, whether they are read or skipped",
        .enabled(if: SizedBlocks.isRunning, SizedBlocks.reason))
    func fastavro() throws {
        let cases = try SizedBlocks.cases.get()
        #expect(cases.count == 3)
        for item in cases {
            let data = item.data.map { FixtureScript.bytes(hex: $0.hex) }
            let skipped = try decode(data, item.schema, [Self.timestamp, Self.last])
            #expect(skipped.faults.isEmpty && texts(skipped.batch, 1) == item.data.map(\.last))
            let read = try decode(data, item.schema, [Self.timestamp, ColumnSpec("value", .json), Self.last])
            #expect(read.faults.isEmpty && texts(read.batch, 2) == item.data.map(\.last))
            for (found, wanted) in zip(texts(read.batch, 1), item.data.map(\.value)) {
                let pair = try [found, wanted].map {
                    try JSONSerialization.jsonObject(with: Data($0.utf8)) as? NSObject
                }
                #expect(pair[0] != nil && pair[0] == pair[1])
            }
        }
    }

    @Test(
        "a block is skipped by its size: nobody looks at the elements in it",
        arguments: [
            #"{"type": "array", "items": "string"}"#, #"{"type": "array", "items": ["null", "double"]}"#,
            #"{"type": "map", "values": "long"}"#,
            #"{"type": "array", "items": {"type": "array", "items": {"type": "map", "values": "bytes"}}}"#,
        ])
    func bySize(_ type: String) throws {
        // Time 5; a block of -2 elements in 12 bytes that are none, another of -1 in 2 bytes, the end; the text "end".
        let nonsense = [UInt8](repeating: 0xFF, count: 12)
        let datum: [UInt8] = [10, 3, 24] + nonsense + [1, 4, 0xFF, 0xFF, 0, 6] + Array("end".utf8)
        let skipped = try decode([datum], schema(type), [Self.timestamp, Self.last])
        #expect(skipped.faults.isEmpty && texts(skipped.batch, 1) == ["end"])
        // Who reads them finds out.
        let read = try decode([datum], schema(type), [Self.timestamp, ColumnSpec("value", .json), Self.last])
        #expect(read.faults == [0] && read.batch.rowCount == 0)
    }

    @Test(
        "a size that is negative, beyond the end or not there makes the record a bad one",
        arguments: [[3, 1], [3, 200, 1], [3], [1, 8, 0xFF]] as [[UInt8]])
    func wrongSize(_ block: [UInt8]) throws {
        let sound: [UInt8] = [10, 0, 6] + Array("end".utf8)
        let bad = [10] + block
        let found = try decode(
            [bad, sound], schema(#"{"type": "array", "items": "string"}"#), [Self.timestamp, Self.last])
        #expect(found.faults == [0] && texts(found.batch, 1) == ["end"])
    }
}
