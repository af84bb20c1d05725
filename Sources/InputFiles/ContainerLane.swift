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

    init(_ file: InputFile, _ partition: TopicPartition, at offset: Int64) throws {
        self.partition = partition
        position = offset
        writerSchema = file.writerSchema
        reader = try AvroContainerReader(input: FileInput(path: file.absolutePath), name: file.path)
    }

    /// Not known before the file is read.
    var knownEnd: Int64? { nil }

    func fetch(into block: RecordBlock, maxBytes: Int) throws -> FetchResult {
        while try reader.next(into: block) {
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
}
