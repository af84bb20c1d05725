import AvroSchema
import DataPath
import Testing

/// The record that one field stands in.
private func record(_ type: String) throws -> AvroRecord? {
    try AvroSchema.parse(
        json: """
            {"type": "record", "name": "event", "fields": [
              {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}},
              {"name": "value", "type": \(type)}, {"name": "last", "type": "string"}]}
            """
    ).record
}

/// Encodes texts (nil = null) as the field and decodes them as JSON; nil for a row that was refused.
private func roundTrip(
    _ texts: [String?], _ type: String, encoding: ColumnEncoding = .plain
) throws -> (rows: [String?], faults: [Int: AvroEncodeError]) {
    let record = try #require(try record(type))
    let columns = [
        ColumnSpec("timestamp", .timestamp), ColumnSpec("value", .json, isNullable: true, encoding: encoding),
        ColumnSpec("last", .string),
    ]
    let batch = RecordBatch(schema: BatchSchema(columns))
    for (row, text) in texts.enumerated() {
        guard case .int64(let times) = batch.columns[0], case .bytes(let last) = batch.columns[2] else { break }
        times.append(Int64(row))
        last.append("row \(row)")
        switch (batch.columns[1], text) {
        case (.bytes(let vector), let text?): vector.append(text)
        case (.bytes(let vector), nil): vector.appendNull()
        case (.dictionary(let codes, let dictionary), let text?):
            codes.append(Array(text.utf8).withUnsafeBytes { dictionary.code(for: $0) })
        case (.dictionary(let codes, _), nil): codes.appendNull()
        default: break
        }
    }
    batch.rowCount = texts.count
    let block = RecordBlock(byteCapacity: 64)
    var faults: [Int: AvroEncodeError] = [:]
    AvroEncoder(plan: try .compile(schema: record, columns: batch.schema)).encode(
        batch, schemaID: 1, keyColumn: 0, timestampColumn: 0, into: block
    ) { faults[$0] = $1 }

    let plain = columns.map { ColumnSpec($0.name, $0.type, isNullable: $0.isNullable) }
    let result = RecordBatch(schema: BatchSchema(plain))
    AvroDecoder(plan: try .compile(writer: .record(record), columns: plain), key: HashKey(k0: 1, k1: 2)).decode(
        block, entries: 0..<block.count, prefixBytes: 5, into: result
    ) { index, error in Issue.record("record \(index): \(error)") }
    var rows = [String?](repeating: nil, count: texts.count)
    guard case .int64(let times) = result.columns[0], case .bytes(let values) = result.columns[1],
        case .bytes(let last) = result.columns[2]
    else { return ([], [:]) }
    for row in 0..<result.rowCount {
        let source = Int(times.values[row])
        rows[source] = values.nulls[row] ? nil : values.string(row)
        #expect(last.string(row) == "row \(source)")
        #expect(block.key(block.entries[row])?.elementsEqual(String(source).utf8) == true)
    }
    return (rows, faults)
}

private let item = """
    {"type": "record", "name": "item", "fields": [
      {"name": "sku", "type": "string"}, {"name": "count", "type": "int", "default": 1},
      {"name": "price_cents", "type": ["null", "long"], "default": null},
      {"name": "tags", "type": {"type": "array", "items": "string"}, "default": []}]}
    """
private let decimal = """
    {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 3}
    """

@Suite("Avro fields written from JSON text")
struct AvroJSONColumnTests {
    @Test(
        "JSON as the decoder prints it is encoded and decoded to the same text",
        arguments: [
            (#"{"type": "array", "items": "string"}"#, [#"["a","ä\"\\\n","\u0001","🎈"]"#, "[]"]),
            (#"{"type": "array", "items": ["null", "int"]}"#, ["[1,null,-2147483648]"]),
            (#"{"type": "array", "items": ["long", "null"]}"#, ["[null,9223372036854775807,-9223372036854775808]"]),
            (#"{"type": "map", "values": "double"}"#, [#"{"x":0.1,"ä":-1e-300,"n":"NaN","i":"-Infinity"}"#, "{}"]),
            (#"{"type": "array", "items": "float"}"#, ["[0.1,16777216.0,3.4028235e+38,1e-45]"]),
            ("{\"type\": \"map\", \"values\": \(decimal)}", [#"{"a":12345678901234567.890,"b":-0.001,"c":0.000}"#]),
            (
                "{\"type\": \"array\", \"items\": \(item)}",
                [
                    #"[{"sku":"a","count":2,"price_cents":1999,"tags":["x"]},{"sku":"b","count":1,"price_cents":null,"tags":[]}]"#
                ]
            ),
            (
                #"{"type": "array", "items": {"type": "map", "values": {"type": "array", "items": "boolean"}}}"#,
                [
                    #"[{"a":[true,false],"b":[]},{}]"#
                ]
            ),
            (#"{"type": "array", "items": {"type": "fixed", "name": "f", "size": 2}}"#, [#"["ÿ\u0000","ab"]"#]),
            (#"{"type": "map", "values": "bytes"}"#, [#"{"k":"aÿ¡","e":""}"#]),
            (
                #"{"type": "array", "items": {"type": "enum", "name": "e", "symbols": ["on", "off"]}}"#,
                [#"["off","on"]"#]
            ),
            (
                #"{"type": "array", "items": {"type": "long", "logicalType": "timestamp-micros"}}"#,
                ["[-1,1700000000000001]"]
            ),
            (item, [#"{"sku":"a","count":2,"price_cents":5,"tags":[]}"#]),
        ])
    func same(type: String, texts: [String]) throws {
        for encoding in [ColumnEncoding.plain, .dictionary] {
            let result = try roundTrip(texts, type, encoding: encoding)
            #expect(result.rows == texts)
            #expect(result.faults.isEmpty)
        }
    }

    @Test(
        "other forms of a value are brought to the decoder's form",
        arguments: [
            (#"{"type": "array", "items": {"type": "int", "logicalType": "date"}}"#, #"["1970-01-03", -1]"#, "[2,-1]"),
            (
                #"{"type": "array", "items": {"type": "long", "logicalType": "timestamp-millis"}}"#,
                #"[ "1970-01-01T00:00:01.5Z" , "1970-01-01T01:00:00+01:00", 7 ]"#, "[1500,0,7]"
            ),
            (
                #"{"type": "array", "items": {"type": "long", "logicalType": "timestamp-micros"}}"#,
                #"["1970-01-01T00:00:01.5"]"#, "[1500000]"
            ),
            ("{\"type\": \"array\", \"items\": \(decimal)}", #"["1.5",2,1e2]"#, "[1.500,2.000,100.000]"),
            (#"{"type": "array", "items": "long"}"#, "[3.0,1e3]", "[3,1000]"),
            (#"{"type": "map", "values": "string"}"#, #"{"\u00e4":"\ud83c\udf88\/"}"#, #"{"ä":"🎈/"}"#),
            (
                item, #"{"tags":["t"],"other":{"deep":[1,{}]},"sku":"a","price_cents":9}"#,
                #"{"sku":"a","count":1,"price_cents":9,"tags":["t"]}"#
            ),
            (item, #"{"sku":"a"}"#, #"{"sku":"a","count":1,"price_cents":null,"tags":[]}"#),
        ])
    func forms(type: String, text: String, printed: String) throws {
        #expect(try roundTrip([text], type).rows == [printed])
    }

    @Test("null is the null branch, as a null row and as JSON text")
    func null() throws {
        let result = try roundTrip([nil, "null", "[1]"], #"["null", {"type": "array", "items": "int"}]"#)
        #expect(result.rows == [nil, nil, "[1]"])
        #expect(result.faults.isEmpty)
        #expect(try roundTrip([nil], #"{"type": "array", "items": "int"}"#).faults[0]?.reason == .nullNotAllowed)
    }

    @Test("many elements and long texts need more than one byte of count and make the block grow")
    func large() throws {
        let numbers = "[" + (0..<70_000).map(String.init).joined(separator: ",") + "]"
        let texts = [numbers, "[]", "[" + [String](repeating: "1", count: 64).joined(separator: ",") + "]"]
        #expect(try roundTrip(texts, #"{"type": "array", "items": "int"}"#).rows == texts)
    }

    @Test(
        "a text that does not fit is reported with its field, and other rows go on",
        arguments: [
            (#"{"type": "array", "items": "int"}"#, "[1,", .malformedJSON, "value"),
            (#"{"type": "array", "items": "int"}"#, "[1] 2", .malformedJSON, "value"),
            (#"{"type": "array", "items": "int"}"#, "", .malformedJSON, "value"),
            (#"{"type": "array", "items": "int"}"#, "[01]", .malformedJSON, "value"),
            (#"{"type": "array", "items": "int"}"#, #"["1"]"#, .wrongType, "value"),
            (#"{"type": "array", "items": "int"}"#, "{}", .wrongType, "value"),
            (#"{"type": "array", "items": "int"}"#, "[1.5]", .wrongType, "value"),
            (#"{"type": "array", "items": "int"}"#, "[null]", .nullNotAllowed, "value"),
            (#"{"type": "array", "items": "int"}"#, "[2147483648]", .outOfRange, "value"),
            (#"{"type": "array", "items": "double"}"#, "[1e999]", .outOfRange, "value"),
            (#"{"type": "array", "items": "string"}"#, #"["\ud800"]"#, .malformedJSON, "value"),
            (#"{"type": "array", "items": "bytes"}"#, #"["Ā"]"#, .wrongType, "value"),
            (
                #"{"type": "array", "items": {"type": "enum", "name": "e", "symbols": ["on"]}}"#, #"["of"]"#,
                .unknownSymbol, "value"
            ),
            (
                #"{"type": "array", "items": {"type": "fixed", "name": "f", "size": 2}}"#, #"["abc"]"#, .wrongLength,
                "value"
            ),
            ("{\"type\": \"array\", \"items\": \(decimal)}", "[1.2345]", .tooManyFractionDigits, "value"),
            ("{\"type\": \"array\", \"items\": \(decimal)}", "[1e17]", .outOfRange, "value"),
            ("{\"type\": \"array\", \"items\": \(item)}", #"[{"sku":"a"},{"count":1}]"#, .missingField, "value.sku"),
            ("{\"type\": \"array\", \"items\": \(item)}", #"[{"sku":"a","tags":[true]}]"#, .wrongType, "value.tags"),
            ("{\"type\": \"array\", \"items\": \(item)}", #"[{"sku":"a","sku":"a"}]"#, .malformedJSON, "value"),
            (item, "{\"x\":" + String(repeating: "[", count: 100_000), .malformedJSON, "value"),
        ] as [(String, String, AvroEncodeError.Reason, String)])
    func faults(type: String, text: String, reason: AvroEncodeError.Reason, field: String) throws {
        let good = type == item ? #"{"sku":"a","count":2,"price_cents":5,"tags":[]}"# : "[]"
        let result = try roundTrip([good, text, good], type)
        #expect(result.faults == [1: AvroEncodeError(reason, field: field)])
        #expect(result.rows == [good, nil, good])
    }

    @Test("damaged text never crashes", arguments: 1...4)
    func damage(seed: Int) throws {
        let good = #"[{"sku":"a\u00e4","count":2,"price_cents":1999,"tags":["x","y"]},{"tags":[],"z":[{}],"sku":"b"}]"#
        var state = UInt64(seed)
        let texts = (0..<500).map { _ -> String? in
            var bytes = Array(good.utf8)
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let place = Int(state >> 33) % bytes.count
                switch state >> 29 & 3 {
                case 0: bytes.remove(at: place)
                case 1: bytes.insert(bytes[(place * 7 + 3) % bytes.count], at: place)
                case 2: bytes[place] = bytes[(place * 5 + 1) % bytes.count]
                default: bytes.removeLast(min(bytes.count - 1, place / 8))
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        let result = try roundTrip(texts, "{\"type\": \"array\", \"items\": \(item)}")
        for (row, text) in result.rows.enumerated() { #expect((text == nil) == (result.faults[row] != nil)) }
    }

    @Test("a union of several types is refused")
    func wideUnion() throws {
        let record = try #require(try record(#"{"type": "array", "items": ["null", "int", "string"]}"#))
        #expect(throws: AvroSchemaError.self) {
            try EncodePlan.compile(
                schema: record,
                columns: BatchSchema([
                    ColumnSpec("timestamp", .timestamp), ColumnSpec("value", .json), ColumnSpec("last", .string),
                ]))
        }
    }
}
