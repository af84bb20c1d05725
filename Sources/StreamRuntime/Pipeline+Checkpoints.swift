internal import DataPath
internal import Diagnostics
internal import PlatformModel
internal import PluginAPI

/// What a checkpoint is made of, and whom it is told to.
extension Pipeline {
    /// - Parameter others: See ``others(in:)``.
    func makeCheckpoint(
        _ reports: [RunControl.Report], sequence: UInt64, hashKey: HashKey, others: [Checkpoint.Section]
    ) -> Checkpoint {
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
        for (index, stream) in topology.streams.enumerated() where stream.sink != nil {
            sections.append(
                Checkpoint.Section(
                    name: Topology.sectionName(ofStream: stream.name),
                    fingerprint: topology.fingerprint(.stream(index)),
                    positions: [], shards: []))
        }
        let indexes = Dictionary(uniqueKeysWithValues: sections.enumerated().map { ($1.name, $0) })
        for position in reports.flatMap(\.positions) {
            if let index = indexes[position.section] { sections[index].positions.append(position.position) }
        }
        sections += reports.flatMap(\.letters)
        for other in others {
            if let index = indexes[other.name] {
                if sections[index].fingerprint == other.fingerprint { sections[index].positions += other.positions }
            } else if options.readsFiles, !sections.contains(where: { $0.name == other.name }) {
                sections.append(other)
            }
        }
        return Checkpoint(sequence: sequence, epoch: 0, hashKey: hashKey, sections: sections)
    }

    /// What a checkpoint counted of topics that this run does not read, because it reads files or the run before did: it
    /// stays counted.
    func others(in checkpoint: Checkpoint?) -> [Checkpoint.Section] {
        (checkpoint?.sections ?? []).compactMap { section in
            let positions = section.positions.filter { !isRead($0.partition) }
            guard !positions.isEmpty else { return nil }
            return Checkpoint.Section(
                name: section.name, fingerprint: section.fingerprint, positions: positions, shards: [])
        }
    }

    private func isRead(_ partition: TopicPartition) -> Bool {
        topology.inputs.contains { $0.eventType.topic.name == partition.topic }
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
        for position in checkpoint.sections.flatMap(\.positions) where isRead(position.partition) {
            offsets[position.partition] = min(offsets[position.partition] ?? .max, position.nextOffset)
        }
        return offsets
    }
}
