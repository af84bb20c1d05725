package import DataPath
package import PluginAPI

/// What a pipeline needs to go on where it stopped: offsets, clocks and window state, taken at one instant.
///
/// It is the truth about what has been counted; the broker's group offsets are advisory.
package struct Checkpoint: Sendable {
    /// One reader's place in one partition.
    package struct Position: Sendable {
        package var partition: TopicPartition
        /// The offset of the next record to count.
        package var nextOffset: Int64
        /// The highest event time counted so far, milliseconds; `Int64.min` for none.
        package var maxEventTime: Int64
    }

    /// One aggregation, the raw table of one event type, or the table of one stream.
    package struct Section: Sendable {
        package var name: String
        /// State of another fingerprint is not used: the section starts anew.
        package var fingerprint: String
        package var positions: [Position]
        /// What is small enough for the checkpoint's own file. Of aggregations only in checkpoints of versions 1 and 2: their
        /// whole state, one entry per shard that was.
        package var shards: [[UInt8]]
        /// Where the state of an aggregation lies, one entry per shard that was: all of it as it once was, then what changed
        /// from each checkpoint to the next.
        package var chains: [[StateFile]] = []

        /// Whether it says how far the rows of a table have come.
        func isOf(table: String) -> Bool {
            name == table || name == "raw:\(table)" || name == Topology.sectionName(ofStream: table)
        }
    }

    /// What a sink wants to get back of one table when a run goes on from here.
    package struct Store: Equatable, Sendable {
        package var sink: String
        package var table: String
        package var state: [UInt8]
    }

    package var sequence: UInt64
    /// Of the run that wrote it; 0 = not known, as in a checkpoint of version 1 or one that `apply` has changed.
    package var epoch: UInt64
    /// Keys the hashes that the state holds.
    package var hashKey: HashKey
    package var sections: [Section]
    package var stores: [Store] = []

    /// The names of the files that belong to it.
    var fileNames: Set<String> { Set(files.map(\.name)) }

    /// All parts of the state of all aggregations.
    var files: [StateFile] { sections.flatMap { $0.chains.flatMap { $0 } } }

    /// Bytes of state that were written for this checkpoint.
    var writtenStateBytes: Int {
        sections.reduce(0) { $0 + $1.chains.reduce(0) { $0 + ($1.last?.length ?? 0) } }
    }

    package var number: CheckpointNumber { CheckpointNumber(epoch: epoch, sequence: sequence) }

    func section(_ name: String, fingerprint: String) -> Section? {
        sections.first { $0.name == name && $0.fingerprint == fingerprint }
    }
}
