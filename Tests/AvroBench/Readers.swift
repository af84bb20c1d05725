import AvroSchema
import CLibAvro
import DataPath

/// Reads a block's records into columns, as `run` does.
final class PlanReader {
    private let decoder: AvroDecoder
    private let batch: RecordBatch

    init(_ schema: AvroSchema, _ columns: [ColumnSpec]) throws {
        decoder = AvroDecoder(plan: try .compile(writer: schema, columns: columns), key: HashKey(k0: 1, k1: 2))
        batch = RecordBatch(schema: BatchSchema(columns))
    }

    func read(_ block: RecordBlock) throws {
        batch.removeAll()
        let read = decoder.decode(
            block, entries: 0..<block.count, prefixBytes: WireFormat.headerLength, into: batch, onError: { _, _ in })
        guard read == block.count else { throw Failed("\(read) of \(block.count) records were decoded") }
    }
}

/// Reads a block's records one after the other into one value of libavro, and takes what is counted out of it (strings by
/// address, without a copy).
final class LibAvroReader {
    private let reader: avro_reader_t
    private var value = avro_value_t()

    init(schemaJSON: String) throws {
        var json = schemaJSON
        var schema: avro_schema_t?
        let status = json.withUTF8 { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                avro_schema_from_json_length($0.baseAddress, $0.count, &schema)
            }
        }
        guard status == 0, let schema, let type = avro_generic_class_from_schema(schema),
            avro_generic_value_new(type, &value) == 0, let reader = avro_reader_memory(nil, 0)
        else { throw Failed("libavro refuses the schema") }
        self.reader = reader
    }

    deinit {
        avro_value_decref(&value)
        avro_reader_free(reader)
    }

    func read(_ block: RecordBlock) throws {
        for entry in block.entries {
            let start = UnsafeRawPointer(block.bytes + entry.valueStart + WireFormat.headerLength)
            let length = Int64(entry.valueLength - WireFormat.headerLength)
            avro_reader_memory_set_source(reader, start.assumingMemoryBound(to: CChar.self), length)
            guard avro_value_read(reader, &value) == 0, take() else { throw Failed("libavro refuses a record") }
        }
    }

    /// The fields of ``Purchases/counted``, by their places in the record.
    private func take() -> Bool {
        var (time, amount, text, size) = (Int64(0), 0.0, UnsafePointer<CChar>?.none, 0)
        return sp_avro_value_get_long(&value, 1, &time) == 0 && sp_avro_value_get_string(&value, 2, &text, &size) == 0
            && sp_avro_value_get_string(&value, 3, &text, &size) == 0
            && sp_avro_value_get_string(&value, 4, &text, &size) == 0
            && sp_avro_value_get_double(&value, 8, &amount) == 0
    }
}
