internal import AvroSchema
internal import Compression
internal import DataPath
internal import Diagnostics
internal import PluginAPI

/// Reads the blocks of every ``LineLane/count``th chunk of an Avro container file: a partition of it. Threads: one.
///
/// A block belongs to the chunk in which it begins; chunks are dealt as those of an NDJSON file. An offset is the record's
/// number in the file. Damage ends the run with its place, once all that lies before it in the lane is read; lanes that
/// come to a chunk behind it have nothing more to read, and wait. Nothing goes on behind damage but `streamplat ingest`.
final class ContainerLane: PartitionReader {
    /// Of one fetch, but for the last block: records may take no bytes.
    private static let recordLimit = 1 << 16

    let partition: TopicPartition
    let writerSchema: String?
    /// What lies before it in the lane was counted.
    private(set) var position: Int64
    private let path: String
    private let index: ContainerIndex
    private let pace: LanePace
    private let file: PlacedFile
    private let reader: AvroContainerReader
    /// The next one of the lane's; nil before the first fetch.
    private var nextChunk: Int?
    /// Of the chunk that is being read, in bytes.
    private var chunkEnd = 0
    /// What ended the lane, perhaps behind records that were to be given first.
    private var failure: (any Error)?

    /// - Parameter index: The file's own, unless a test has another.
    init(_ file: InputFile, _ partition: TopicPartition, at offset: Int64, index: ContainerIndex) throws {
        self.partition = partition
        position = offset
        writerSchema = file.writerSchema
        path = file.path
        (self.index, pace) = (index, file.pace)
        (self.file, reader) = try Self.reading(file.path) {
            let input = try PlacedFile(path: file.absolutePath)
            return (input, try AvroContainerReader(input: input, name: file.path))
        }
    }

    /// Not known before the file is read.
    var knownEnd: Int64? { nil }

    func fetch(into block: RecordBlock, maxBytes: Int) throws -> FetchResult {
        block.removeAll()
        if let failure { throw failure }
        while block.byteCount < maxBytes, block.count < Self.recordLimit, failure == nil {
            if reader.byteOffset >= chunkEnd {
                if block.count > 0 { break }
                let result = try Self.reading(path) { try enterChunk() }
                guard result == .records else { return result }
            }
            try append(to: block)
        }
        return .records
    }

    /// Appends the next block, without the records that an earlier run has counted.
    private func append(to block: RecordBlock) throws {
        let (known, bytes) = (block.count, block.byteCount)
        do {
            guard try Self.reading(path, { try reader.append(to: block) }) else {
                chunkEnd = 0
                return
            }
        } catch {
            block.entries.removeLast(block.count - known)
            block.byteCount = bytes
            failure = error
            guard known > 0 else { throw error }
            return
        }
        defer { position = max(position, Int64(reader.recordCount)) }
        guard block.count > known, block.entries[known].offset < position else { return }
        let counted = min(Int(position - block.entries[known].offset), block.count - known)
        block.entries.removeSubrange(known..<known + counted)
        if block.count == known { block.byteCount = bytes }
    }

    /// Goes to the lane's next chunk in which a block begins.
    private func enterChunk() throws -> FetchResult {
        var chunk = try nextChunk ?? firstChunk()
        while true {
            switch try index.start(of: chunk) {
            case .end(let records):
                guard position <= records else { throw replaced(records) }
                nextChunk = chunk
                pace.leave(partition.partition)
                return .endOfPartition
            case .damage(let place):
                nextChunk = chunk
                pace.leave(partition.partition)
                // Whose lane it is has met the damage, unless the file was mended meanwhile.
                guard place.offset / index.chunkBytes % LineLane.count == partition.partition else {
                    return .nothingYet
                }
                throw PipelineError(
                    .avroContainer, "block \(place.blocks + 1), at byte \(place.offset), is damaged, or was",
                    component: "file \(path)")
            case .place(let place):
                // What is written behind the size that the file had is another run's.
                let end = min((chunk + 1) * index.chunkBytes, index.size)
                guard place.offset < end else {
                    chunk += LineLane.count
                    continue
                }
                guard pace.mayRead(chunk, lane: partition.partition) else {
                    nextChunk = chunk
                    return .nothingYet
                }
                (nextChunk, chunkEnd, file.offset) = (chunk + LineLane.count, end, place.offset)
                reader.restart(byteOffset: place.offset, blocks: place.blocks, records: place.records)
                return .records
            }
        }
    }

    private func replaced(_ records: Int) -> PipelineError {
        PipelineError(
            .offsetOutOfRange, "the checkpoint goes on at record \(position) of '\(path)', which holds \(records)",
            hint: "the file was replaced; run with --from-earliest to count what it holds now", component: "input")
    }

    /// The lane's first one that may have records from the position on.
    private func firstChunk() throws -> Int {
        let least = position > 0 ? try index.chunk(of: Int(position)) : 0
        let lanes = LineLane.count
        return least + (partition.partition - least % lanes + lanes) % lanes
    }

    func close() { pace.leave(partition.partition) }

    deinit { pace.leave(partition.partition) }

    private static func reading<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as InputError {
            throw PipelineError(
                .inputNotReadable, "cannot read '\(path)': \(error.reason)",
                hint: "what was counted is kept: run it again when the file can be read", component: "input")
        } catch var error as PipelineError {
            error.hint =
                error.hint
                ?? "what lies before is counted: mend the file and run again; or, as `streamplat ingest` goes on behind damage, "
                + "ingest the whole file and run with --from-earliest"
            throw error
        }
    }
}
