internal import Diagnostics
internal import PluginAPI

/// How stores learn of checkpoints.
extension SinkThread {
    /// Who tells the stores of checkpoints.
    enum Marking {
        /// The process has the tables alone: with the rows, in one transaction.
        case withRows
        /// The leader of a cluster's round: when the rows of all members are committed.
        case afterAll
        /// Another member of it.
        case never
    }

    /// As ``CheckpointMark/positions``.
    static func text(of positions: [RunControl.SectionPosition]) -> String {
        var sections: [String: [String: [String: JSONValue]]] = [:]
        for position in positions {
            let partition = position.position.partition
            sections[position.section, default: [:]][partition.topic, default: [:]]["\(partition.partition)"] =
                .integer(
                    Int(position.position.nextOffset))
        }
        return JSONValue.object(
            sections.mapValues { topics in .object(topics.mapValues { .object($0) }) }
        ).text(compact: true)
    }
}
