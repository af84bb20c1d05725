internal import Compression
public import DataPath
internal import Diagnostics

/// Writes an Avro object container file. Source: Avro 1.11 specification, "Object Container Files".
///
/// The same schema and records give the same bytes (deflate: with the same zlib), however they were split over calls:
/// the marker between blocks is derived from the schema. Memory: one block of ``blockByteCount``, or of one record if
/// that is longer. Threads: one at a time.
public final class AvroContainerWriter {
    /// A block is closed when its records take this many bytes.
    public static let blockByteCount = 64 << 10

    private let codec: AvroContainerCodec
    private let write: (UnsafeRawBufferPointer) -> Void
    private let marker: [UInt8]
    private let pending = ByteBuffer(capacity: 80 << 10)
    private var pendingCount = 0
    private let head = OutputBuffer()
    private var isFinished = false

    /// Writes the header. `write` gets the file's bytes in order; they are only valid during the call.
    ///
    /// Throws ``AvroSchemaError`` for a schema whose text does not mean the same schema again, such as one with two
    /// different types of one name.
    public init(
        schema: AvroSchema, codec: AvroContainerCodec, write: @escaping (UnsafeRawBufferPointer) -> Void
    ) throws {
        let text = schema.json(pretty: false)
        _ = try AvroSchema.parse(json: text)
        let hash = Array(text.utf8).withUnsafeBytes { sipHash128($0, key: HashKey(k0: 0x4F62_6A01, k1: 0x7379_6E63)) }
        marker = [hash.low, hash.high].flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
        (self.codec, self.write) = (codec, write)
        let header = OutputBuffer()
        header.put(AvroContainer.magic)
        header.put(varint: 2)
        for (key, value) in [("avro.codec", codec.rawValue), ("avro.schema", text)] {
            for part in [key, value] {
                header.put(varint: Int64(part.utf8.count))
                header.put(text: part)
            }
        }
        header.put(varint: 0)
        header.put(marker)
        write(header.bytes)
    }

    /// Adds the block's records; their values are bare datums of the schema, which is not checked.
    ///
    /// Throws ``PipelineError`` `SP3302` for an entry without a value, and after ``finish()``.
    public func append(_ block: RecordBlock) throws {
        guard !isFinished else { throw PipelineError(.encodingRefused, "the container file is already finished") }
        for entry in block.entries {
            guard let value = block.value(entry) else {
                throw PipelineError(.encodingRefused, "a record without a value cannot stand in a container file")
            }
            pending.append(value)
            pendingCount += 1
            // Records that take no bytes close a block too; a reader may bound their number.
            if pending.count >= Self.blockByteCount || pendingCount == AvroContainerReader.emptyRecordLimit {
                try closeBlock()
            }
        }
    }

    /// Writes the last block; the file is complete then. A second call does nothing.
    public func finish() throws {
        if isFinished { return }
        try closeBlock()
        isFinished = true
    }

    private func closeBlock() throws {
        guard pendingCount > 0 else { return }
        switch codec {
        case .null: put(pending.contents)
        case .deflate:
            do {
                try Deflate.compress(pending.contents).withUnsafeBytes { put($0) }
            } catch {
                throw PipelineError(.encodingRefused, "a block of a container file cannot be packed: \(error)")
            }
        }
        pending.removeAll()
        pendingCount = 0
    }

    private func put(_ stored: UnsafeRawBufferPointer) {
        head.removeAll()
        head.put(varint: Int64(pendingCount))
        head.put(varint: Int64(stored.count))
        write(head.bytes)
        if stored.count > 0 { write(stored) }
        marker.withUnsafeBytes { write($0) }
    }
}
