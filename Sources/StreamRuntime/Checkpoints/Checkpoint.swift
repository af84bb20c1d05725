internal import DataPath
internal import PluginAPI

/// What a pipeline needs to go on where it stopped: offsets, clocks and window state, taken at one instant.
///
/// It is the truth about what has been counted; the broker's group offsets are advisory.
struct Checkpoint: Sendable {
    /// One reader's place in one partition.
    struct Position: Sendable {
        var partition: TopicPartition
        /// The offset of the next record to count.
        var nextOffset: Int64
        /// The highest event time counted so far, milliseconds; `Int64.min` for none.
        var maxEventTime: Int64
    }

    /// One aggregation, or the raw table of one event type.
    struct Section: Sendable {
        var name: String
        /// State of another fingerprint is not used: the section starts anew.
        var fingerprint: String
        var positions: [Position]
        /// Serialised state, one entry per shard that was; empty for raw tables.
        var shards: [[UInt8]]
    }

    /// What a sink wants to get back of one table when a run goes on from here.
    struct Store: Equatable, Sendable {
        var sink: String
        var table: String
        var state: [UInt8]
    }

    var sequence: UInt64
    /// Of the run that wrote it; 0 = not known, as in a checkpoint of version 1 or one that `apply` has changed.
    var epoch: UInt64
    /// Keys the hashes that the state holds.
    var hashKey: HashKey
    var sections: [Section]
    var stores: [Store] = []

    var number: CheckpointNumber { CheckpointNumber(epoch: epoch, sequence: sequence) }

    func section(_ name: String, fingerprint: String) -> Section? {
        sections.first { $0.name == name && $0.fingerprint == fingerprint }
    }
}
