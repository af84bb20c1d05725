import AvroSchema
import Compression
import DataPath
import Diagnostics
@testable import Ingest
@testable import PlatformModel

let testPlace = SourceLocation(file: "test.yaml", line: 1, column: 1)

func testField(_ name: String, _ type: FieldType, nullable: Bool = false, default value: AvroDefault? = nil) -> Field {
    Field(
        name: name, type: type, role: .field, isNullable: nullable, defaultValue: value, doc: nil, values: [],
        generator: nil, location: testPlace)
}

/// An event type of these fields, keyed by `user_id`, with columns as the model makes them.
func testEventType(_ fields: [Field]) -> EventType {
    func leaves(_ fields: [Field], _ prefix: String, _ isNullable: Bool) -> [ColumnSpec] {
        fields.flatMap { field -> [ColumnSpec] in
            let nullable = isNullable || field.isNullable
            if case .record(let inner) = field.type { return leaves(inner, "\(prefix)\(field.name).", nullable) }
            return field.type.logicalType.map {
                [ColumnSpec(prefix + field.storedName, $0, isNullable: nullable)]
            } ?? []
        }
    }
    let fixed = [
        ColumnSpec("event_id", .string), ColumnSpec("timestamp", .timestamp), ColumnSpec("user_id", .string),
    ]
    return EventType(
        name: "purchase", description: nil, fields: fields, primaryKey: "user_id", messageKey: "user_id",
        topic: TopicDefinition(name: "events.purchase", partitions: 1), rawEvents: false,
        schema: AvroRecord(name: "purchase", fields: []), location: testPlace,
        columns: fixed + leaves(fields, "", false))
}

/// Everything that a reader gives: rows as JSON lines, bad records, the summary.
struct Ingested {
    var lines: [String] = []
    var bad: [BadRecord] = []
    var summary = IngestSummary()
}

func ingest(
    _ bytes: [UInt8], _ fields: [Field], name: String = "in.ndjson", maxRows: Int = 100,
    setUp: (inout IngestOptions) -> Void = { _ in }
) throws -> Ingested {
    var options = IngestOptions()
    setUp(&options)
    let source = IngestSource(input: MemoryInput(bytes), name: name)
    let reader = try IngestReader(source: source, eventType: testEventType(fields), options: options)
    let batch = RecordBatch(schema: reader.schema)
    let writer = NDJSONWriter(schema: reader.schema)
    var result = Ingested()
    while try reader.next(into: batch, maxRows: maxRows, bad: &result.bad) != nil {
        let out = ByteBuffer()
        writer.write(batch, to: out)
        result.lines += out.string.split(separator: "\n").map(String.init)
    }
    result.summary = reader.summary
    return result
}

func ingest(
    _ text: String, _ fields: [Field], name: String = "in.ndjson", setUp: (inout IngestOptions) -> Void = { _ in }
) throws -> Ingested {
    try ingest(Array(text.utf8), fields, name: name, setUp: setUp)
}
