internal import DataPath
internal import Diagnostics
internal import PluginAPI

/// How far a partition's dead letters of decoding are in their topic already.
///
/// A new or changed aggregation reads a partition anew from its beginning; what was a bad record for the others then was
/// reported then. A fault counts as reported only if it could be seen at that time: in a column that was not decoded it
/// could not. A checkpoint keeps this as a section of its own for each partition.
struct ReportedLetters: Equatable {
    /// Records before this offset were judged.
    var nextOffset: Int64
    /// The columns that were decoded then; nil = those that are decoded now.
    var columns: Set<String>?

    static let none = ReportedLetters(nextOffset: .min)

    /// Whether the dead letter of a fault, if `current` are the columns that are decoded now, has been sent.
    func covers(_ fault: RecordDecoder.Fault, offset: Int64, current: Set<String>) -> Bool {
        guard offset < nextOffset else { return false }
        guard let columns else { return true }
        // Whether a schema can be read at all depends on all columns.
        if fault.code == .unknownSchema { return columns.isSuperset(of: current) }
        guard let field = fault.field, current.contains(field) else { return true }
        return columns.contains(field)
    }

    /// What is reported when every consumer has come to `position`, of records with the columns `current`.
    func advanced(to position: Int64, current: Set<String>) -> ReportedLetters {
        position >= nextOffset ? ReportedLetters(nextOffset: position, columns: current) : self
    }
}

extension ReportedLetters {
    /// No aggregation or event type has a name with a colon.
    private static func sectionName(_ partition: TopicPartition) -> String {
        "dead letters:\(partition.topic):\(partition.partition)"
    }

    /// Stands for columns that are not known.
    private static let anyColumns = "*"

    /// What a checkpoint says of a partition whose next offset is `end`.
    init(_ partition: TopicPartition, in checkpoint: Checkpoint?, end: Int64) {
        self = .none
        guard let checkpoint else { return }
        if let section = checkpoint.sections.first(where: { $0.name == Self.sectionName(partition) }) {
            nextOffset = section.positions.first?.nextOffset ?? .min
            if section.fingerprint != Self.anyColumns {
                columns = Set(section.fingerprint.split(separator: ",").map(String.init))
            }
        } else {
            nextOffset =
                checkpoint.sections.flatMap(\.positions).filter { $0.partition == partition }.map(\.nextOffset).max()
                ?? .min
        }
        // The topic was replaced by one that is shorter.
        if nextOffset > end { self = .none }
    }

    /// The checkpoint's section for a partition.
    func section(_ partition: TopicPartition) -> Checkpoint.Section {
        Checkpoint.Section(
            name: Self.sectionName(partition), fingerprint: columns?.sorted().joined(separator: ",") ?? Self.anyColumns,
            positions: [.init(partition: partition, nextOffset: nextOffset, maxEventTime: .min)], shards: [])
    }
}
