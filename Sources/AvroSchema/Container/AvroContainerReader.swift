public import Compression
public import DataPath
internal import Diagnostics

/// Reads an Avro object container file block by block. Source: Avro 1.11 specification, "Object Container Files".
///
/// Any bytes end in an error or a loss that names the block and the record, never in a crash. Memory: one block as it is
/// stored and one unpacked, each at most ``blockByteLimit``. Threads: one at a time.
public final class AvroContainerReader {
    /// The schema of the file's records.
    public let schema: AvroSchema
    /// How the blocks are packed.
    public let codec: AvroContainerCodec
    /// What stands behind the header and behind each block: 16 bytes.
    public let marker: [UInt8]
    /// Blocks read so far; empty and damaged ones count.
    public private(set) var blockCount = 0
    /// Records handed out so far, and those that a damaged block is known to have held.
    public private(set) var recordCount = 0

    /// The most bytes of a block, as stored and unpacked.
    public static let blockByteLimit = 256 << 20
    /// The most records of one block when records may take no bytes, so that a few bytes cannot claim billions.
    static let emptyRecordLimit: Int64 = 65_536
    /// The most records that a block of so many stored bytes can have, whatever they are.
    public static func recordLimit(storedBytes: Int64) -> Int64 {
        max(emptyRecordLimit, storedBytes * Int64(deflateRatio))
    }
    private static let headerByteLimit: Int64 = 16 << 20
    /// Memory for a block as it is stored that is kept for the next one.
    private static let keptBytes = 4 << 20
    /// Deflate makes nothing smaller than this part of it.
    private static let deflateRatio = 1032
    /// Python's writers leave (part of) zlib's checksum behind the stream.
    private static let checksumBytes = 4

    private let input: ContainerInput
    private let name: String
    private let nodes: AvroNodes
    private let root: Int
    private let walker: AvroWalker
    /// The parts of the current block.
    private var head: [UInt8] = []
    private var stored: [UInt8] = []
    private var found: [UInt8] = []

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
            try schema.checkTypeCount()
        } catch {
            throw PipelineError(error.code, "the schema in its header: \(error)", component: "file \(name)")
        }
        var nodes = AvroNodes()
        root = nodes.add(schema)
        walker = AvroWalker(nodes, root)
        (self.input, self.name, self.codec, self.nodes, marker) = (input, name, codec, nodes, header.marker)
    }

    /// Replaces the block's contents with the records of the next block that has some; false at the end of the file.
    ///
    /// Each entry's value is a bare datum, its offset the record's number in the file, from 0; it has no key and the
    /// timestamp 0. Throws ``PipelineError`` `SP3005` for a damaged block, and what the input throws.
    public func next(into block: RecordBlock) throws -> Bool {
        var losses: [AvroContainerLoss] = []
        let hasMore = try next(into: block, losses: &losses)
        if let loss = losses.first { throw Self.failure(loss.description, name) }
        return hasMore
    }

    /// As ``next(into:)``, but goes on after damage: what cannot be read of a block is appended to `losses`.
    ///
    /// A block whose records stop following the schema gives those before; after a head or an end that cannot be right,
    /// reading goes on behind the file's next marker. Returns true with an empty block when all of one was lost.
    /// Throws what the input throws.
    public func next(into block: RecordBlock, losses: inout [AvroContainerLoss]) throws -> Bool {
        let known = losses.count
        block.removeAll()
        while block.count == 0, losses.count == known {
            if try input.isAtEnd() { return false }
            blockCount += 1
            try readBlock(into: block, &losses)
        }
        return true
    }

    /// How far the file was read: where the next block begins, in bytes.
    public var byteOffset: Int { input.offset }

    /// Appends the records of the next block, which may have none; false at the end of the file.
    ///
    /// Entries are as those of ``next(into:)``. Throws as that does, and then may have appended some of the block's records.
    public func append(to block: RecordBlock) throws -> Bool {
        if try input.isAtEnd() { return false }
        blockCount += 1
        var losses: [AvroContainerLoss] = []
        try readBlock(into: block, &losses)
        if let loss = losses.first { throw Self.failure(loss.description, name) }
        return true
    }

    /// Goes on at the head of another block: `byteOffset` is its place in the file, whose bytes the input gives next;
    /// `blocks` blocks of `records` records lie before it.
    public func restart(byteOffset: Int, blocks: Int, records: Int) {
        input.restart(at: byteOffset)
        (blockCount, recordCount) = (blocks, records)
    }

    private func readBlock(into block: RecordBlock, _ losses: inout [AvroContainerLoss]) throws {
        head.removeAll(keepingCapacity: true)
        stored.removeAll(keepingCapacity: true)
        found.removeAll(keepingCapacity: true)
        guard let count = try input.varint(&head), let size = try input.varint(&head) else {
            return try skipDamage("the head of the block is cut or damaged", nil, &losses)
        }
        guard count >= 0, size >= 0 else {
            return try skipDamage("the block claims a negative size", nil, &losses)
        }
        guard size <= Int64(Self.blockByteLimit) else {
            return try skipDamage("the block claims more than \(Self.blockByteLimit) bytes", nil, &losses)
        }
        let claimed = believable(count, bytes: codec == .null ? Int(size) : Int(size) * Self.deflateRatio)
        let first = block.byteCount
        let isWhole: Bool
        if codec == .null {
            isWhole = try input.append(Int(size), to: block) && input.read(16, into: &found)
            if isWhole, found == marker { return split(block, from: first, count: count, &losses) }
            stored = Array(UnsafeBufferPointer(start: block.bytes + first, count: block.byteCount - first))
            block.byteCount = first
        } else {
            isWhole = try input.read(Int(size), into: &stored) && input.read(16, into: &found)
        }
        guard isWhole else {
            return try skipDamage("the file ends inside the block", claimed, &losses)
        }
        guard found == marker else {
            return try judgeUnmarked(block, count: count, claimed: claimed, &losses)
        }
        if let reason = unpack(into: block) {
            stored.withUnsafeBytes { lose(reason, claimed, $0, &losses) }
            return
        }
        split(block, from: first, count: count, &losses)
        if stored.capacity > Self.keptBytes { stored = [] }
    }

    /// A block without the file's marker behind it: if its records fill it exactly, the damage is the marker's alone.
    private func judgeUnmarked(
        _ block: RecordBlock, count: Int64, claimed: Int?, _ losses: inout [AvroContainerLoss]
    ) throws {
        let reason = "the marker after the block is not that of the file"
        let (first, known, bytes) = (recordCount, block.count, block.byteCount)
        var faults: [AvroContainerLoss] = []
        if count > 0, unpack(into: block) == nil { split(block, from: bytes, count: count, &faults) }
        if block.count > known, faults.isEmpty {
            return found.withUnsafeBytes { lose(reason, 0, $0, &losses) }
        }
        block.entries.removeLast(block.count - known)
        block.byteCount = bytes
        recordCount = first
        try skipDamage(reason, claimed, &losses)
    }

    /// The number of records that a block's head claims, nil when its bytes cannot hold them.
    private func believable(_ count: Int64, bytes: Int) -> Int? {
        let minimum = nodes.nodes[root].minimumSize
        let limit = minimum == 0 ? Self.emptyRecordLimit : Int64(bytes / minimum)
        return count <= limit ? Int(count) : nil
    }

    /// Passes over a block whose size cannot be trusted: everything up to and with the next marker.
    private func skipDamage(_ reason: String, _ count: Int?, _ losses: inout [AvroContainerLoss]) throws {
        let bytes = head + stored + found
        (stored.isEmpty ? head : stored).withUnsafeBytes { lose(reason, count, $0, &losses) }
        input.giveBack(bytes)
        try input.skip(past: marker)
    }

    private func lose(
        _ reason: String, _ count: Int?, _ bytes: UnsafeRawBufferPointer, _ losses: inout [AvroContainerLoss]
    ) {
        losses.append(
            AvroContainerLoss(
                block: blockCount, firstRecord: recordCount + 1, recordCount: count, reason: reason,
                bytes: Array(bytes.prefix(AvroContainerLoss.keptBytes)), byteCount: bytes.count))
        recordCount += count ?? 0
    }

    /// Appends the unpacked bytes to the block's; the reason when they cannot be unpacked.
    private func unpack(into block: RecordBlock) -> String? {
        switch codec {
        case .null: stored.withUnsafeBytes { Self.append($0, to: block) }
        case .deflate:
            do {
                let bytes = try stored.withUnsafeBytes { bytes throws(CompressionError) in
                    try Deflate.decompress(
                        bytes, byteLimit: Self.blockByteLimit, trailingLimit: Self.checksumBytes)
                }
                bytes.withUnsafeBytes { Self.append($0, to: block) }
            } catch {
                return "\(error)"
            }
        }
        return nil
    }

    private static func append(_ bytes: UnsafeRawBufferPointer, to block: RecordBlock) {
        block.reserve(bytes.count)
        if let base = bytes.baseAddress {
            UnsafeMutableRawPointer(block.bytes + block.byteCount).copyMemory(from: base, byteCount: bytes.count)
        }
        block.byteCount += bytes.count
    }

    /// Finds where each record of the bytes from `first` on ends by walking it along the schema.
    private func split(_ block: RecordBlock, from first: Int, count: Int64, _ losses: inout [AvroContainerLoss]) {
        let start = UnsafePointer(block.bytes)
        guard let count = believable(count, bytes: block.byteCount - first) else {
            return lose(
                "the block claims more records than its bytes can hold", nil,
                UnsafeRawBufferPointer(start: start + first, count: block.byteCount - first), &losses)
        }
        let found = walker.split(block, from: first, count: count, offset: Int64(recordCount), nodes)
        recordCount += found.count
        let rest = UnsafeRawBufferPointer(start: start + found.end, count: block.byteCount - found.end)
        if found.count < count {
            lose("the bytes do not follow the schema", count - found.count, rest, &losses)
        } else if !rest.isEmpty {
            lose("bytes follow the last record of the block", 0, rest, &losses)
        }
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
