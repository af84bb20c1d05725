internal import AvroSchema
internal import Compression
internal import DataPath
internal import Diagnostics
internal import PluginAPI

/// Reads an Avro container file, a block at a time: its only partition. Threads: one.
///
/// An offset is the record's number. Damage ends the run with its place; `streamplat ingest` goes on behind it.
final class ContainerLane: PartitionReader {
    let partition: TopicPartition
    let writerSchema: String?
    private(set) var position: Int64
    private let reader: AvroContainerReader
    private let path: String

    init(_ file: InputFile, _ partition: TopicPartition, at offset: Int64) throws {
        self.partition = partition
        position = offset
        writerSchema = file.writerSchema
        path = file.path
        reader = try Self.reading(file.path) {
            try AvroContainerReader(input: FileInput(path: file.absolutePath), name: file.path)
        }
    }

    /// Not known before the file is read.
    var knownEnd: Int64? { nil }

    func fetch(into block: RecordBlock, maxBytes: Int) throws -> FetchResult {
        while try Self.reading(path, { try reader.next(into: block) }) {
            // What lies before the position was counted by an earlier run.
            if let last = block.entries.last?.offset, last < position { continue }
            if let first = block.entries.first?.offset, first < position {
                block.entries.removeFirst(Int(position - first))
            }
            position = Int64(reader.recordCount)
            return .records
        }
        return .endOfPartition
    }

    func close() {}

    private static func reading<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as InputError {
            throw PipelineError(
                .inputNotReadable, "cannot read '\(path)': \(error.reason)",
                hint: "what was counted is kept: run it again when the file can be read", component: "input")
        } catch var error as PipelineError {
            error.hint =
                error.hint ?? "what lies before is counted; `streamplat ingest` goes on behind damage"
            throw error
        }
    }
}
