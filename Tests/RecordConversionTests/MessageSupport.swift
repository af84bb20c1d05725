import AvroSchema
import DataPath
import Diagnostics
@testable import PlatformModel
import PluginAPI
import RecordConversion

let testPlace = SourceLocation(file: "test.yaml", line: 1, column: 1)
let testKey = HashKey(k0: 7, k1: 11)
let testPartition = TopicPartition(topic: "events.purchase", partition: 3)

func field(
    _ name: String, _ type: FieldType, nullable: Bool = false, default value: AvroDefault? = nil,
    source: String? = nil
) -> Field {
    var field = Field(name: name, location: testPlace, type: type, isNullable: nullable, defaultValue: value)
    field.sourceName = source
    return field
}

/// An event type in JSON, keyed by `user_id`.
func eventType(_ fields: [Field], time: EventTime? = nil, id: String? = nil) -> EventType {
    EventType(
        name: "purchase", location: testPlace, fields: fields, primaryKey: "user_id",
        topic: TopicDefinition(name: "events.purchase", partitions: 1),
        schema: EventType.schema(
            name: "purchase", namespace: "test", doc: nil, primaryKey: "user_id", fields: fields),
        columns: EventType.columns(primaryKey: "user_id", fields: fields), format: .json, eventTime: time,
        eventIDField: id)
}

/// A block of messages, nil = a null value; offsets count from `firstOffset`.
func block(_ messages: [String?], firstOffset: Int64 = 0) -> RecordBlock {
    let block = RecordBlock()
    for (index, message) in messages.enumerated() {
        let bytes = message.map { Array($0.utf8) }
        if let bytes {
            bytes.withUnsafeBytes { block.append(key: nil, value: $0, timestamp: 0) }
        } else {
            block.append(key: nil, value: nil, timestamp: 0)
        }
        block.entries[index].offset = firstOffset + Int64(index)
    }
    return block
}

/// What a reader makes of messages.
struct Reading {
    /// Rows as JSON lines.
    var lines: [String] = []
    var faults: [JSONMessageReader.Fault] = []
}

func read(
    _ block: RecordBlock, _ type: EventType, columns wanted: [String]? = nil, batchRows: Int = .max
) throws -> Reading {
    let columns = type.columns.filter { wanted?.contains($0.name) ?? true }
    let reader = try JSONMessageReader(eventType: type, columns: columns, hashKey: testKey)
    let batch = RecordBatch(schema: BatchSchema(columns))
    var reading = Reading()
    var start = 0
    while start < block.count {
        let end = start + min(batchRows, block.count - start)
        try reader.read(block, entries: start..<end, of: testPartition, into: batch) { reading.faults.append($0) }
        start = end
    }
    let out = ByteBuffer()
    NDJSONWriter(schema: batch.schema).write(batch, to: out)
    reading.lines = out.string.split(separator: "\n").map(String.init)
    return reading
}

func read(_ messages: [String?], _ type: EventType, columns: [String]? = nil) throws -> Reading {
    try read(block(messages), type, columns: columns)
}
