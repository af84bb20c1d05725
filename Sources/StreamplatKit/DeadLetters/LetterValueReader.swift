internal import AvroSchema
internal import DataPath
internal import PlatformModel
public import PluginAPI

/// Shows keys and values of dead letters: as text where they are text, and as JSON where they can be decoded.
/// Threads: one.
public final class LetterValueReader {
    private let schemas: any SchemaRegistry
    private var readers: [Int32: Reader?] = [:]

    private struct Reader {
        var nodes: AvroNodes
        var root: Int
    }

    public init(schemas: any SchemaRegistry) { self.schemas = schemas }

    /// The bytes as text when they are UTF-8 without control characters but tabs and line ends; else nil.
    public static func text(_ bytes: [UInt8]) -> String? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        let isPlain = text.unicodeScalars.allSatisfy { $0.value >= 0x20 || [0x09, 0x0A, 0x0D].contains($0.value) }
        return isPlain ? text : nil
    }

    /// Two digits a byte.
    public static func hex(_ bytes: [UInt8]) -> String {
        var text = ""
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text += byte < 16 ? "0" : ""
            text += String(byte, radix: 16)
        }
        return text
    }

    /// The JSON text of a value in the wire format of schema registries whose schema is known and fits; else nil.
    ///
    /// A registry that cannot be asked is an error.
    public func json(_ value: [UInt8]) throws -> String? {
        guard let id = value.withUnsafeBytes({ WireFormat.schemaID(of: $0) }), let reader = try reader(id) else {
            return nil
        }
        let out = OutputBuffer()
        let isWhole = value.withUnsafeBufferPointer { bytes -> Bool in
            guard let base = bytes.baseAddress else { return false }
            var cursor = base + WireFormat.headerLength
            let end = base + bytes.count
            return reader.nodes.writeJSON(reader.root, &cursor, end, to: out) && cursor == end
        }
        return isWhole ? String(decoding: out.bytes, as: UTF8.self) : nil
    }

    private func reader(_ id: Int32) throws -> Reader? {
        if let known = readers[id] { return known }
        var reader: Reader?
        // A schema that is no Avro schema decodes nothing: the value is shown as it is.
        if let text = try schemas.schema(id: id), let schema = try? AvroSchema.parse(json: text) {
            var nodes = AvroNodes()
            let root = nodes.add(schema)
            reader = Reader(nodes: nodes, root: root)
        }
        readers[id] = reader
        return reader
    }
}
