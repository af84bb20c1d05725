public import Compression
public import DataPath
internal import Diagnostics

/// Reads an Avro object container file block by block. Source: Avro 1.11 specification, "Object Container Files".
///
/// Any bytes end in an error that names the file, the block and the record, never in a crash. Memory: one block as it is
/// stored and one unpacked, each at most ``blockByteLimit``. Threads: one at a time.
public final class AvroContainerReader {
    /// The schema of the file's records.
    public let schema: AvroSchema
    /// How the blocks are packed.
    public let codec: AvroContainerCodec
    /// Blocks read so far; empty ones count.
    public private(set) var blockCount = 0
    /// Records handed out so far.
    public private(set) var recordCount = 0

    /// The most bytes of a block, as stored and unpacked.
    public static let blockByteLimit = 256 << 20
    /// The most records of one block when records may take no bytes, so that a few bytes cannot claim billions.
    static let emptyRecordLimit: Int64 = 65_536
    private static let headerByteLimit: Int64 = 16 << 20

    private let input: ContainerInput
    private let name: String
    private let nodes: AvroNodes
    private let root: Int
    private let marker: [UInt8]
    private var stored: [UInt8] = []

    /// Reads the header. `name` is the file's name for messages.
    ///
    /// Throws ``PipelineError``: `SP3005` for bytes that are no container, `SP3006` for another codec than null and
    /// deflate, `SP3001` and `SP3002` for a schema that is wrong; and what the input throws.
    public init(input: any ByteInput, name: String) throws {
        let input = ContainerInput(input)
        let header = try Self.header(input, name)
        guard let text = header.metadata["avro.schema"] else {
            throw Self.failure("its header has no schema", name)
        }
        let codecName = String(decoding: header.metadata["avro.codec"] ?? Array("null".utf8), as: UTF8.self)
        guard let codec = AvroContainerCodec(rawValue: codecName) else {
            throw PipelineError(
                .avroCodec, "its blocks are packed with the codec '\(codecName)'; null and deflate are supported",
                component: "file \(name)")
        }
        do {
            schema = try AvroSchema.parse(json: text)
        } catch {
            throw PipelineError(error.code, "the schema in its header: \(error)", component: "file \(name)")
        }
        var nodes = AvroNodes()
        root = nodes.add(schema)
        (self.input, self.name, self.codec, self.nodes, marker) = (input, name, codec, nodes, header.marker)
    }

    /// Replaces the block's contents with the records of the next block that has some; false at the end of the file.
    ///
    /// Each entry's value is a bare datum, its offset the record's number in the file, from 0; it has no key and the
    /// timestamp 0. Throws ``PipelineError`` `SP3005` for a damaged block, and what the input throws.
    public func next(into block: RecordBlock) throws -> Bool {
        block.removeAll()
        while block.count == 0 {
            if try input.isAtEnd() { return false }
            let (count, size) = try blockHead()
            guard try input.read(size, into: &stored) else { throw failure("the file ends inside a block") }
            try unpack(into: block)
            var found: [UInt8] = []
            guard try input.read(16, into: &found) else { throw failure("the file ends inside a block") }
            guard found == marker else { throw failure("the marker after the block is not that of the file") }
            try split(block, count: count)
            blockCount += 1
        }
        return true
    }

    private func blockHead() throws -> (count: Int64, size: Int) {
        guard let count = try input.varint(), let size = try input.varint() else {
            throw failure("the head of the block is cut or damaged")
        }
        guard count >= 0, size >= 0 else { throw failure("the block claims a negative size") }
        guard size <= Int64(Self.blockByteLimit) else {
            throw failure("the block claims more than \(Self.blockByteLimit) bytes")
        }
        return (count, Int(size))
    }

    private func unpack(into block: RecordBlock) throws {
        switch codec {
        case .null: stored.withUnsafeBytes { Self.fill(block, $0) }
        case .deflate:
            do {
                let bytes = try stored.withUnsafeBytes { bytes throws(CompressionError) in
                    try Deflate.decompress(bytes, byteLimit: Self.blockByteLimit)
                }
                bytes.withUnsafeBytes { Self.fill(block, $0) }
            } catch {
                throw failure("\(error)")
            }
        }
    }

    private static func fill(_ block: RecordBlock, _ bytes: UnsafeRawBufferPointer) {
        block.reserve(bytes.count)
        if let base = bytes.baseAddress {
            UnsafeMutableRawPointer(block.bytes).copyMemory(from: base, byteCount: bytes.count)
        }
        block.byteCount = bytes.count
    }

    /// Finds where each record ends by walking it along the schema.
    private func split(_ block: RecordBlock, count: Int64) throws {
        let minimum = nodes.nodes[root].minimumSize
        let limit = minimum == 0 ? Self.emptyRecordLimit : Int64(block.byteCount / minimum)
        guard count <= limit else { throw failure("the block claims more records than its bytes can hold") }
        block.entries.reserveCapacity(Int(count))
        let start = UnsafePointer(block.bytes)
        let end = start + block.byteCount
        var cursor = start
        for index in 0..<Int(count) {
            let valueStart = cursor - start
            guard nodes.skip(root, &cursor, end) else {
                throw failure("the bytes do not follow the schema", record: index)
            }
            block.entries.append(
                RecordBlock.Entry(
                    offset: Int64(recordCount + index), timestamp: 0, keyStart: valueStart, keyLength: -1,
                    valueStart: valueStart, valueLength: cursor - start - valueStart))
        }
        guard cursor == end else { throw failure("bytes follow the last record of the block") }
        recordCount += Int(count)
    }

    private func failure(_ reason: String, record: Int? = nil) -> PipelineError {
        var place = "block \(blockCount + 1)"
        if let record { place += ", record \(recordCount + record + 1) of the file" }
        return Self.failure("\(place): \(reason)", name)
    }

    private static func failure(_ reason: String, _ name: String) -> PipelineError {
        PipelineError(.avroContainer, reason, component: "file \(name)")
    }

    private static func header(
        _ input: ContainerInput, _ name: String
    ) throws -> (metadata: [String: [UInt8]], marker: [UInt8]) {
        var bytes: [UInt8] = []
        guard try input.read(4, into: &bytes), bytes == AvroContainer.magic else {
            throw failure("it is not an Avro container file", name)
        }
        let damaged = failure("its header is cut or damaged", name)
        var metadata: [String: [UInt8]] = [:]
        func run() throws -> [UInt8] {
            guard let length = try input.varint(), length >= 0, length <= headerByteLimit,
                try input.read(Int(length), into: &bytes)
            else { throw damaged }
            return bytes
        }
        while true {
            guard var count = try input.varint() else { throw damaged }
            if count == 0 { break }
            if count < 0 {
                // A negative count is followed by the bytes that the entries take.
                guard count != .min, try input.varint() != nil else { throw damaged }
                count = -count
            }
            for _ in 0..<count {
                let key = String(decoding: try run(), as: UTF8.self)
                metadata[key] = try run()
                guard input.offset <= Int(headerByteLimit) else { throw damaged }
            }
        }
        guard try input.read(16, into: &bytes) else { throw damaged }
        return (metadata, bytes)
    }
}
