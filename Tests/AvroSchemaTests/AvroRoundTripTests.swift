import AvroSchema
import DataPath
import Diagnostics
import Testing

/// Everything that both plans handle, in one record.
private let everything = """
    {"type": "record", "name": "purchase", "namespace": "com.streaming.events", "fields": [
      {"name": "event_id", "type": "string"},
      {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}},
      {"name": "user_id", "type": "string"},
      {"name": "device", "type": ["null", "string"], "default": null},
      {"name": "total", "type": ["double", "null"]},
      {"name": "count", "type": ["null", "int"], "default": null},
      {"name": "ratio", "type": "float"},
      {"name": "ok", "type": "boolean"},
      {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
      {"name": "state", "type": {"type": "enum", "name": "state", "symbols": ["open", "closed"]}},
      {"name": "place", "type": ["null", {"type": "record", "name": "place", "fields": [
        {"name": "country", "type": "string"}, {"name": "lat", "type": ["null", "double"], "default": null}]}]},
      {"name": "tags", "type": {"type": "array", "items": "string"}, "default": ["a", "b"]},
      {"name": "extra", "type": {"type": "map", "values": "long"}, "default": {"k": -3}}]}
    """

private let written: [ColumnSpec] = [
    ColumnSpec("event_id", .string), ColumnSpec("timestamp", .timestamp), ColumnSpec("user_id", .string),
    ColumnSpec("device", .string, isNullable: true), ColumnSpec("total", .double, isNullable: true),
    ColumnSpec("count", .int, isNullable: true), ColumnSpec("ratio", .float), ColumnSpec("ok", .boolean),
    ColumnSpec("price", .decimal(precision: 12, scale: 2)), ColumnSpec("state", .string),
    ColumnSpec("place.country", .string, isNullable: true), ColumnSpec("place.lat", .double, isNullable: true),
]

private struct Random: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return mix(state, 0xBF58_476D_1CE4_E5B9)
    }
}

private func randomBatch(rows: Int, seed: UInt64) -> RecordBatch {
    var random = Random(state: seed)
    let batch = RecordBatch(schema: BatchSchema(written))
    for _ in 0..<rows {
        let hasPlace = Bool.random(using: &random)
        for (spec, column) in zip(written, batch.columns) {
            let isNull =
                spec.name.hasPrefix("place.")
                ? !hasPlace || spec.name == "place.lat" && Bool.random(using: &random)
                : spec.isNullable && Bool.random(using: &random)
            switch column {
            case .bytes(let vector):
                if isNull { vector.appendNull(); continue }
                vector.append(
                    spec.name == "state"
                        ? ["open", "closed"].randomElement(using: &random) ?? ""
                        : String(repeating: "ä", count: .random(in: 0..<80, using: &random)))
            case .int64(let vector):
                if isNull { vector.appendNull(); continue }
                vector.append(
                    spec.type == .int
                        ? Int64(Int32.random(in: .min ... .max, using: &random))
                        : .random(in: .min ... .max, using: &random))
            case .double(let vector):
                if isNull { vector.appendNull(); continue }
                vector.append(Double(Float.random(in: -1e6...1e6, using: &random)))
            case .boolean(let vector): vector.append(.random(using: &random))
            case .int128(let vector):
                vector.append(Int128(Int64.random(in: -999_999_999_999...999_999_999_999, using: &random)))
            case .dictionary, .hash: break
            }
        }
    }
    batch.rowCount = rows
    return batch
}

/// A batch as text, row by row.
private func rows(_ batch: RecordBatch) -> [[String]] {
    (0..<batch.rowCount).map { row in
        batch.columns.map { column in
            switch column {
            case .boolean(let vector): vector.nulls[row] ? "-" : "\(vector.values[row])"
            case .int64(let vector): vector.nulls[row] ? "-" : "\(vector.values[row])"
            case .int128(let vector): vector.nulls[row] ? "-" : "\(vector.values[row])"
            case .double(let vector): vector.nulls[row] ? "-" : "\(vector.values[row])"
            case .bytes(let vector): vector.nulls[row] ? "-" : vector.string(row)
            case .dictionary(let vector, let dictionary):
                vector.nulls[row] ? "-" : dictionary.string(vector.values[row])
            case .hash(let vector): vector.nulls[row] ? "-" : "\(vector.values[row].low),\(vector.values[row].high)"
            }
        }
    }
}

private func encoded(_ batch: RecordBatch) throws -> RecordBlock {
    guard case .record(let record) = try AvroSchema.parse(json: everything) else { return RecordBlock() }
    let encoder = AvroEncoder(plan: try .compile(schema: record, columns: batch.schema))
    let block = RecordBlock()
    encoder.encode(batch, schemaID: 7, keyColumn: 2, timestampColumn: 1, into: block) { row, error in
        Issue.record("row \(row): \(error)")
    }
    return block
}

private func decoder(_ columns: [ColumnSpec]) throws -> AvroDecoder {
    AvroDecoder(
        plan: try .compile(writer: try .parse(json: everything), columns: columns), key: HashKey(k0: 1, k1: 2))
}

@Suite("Avro encode and decode plans")
struct AvroRoundTripTests {
    @Test("what was encoded is decoded again", arguments: [1, 2, 3] as [UInt64])
    func roundTrip(seed: UInt64) throws {
        let batch = randomBatch(rows: 200, seed: seed)
        let block = try encoded(batch)
        #expect(block.value(block.entries[0]).flatMap(WireFormat.schemaID) == 7)
        let result = RecordBatch(schema: batch.schema)
        try decoder(written).decode(block, entries: 0..<block.count, prefixBytes: 5, into: result) { index, error in
            Issue.record("record \(index): \(error)")
        }
        #expect(rows(result) == rows(batch))
    }

    @Test("plain, dictionary and hash columns agree")
    func encodings() throws {
        let block = try encoded(randomBatch(rows: 100, seed: 4))
        let columns = [ColumnSpec("device", .string, isNullable: true), ColumnSpec("user_id", .string)]
        func decode(_ encoding: ColumnEncoding) throws -> RecordBatch {
            let specs = columns.map { ColumnSpec($0.name, $0.type, isNullable: $0.isNullable, encoding: encoding) }
            let batch = RecordBatch(schema: BatchSchema(specs))
            try decoder(specs).decode(block, entries: 0..<block.count, prefixBytes: 5, into: batch) { _, error in
                Issue.record("\(error)")
            }
            return batch
        }
        let plain = rows(try decode(.plain))
        #expect(rows(try decode(.dictionary)) == plain)
        let hashed = plain.map { row in
            row.map { text in
                if text == "-" { return text }
                let hash = Array(text.utf8).withUnsafeBytes { sipHash128($0, key: HashKey(k0: 1, k1: 2)) }
                return "\(hash.low),\(hash.high)"
            }
        }
        #expect(rows(try decode(.hash)) == hashed)
    }

    @Test("arrays and maps are read as JSON text, and defaults fill fields without a column")
    func json() throws {
        let block = try encoded(randomBatch(rows: 1, seed: 5))
        let columns = [ColumnSpec("tags", .json), ColumnSpec("extra", .json)]
        let batch = RecordBatch(schema: BatchSchema(columns))
        try decoder(columns).decode(block, entries: 0..<1, prefixBytes: 5, into: batch) { _, error in
            Issue.record("\(error)")
        }
        #expect(rows(batch) == [["[\"a\",\"b\"]", "{\"k\":-3}"]])
    }

    @Test("damaged records are reported and leave no partial row", arguments: [1, 2, 3, 4] as [UInt64])
    func damage(seed: UInt64) throws {
        var random = Random(state: seed)
        let block = try encoded(randomBatch(rows: 100, seed: seed))
        for index in block.entries.indices where index % 3 == 0 {
            if Bool.random(using: &random) {
                block.entries[index].valueLength = .random(in: 0..<block.entries[index].valueLength, using: &random)
            } else {
                for offset in 0..<block.entries[index].valueLength {
                    block.bytes[block.entries[index].valueStart + offset] = .random(in: 0...255, using: &random)
                }
            }
        }
        let columns = written + [ColumnSpec("tags", .json), ColumnSpec("extra", .json)]
        let batch = RecordBatch(schema: BatchSchema(columns))
        var bad = Set<Int>()
        try decoder(columns).decode(block, entries: 0..<block.count, prefixBytes: 5, into: batch) { index, _ in
            bad.insert(index)
        }
        #expect(!bad.isEmpty && bad.allSatisfy { $0 % 3 == 0 })
        #expect(batch.rowCount == 100 - bad.count)
        #expect(batch.columns.allSatisfy { $0.count == batch.rowCount })
    }

    @Test("arrays of nothing cost neither time nor memory, whatever a few bytes claim", .timeLimit(.minutes(1)))
    func emptyElements() throws {
        let schema = try AvroSchema.parse(
            json: #"{"type":"record","name":"r","fields":[{"name":"a","type":{"type":"array","items":"null"}}]}"#)
        // 100,000 blocks of 65,536 nulls, three bytes each, as zigzag varints.
        let nulls: [UInt8] = [0x80, 0x80, 0x08]
        let datum: [UInt8] = (0..<100_000).flatMap { _ in nulls } + [0]
        let block = RecordBlock()
        datum.withUnsafeBytes { block.append(key: nil, value: $0, timestamp: 0) }
        var reasons: [AvroDecodeError.Reason?] = []
        for columns in [[], [ColumnSpec("a", .json)]] {
            reasons.append(nil)
            let batch = RecordBatch(schema: BatchSchema(columns))
            AvroDecoder(plan: try .compile(writer: schema, columns: columns), key: HashKey(k0: 1, k1: 2)).decode(
                block, entries: 0..<1, prefixBytes: 0, into: batch
            ) { _, error in reasons[reasons.count - 1] = error.reason }
        }
        // Stepping over them costs nothing; as text they would be 32 GB.
        #expect(reasons == [nil, .truncated])
    }

    @Test("a field that the writer lacks is null, or an error if it must not be")
    func missing() throws {
        let block = try encoded(randomBatch(rows: 2, seed: 6))
        let columns = [ColumnSpec("coupon", .string, isNullable: true)]
        let batch = RecordBatch(schema: BatchSchema(columns))
        try decoder(columns).decode(block, entries: 0..<2, prefixBytes: 5, into: batch) { _, _ in }
        #expect(rows(batch) == [["-"], ["-"]])
        #expect(throws: AvroSchemaError.self) { try decoder([ColumnSpec("coupon", .string)]) }
    }
}

@Suite("Avro schema text")
struct AvroSchemaTextTests {
    @Test("a schema that was printed is parsed to the same schema", arguments: [true, false])
    func printing(pretty: Bool) throws {
        let schema = try AvroSchema.parse(json: everything)
        #expect(try AvroSchema.parse(json: schema.json(pretty: pretty)) == schema)
    }

    @Test("messages of a schema that unfolds to billions of types are not read", .timeLimit(.minutes(1)))
    func unfolding() throws {
        func doubling(_ depth: Int) -> String {
            var inner = #""int""#
            for level in 0..<depth {
                inner =
                    #"{"type":"record","name":"r\#(level)","fields":[{"name":"a","type":\#(inner)},"#
                    + #"{"name":"b","type":\#(level == 0 ? "\"int\"" : "\"r\(level - 1)\"")}]}"#
            }
            return inner
        }
        #expect(throws: Never.self) { try DecodePlan.compile(writer: try .parse(json: doubling(8)), columns: []) }
        let large = try AvroSchema.parse(json: doubling(40))
        let error = #expect(throws: AvroSchemaError.self) { try DecodePlan.compile(writer: large, columns: []) }
        #expect(error?.code == .schemaCannotRead)
    }

    /// Source: the test cases of the Avro project (share/test/data/schema-tests.txt).
    @Test("fingerprints are those of the Avro project")
    func fingerprint() throws {
        #expect(Int64(bitPattern: try AvroSchema.parse(json: "\"null\"").fingerprint) == 7_195_948_357_588_979_594)
        #expect(
            Int64(bitPattern: try AvroSchema.parse(json: "{\"type\":\"int\"}").fingerprint) == 8_247_732_601_305_521_295
        )
    }

    @Test(
        "a fault is reported with its place",
        arguments: [
            ("{\"type\": \"record\"", 1, 18), ("{\"type\":\n \"strin\"}", 2, 2), ("[\"null\", \"null\"]", 1, 10),
        ])
    func faults(text: String, line: Int, column: Int) throws {
        let error = #expect(throws: AvroSchemaError.self) { try AvroSchema.parse(json: text) }
        #expect(error?.line == line && error?.column == column)
    }
}
