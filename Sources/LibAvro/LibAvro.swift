internal import CLibAvro
internal import Glibc

/// The C library libavro, as a second opinion on schemas and records. Threads: any; libavro keeps its error text per
/// thread.
public enum LibAvro {
    /// What libavro refused, in its own words.
    public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// Throws ``Failure`` when libavro does not accept the schema.
    public static func check(schemaJSON: String) throws(Failure) {
        let schema = try parse(schemaJSON)
        avro_schema_decref(schema)
    }

    /// A datum of the schema as libavro prints it: JSON, unions as objects of one member.
    ///
    /// Throws ``Failure`` when libavro cannot read it, or when bytes are left over.
    public static func json(schemaJSON: String, datum: [UInt8]) throws(Failure) -> String {
        let schema = try parse(schemaJSON)
        defer { avro_schema_decref(schema) }
        guard let type = avro_generic_class_from_schema(schema) else { throw failure("no value class") }
        defer { sp_avro_value_iface_decref(type) }
        var value = avro_value_t()
        guard avro_generic_value_new(type, &value) == 0 else { throw failure("no value") }
        defer { avro_value_decref(&value) }

        // An empty datum still needs an address.
        let bytes = datum.isEmpty ? [0] : datum
        let status: (read: Int32, left: Int) = bytes.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { characters in
                guard let reader = avro_reader_memory(characters.baseAddress, Int64(datum.count)) else {
                    return (-1, 0)
                }
                defer { avro_reader_free(reader) }
                let status = avro_value_read(reader, &value)
                var left = 0
                var byte: CChar = 0
                while status == 0, avro_read(reader, &byte, 1) == 0 { left += 1 }
                return (status, left)
            }
        }
        guard status.read == 0 else { throw failure("the datum cannot be read") }
        guard status.left == 0 else { throw Failure(description: "\(status.left) bytes are left after the datum") }
        var text: UnsafeMutablePointer<CChar>?
        guard sp_avro_value_to_json(&value, &text) == 0, let text else { throw failure("no JSON") }
        defer { free(text) }
        return String(cString: text)
    }

    private static func parse(_ json: String) throws(Failure) -> avro_schema_t {
        var json = json
        var schema: avro_schema_t?
        let status = json.withUTF8 { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                avro_schema_from_json_length($0.baseAddress, $0.count, &schema)
            }
        }
        guard status == 0, let schema else { throw failure("the schema is refused") }
        return schema
    }

    private static func failure(_ fallback: String) -> Failure {
        let text = avro_strerror().map { String(cString: $0) } ?? ""
        return Failure(description: text.isEmpty ? fallback : text)
    }
}
