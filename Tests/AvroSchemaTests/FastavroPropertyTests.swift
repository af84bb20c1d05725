import AvroSchema
import DataPath
import Foundation
import Testing

/// Random schemas and records, by fastavro.
private enum RandomSchemas {
    static let seed =
        ProcessInfo.processInfo.environment["STREAMPLAT_TEST_SEED"].flatMap(Int.init) ?? Int.random(in: 0..<1_000_000)
    static let count = 200

    struct Case: Decodable {
        var schema: String
        /// Each record in hex.
        var datums: [String]
        /// Each record as JSON text.
        var records: [String]
    }

    static let cases = Result { try FixtureScript.run("random_schemas.py", seed, count, lines: Case.self) }

    static let isRunning: Bool = {
        if case .success = cases { return true }
        return ProcessInfo.processInfo.environment["CI"] != nil
    }()

    static let reason: Comment = {
        if case .failure(let error) = cases { return Comment(rawValue: "random_schemas.py: \(error)") }
        return "fastavro is there"
    }()
}

@Suite("Random schemas, against fastavro", .enabled(if: RandomSchemas.isRunning, RandomSchemas.reason))
struct FastavroPropertyTests {
    private func json(_ text: String) throws -> NSObject? {
        try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed) as? NSObject
    }

    /// The columns of a schema's fields: the first is the time, the others are JSON.
    private func columns(_ record: AvroRecord) -> [ColumnSpec] {
        record.fields.map { field in
            var isNullable = field.type == .null
            if case .union = field.type { isNullable = true }
            return field.name == "timestamp"
                ? ColumnSpec("timestamp", .timestamp) : ColumnSpec(field.name, .json, isNullable: isNullable)
        }
    }

    @Test("our decoder reads fastavro's datums as fastavro does, and our encoder writes the same bytes again")
    func roundTrip() throws {
        let cases = try RandomSchemas.cases.get()
        #expect(cases.count == RandomSchemas.count)
        for (number, item) in cases.enumerated() {
            let place: Comment = "seed \(RandomSchemas.seed), schema \(number): \(item.schema)"
            let record = try #require(try AvroSchema.parse(json: item.schema).record, place)
            let columns = columns(record)
            let block = RecordBlock()
            for datum in item.datums {
                FixtureScript.bytes(hex: datum).withUnsafeBytes { block.append(key: nil, value: $0, timestamp: 0) }
            }
            let batch = RecordBatch(schema: BatchSchema(columns))
            AvroDecoder(plan: try .compile(writer: .record(record), columns: columns), key: HashKey(k0: 1, k1: 2))
                .decode(
                    block, entries: 0..<block.count, prefixBytes: 0, into: batch
                ) { Issue.record("\(place): record \($0): \($1)") }
            try #require(batch.rowCount == item.datums.count, place)
            for row in 0..<batch.rowCount { try compare(batch, row, item.records[row], place) }

            let written = RecordBlock()
            AvroEncoder(plan: try .compile(schema: record, columns: batch.schema)).encode(
                batch, schemaID: nil, keyColumn: nil, timestampColumn: 0, into: written
            ) { Issue.record("\(place): row \($0): \($1)") }
            #expect(
                written.entries.map { written.value($0).map(Array.init) } == item.datums.map(FixtureScript.bytes), place
            )
        }
    }

    private func compare(_ batch: RecordBatch, _ row: Int, _ text: String, _ place: Comment) throws {
        let expected = try #require(try json(text) as? [String: Any], place)
        for (spec, vector) in zip(batch.schema.columns, batch.columns) {
            var found: NSObject?
            switch vector {
            case .int64(let times): found = NSNumber(value: times.values[row])
            case .bytes(let texts): found = texts.nulls[row] ? NSNull() : try json(texts.string(row))
            default: break
            }
            #expect(found == expected[spec.name] as? NSObject, place)
        }
    }
}
