import AvroSchema
import DataPath

extension FuzzTarget {
    /// Two schemas and a datum, separated by zero bytes: a schema is printed and read back; compatibility is judged in
    /// both directions; a datum of any schema is decoded to JSON or refused.
    static let schema = FuzzTarget("schema") { input in
        let parts = input.parts(3)
        var graphs: [SchemaGraph] = []
        for text in parts.prefix(2) {
            guard let graph = try? SchemaGraph.parse(json: text) else { continue }
            _ = graph.invalidDefaults()
            graphs.append(graph)
        }
        for reader in graphs {
            for writer in graphs {
                for finding in SchemaCompatibility.findings(reader: reader, writer: writer) {
                    try promise(!finding.reason.isEmpty, "a finding without a reason")
                    _ = finding.suggestion(changing: .reader) + finding.suggestion(changing: .writer)
                }
            }
        }
        guard let schema = try? AvroSchema.parse(json: parts[0]) else { return }
        for pretty in [false, true] {
            let text = schema.json(pretty: pretty)
            let again = try? AvroSchema.parse(json: text)
            try promise(again?.json(pretty: pretty) == text, "printed and read back as another schema: \(text)")
        }
        guard parts.count > 2, let record = schema.record else { return }
        try decode(parts[2], of: schema, columns: record.fields.map { ColumnSpec($0.name, .json, isNullable: true) })
    }

    private static func decode(_ datum: [UInt8], of schema: AvroSchema, columns: [ColumnSpec]) throws {
        guard let plan = try? DecodePlan.compile(writer: schema, columns: columns),
            let skipping = try? DecodePlan.compile(writer: schema, columns: [])
        else { return }
        let block = RecordBlock()
        datum.withUnsafeBytes { block.append(key: nil, value: $0, timestamp: 0) }
        let batch = RecordBatch(schema: BatchSchema(columns))
        var faults = 0
        AvroDecoder(plan: plan, key: HashKey(k0: 1, k1: 2)).decode(
            block, entries: 0..<1, prefixBytes: 0, into: batch
        ) { _, error in
            faults += error.description.isEmpty ? 0 : 1
        }
        try promise(batch.rowCount + faults == 1, "neither a row nor a fault")
        _ = lines(batch)
        // What can be decoded can be skipped; skipping judges less.
        let nothing = RecordBatch(schema: BatchSchema([]))
        AvroDecoder(plan: skipping, key: HashKey(k0: 1, k1: 2)).decode(
            block, entries: 0..<1, prefixBytes: 0, into: nothing
        ) { _, _ in }
        try promise(nothing.rowCount >= batch.rowCount, "a datum that is decoded and cannot be skipped")
    }

    /// A message of a known schema: decoded or refused, a bad one leaves no row; what was decoded is encoded and decoded
    /// to the same row. The first byte chooses how strings are held.
    static let avro = FuzzTarget("avro") { input in
        guard let (variant, message) = input.variant else { return }
        let encodings: [ColumnEncoding] = [.plain, .dictionary, .hash]
        let encoding = encodings[Int(variant) % 3]
        let columns = FuzzSchema.columns.map { spec -> ColumnSpec in
            var spec = spec
            if spec.type == .string { spec.encoding = encoding }
            return spec
        }
        // The message, the first half of it, the message.
        let block = RecordBlock()
        for part in [message, UnsafeRawBufferPointer(rebasing: message.prefix(message.count / 2)), message] {
            block.append(key: nil, value: part, timestamp: 0)
        }
        let batch = RecordBatch(schema: BatchSchema(columns))
        var bad: Set<Int> = []
        let decoder = AvroDecoder(
            plan: try .compile(writer: FuzzSchema.schema, columns: columns), key: HashKey(k0: 1, k1: 2))
        decoder.decode(block, entries: 0..<3, prefixBytes: WireFormat.headerLength, into: batch) { index, error in
            bad.insert(index)
            _ = error.description
        }
        try promise(bad.count + batch.rowCount == 3, "\(batch.rowCount) rows and \(bad.count) faults of 3 messages")
        try promise(batch.columns.allSatisfy { $0.count == batch.rowCount }, "columns of different lengths")
        try promise(bad.contains(0) == bad.contains(2), "a message is decoded once and refused once")
        guard encoding != .hash else { return }
        let text = lines(batch)
        let rows = text.split(separator: "\n")
        if !bad.contains(0) { try promise(rows.first == rows.last, "a message is decoded to two different rows") }

        let record = try FuzzSchema.schema.record
        guard let record else { throw BrokenPromise(description: "the schema is no record") }
        let encoder = AvroEncoder(plan: try .compile(schema: record, columns: batch.schema))
        let written = RecordBlock()
        var refused = 0
        encoder.encode(batch, schemaID: 7, keyColumn: 0, timestampColumn: 1, into: written) { _, error in
            refused += 1
            _ = error.description
        }
        try promise(written.count + refused == batch.rowCount, "an encoded row is lost")
        let second = RecordBatch(schema: batch.schema)
        decoder.decode(written, entries: 0..<written.count, prefixBytes: WireFormat.headerLength, into: second) {
            _, _ in refused += batch.rowCount + 1
        }
        try promise(refused <= batch.rowCount, "what was encoded cannot be decoded")
        if refused == 0 { try promise(lines(second) == text, "decoded, encoded and decoded to another row:\n\(text)") }
    }
}

/// A record with everything that the plans handle.
private enum FuzzSchema {
    static var schema: AvroSchema { get throws { try result.get() } }
    private static let result = Result {
        try AvroSchema.parse(
            json: """
                {"type": "record", "name": "everything", "namespace": "fuzz", "fields": [
                  {"name": "id", "type": "string"},
                  {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}},
                  {"name": "device", "type": ["null", "string"], "default": null},
                  {"name": "total", "type": ["double", "null"]},
                  {"name": "count", "type": ["null", "int"], "default": null},
                  {"name": "ratio", "type": "float"},
                  {"name": "ok", "type": "boolean"},
                  {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
                  {"name": "fee", "type": {"type": "fixed", "name": "fee", "size": 5,
                     "logicalType": "decimal", "precision": 9, "scale": 3}},
                  {"name": "state", "type": {"type": "enum", "name": "state", "symbols": ["open", "closed"]}},
                  {"name": "seen", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}]},
                  {"name": "skipped", "type": {"type": "array", "items": "null"}, "default": []},
                  {"name": "place", "type": ["null", {"type": "record", "name": "place", "fields": [
                    {"name": "country", "type": "string"}, {"name": "lat", "type": ["null", "double"]}]}]},
                  {"name": "tags", "type": {"type": "array", "items": "string"}},
                  {"name": "legs", "type": {"type": "array", "items": {"type": "record", "name": "leg", "fields": [
                    {"name": "carrier", "type": "string"}, {"name": "day", "type": {"type": "int", "logicalType": "date"}},
                    {"name": "km", "type": {"type": "bytes", "logicalType": "decimal", "precision": 8, "scale": 1}}]}}},
                  {"name": "extra", "type": {"type": "map", "values": ["null", "float"]}}]}
                """)
    }

    static let columns = [
        ColumnSpec("id", .string), ColumnSpec("timestamp", .timestamp),
        ColumnSpec("device", .string, isNullable: true), ColumnSpec("total", .double, isNullable: true),
        ColumnSpec("count", .int, isNullable: true), ColumnSpec("ratio", .float), ColumnSpec("ok", .boolean),
        ColumnSpec("price", .decimal(precision: 12, scale: 2)), ColumnSpec("fee", .decimal(precision: 9, scale: 3)),
        ColumnSpec("state", .string), ColumnSpec("seen", .timestamp, isNullable: true),
        ColumnSpec("place.country", .string, isNullable: true), ColumnSpec("place.lat", .double, isNullable: true),
        ColumnSpec("tags", .json), ColumnSpec("legs", .json), ColumnSpec("extra", .json),
    ]
}
