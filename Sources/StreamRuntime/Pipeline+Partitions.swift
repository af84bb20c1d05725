internal import DataPath
internal import Diagnostics
internal import PlatformModel
internal import PluginAPI

/// Where a run begins to read.
extension Pipeline {
    func openPartitions(_ checkpoint: Checkpoint?) throws -> [PartitionState] {
        let now = Worker.now()
        let topics = Dictionary(uniqueKeysWithValues: try parts.broker.topics().map { ($0.name, $0.partitions) })
        var result: [PartitionState] = []
        let lateTopic = LateRecord.topic(prefix: parts.topicPrefix)
        if topics[lateTopic] == nil, topology.aggregations.contains(where: { $0.late == .sideOutput }) {
            throw PipelineError(
                .notApplied, "topic '\(lateTopic)' is not there", hint: "run `streamplat apply` first", exitCode: 3)
        }
        for (index, input) in topology.inputs.enumerated() {
            let name = input.eventType.topic.name
            guard let count = topics[name] else {
                throw PipelineError(
                    .notApplied, "topic '\(name)' is not there", hint: "run `streamplat apply` first", exitCode: 3)
            }
            for number in 0..<count {
                let partition = TopicPartition(topic: name, partition: number)
                let (earliest, next) = try parts.broker.offsets(partition)
                if options.fromEarliest, earliest > 0 {
                    parts.notify(
                        "\(name), partition \(number): retention has deleted offsets 0 to \(earliest - 1); windows that "
                            + "held them are counted without them")
                }
                let consumers = input.consumers.map { consumer in
                    position(of: consumer, input, partition, earliest: earliest, in: checkpoint)
                }
                let start = consumers.map(\.nextOffset).min() ?? earliest
                guard start <= next else {
                    throw PipelineError(
                        .offsetOutOfRange,
                        "the checkpoint goes on at offset \(start) of \(name), partition \(number), which ends at \(next)",
                        hint: "the topic was replaced; run with --from-earliest to count what it holds now")
                }
                result.append(
                    PartitionState(
                        input: index, partition: partition, reader: try parts.broker.makeReader(partition, at: start),
                        consumers: consumers, reported: ReportedLetters(partition, in: checkpoint, end: next), now: now)
                )
            }
        }
        return result
    }

    private func position(
        of consumer: Topology.Consumer, _ input: Topology.Input, _ partition: TopicPartition, earliest: Int64,
        in checkpoint: Checkpoint?
    ) -> PartitionState.ConsumerPosition {
        let section = checkpoint?.section(
            topology.sectionName(consumer, of: input), fingerprint: topology.fingerprint(consumer))
        guard let saved = section?.positions.first(where: { $0.partition == partition }) else {
            return .init(nextOffset: earliest, maxEventTime: .min)
        }
        if saved.nextOffset < earliest {
            parts.notify(
                "\(partition.topic), partition \(partition.partition): offsets \(saved.nextOffset) to \(earliest - 1) were "
                    + "deleted by retention before they were counted")
        }
        return .init(nextOffset: max(saved.nextOffset, earliest), maxEventTime: saved.maxEventTime)
    }
}
