internal import DataPath
internal import Diagnostics
internal import PlatformModel
internal import PluginAPI

/// What a checkpoint is made of, and whom it is told to.
extension Pipeline {
    func makeCheckpoint(_ reports: [RunControl.Report], sequence: UInt64, hashKey: HashKey) -> Checkpoint {
        var sections: [Checkpoint.Section] = topology.aggregations.enumerated().map { index, aggregation in
            Checkpoint.Section(
                name: aggregation.name, fingerprint: aggregation.fingerprint, positions: [], shards: [],
                chains: reports.map { $0.state[index] })
        }
        for input in topology.inputs where input.eventType.rawEvents {
            sections.append(
                Checkpoint.Section(
                    name: topology.sectionName(.rawEvents, of: input), fingerprint: topology.fingerprint(.rawEvents),
                    positions: [], shards: []))
        }
        let indexes = Dictionary(uniqueKeysWithValues: sections.enumerated().map { ($1.name, $0) })
        for position in reports.flatMap(\.positions) {
            if let index = indexes[position.section] { sections[index].positions.append(position.position) }
        }
        return Checkpoint(
            sequence: sequence, epoch: 0, hashKey: hashKey, sections: sections + reports.flatMap(\.letters))
    }

    /// Tells the broker how far this domain has come. The checkpoint is the truth, so a broker that is away meanwhile only
    /// leaves its figures behind, and one that does not answer is left to itself when the run has to end.
    func commitGroupOffsets(_ checkpoint: Checkpoint) {
        let group = "streamplat.\(topology.domain)"
        let notify = parts.notify
        let broker = parts.broker
        let thread = RunThread(
            name: "group offsets", confining: lowestOffsets(checkpoint), isInline: !host.hasThreads
        ) { offsets in
            do {
                try broker.commit(group: group, offsets: offsets)
            } catch {
                notify("the broker did not take the group offsets, which only inform: \(error)")
            }
        }
        if !ending.waits(for: thread) { notify("the broker does not answer; the group offsets only inform") }
    }

    private func lowestOffsets(_ checkpoint: Checkpoint) -> [TopicPartition: Int64] {
        var offsets: [TopicPartition: Int64] = [:]
        for position in checkpoint.sections.flatMap(\.positions) {
            offsets[position.partition] = min(offsets[position.partition] ?? .max, position.nextOffset)
        }
        return offsets
    }
}
