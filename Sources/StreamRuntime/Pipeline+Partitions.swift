internal import DataPath
internal import Diagnostics
internal import PlatformModel
internal import PluginAPI

/// Where a run begins to read.
extension Pipeline {
    /// The number of partitions of each topic that is read.
    func partitionCounts() throws -> [String: Int] {
        let topics = Dictionary(uniqueKeysWithValues: try parts.broker.topics().map { ($0.name, $0.partitions) })
        var counts: [String: Int] = [:]
        for name in topology.inputs.map(\.eventType.topic.name) {
            guard let count = topics[name] else { throw notApplied(topic: name) }
            counts[name] = count
        }
        let lateTopic = LateRecord.topic(prefix: parts.topicPrefix)
        if topics[lateTopic] == nil, topology.aggregations.contains(where: { $0.late == .sideOutput }) {
            throw notApplied(topic: lateTopic)
        }
        return counts
    }

    func notApplied(topic: String) -> PipelineError {
        PipelineError(
            .notApplied, "topic '\(topic)' is not there", hint: "run `streamplat apply` first", exitCode: 3)
    }

    /// The partitions of all inputs that this process reads, by worker, and which aggregations can be counted anew from all.
    ///
    /// - Parameter topics: See ``partitionCounts()``.
    func openPartitions(
        _ crew: Crew, _ checkpoint: Checkpoint?, _ topics: [String: Int], after earlier: RecountRequests?
    ) throws -> ([[PartitionState]], RecountRequests) {
        let now = host.clock.milliseconds
        var result = crew.own.map { _ in [PartitionState]() }
        var partitionCount = 0
        var isWhole = topology.aggregations.map { _ in true }
        for held in try heldPartitions(topics) {
            let (input, partition, earliest) = (topology.inputs[held.input], held.partition, held.earliest)
            let place = "\(partition.topic), partition \(partition.partition)"
            if options.fromEarliest, earliest > 0 {
                parts.notify(
                    "\(place): retention has deleted offsets 0 to \(earliest - 1); windows that held them are counted "
                        + "without them")
            }
            let consumers = try input.consumers.map { consumer in
                try position(of: consumer, input, partition, earliest: earliest, in: checkpoint)
            }
            for case (.aggregation(let aggregation, _), let state) in zip(input.consumers, consumers)
            where state.refused.start < earliest { isWhole[aggregation] = false }
            let start = consumers.map(\.nextOffset).min() ?? earliest
            guard start <= held.next else {
                throw PipelineError(
                    .offsetOutOfRange,
                    "the checkpoint goes on at offset \(start) of \(place), which ends at \(held.next)",
                    hint: "the topic was replaced; run with --from-earliest to count what it holds now")
            }
            defer { partitionCount += 1 }
            let worker = crew.readers[partitionCount % crew.total]
            guard crew.own.contains(worker) else { continue }
            result[worker - crew.own.lowerBound].append(
                PartitionState(
                    input: held.input, partition: partition, reader: try parts.broker.makeReader(partition, at: start),
                    consumers: consumers, reported: ReportedLetters(partition, in: checkpoint, end: held.next),
                    reportedSteps: reportedSteps(input, partition, consumers, in: checkpoint, end: held.next), now: now,
                    endsForGood: options.readsFiles)
            )
        }
        return (result, RecountRequests(isPossible: isWhole, after: earlier))
    }

    /// All partitions of the inputs, with the offsets that they hold. These are asked for before the first partition is read:
    /// the answer would come behind all that has been fetched meanwhile.
    private func heldPartitions(
        _ topics: [String: Int]
    ) throws -> [(input: Int, partition: TopicPartition, earliest: Int64, next: Int64)] {
        try topology.inputs.enumerated().flatMap { index, input in
            let name = input.eventType.topic.name
            return try (0..<(topics[name] ?? 0)).map { number in
                let partition = TopicPartition(topic: name, partition: number)
                let (earliest, next) = try parts.broker.offsets(partition)
                return (index, partition, earliest, next)
            }
        }
    }

    private func reportedSteps(
        _ input: Topology.Input, _ partition: TopicPartition, _ consumers: [PartitionState.ConsumerPosition],
        in checkpoint: Checkpoint?, end: Int64
    ) -> [Int: ReportedSteps] {
        var found: [Int: ReportedSteps] = [:]
        for stream in input.streams {
            found[stream] = ReportedSteps(
                topology.streams[stream].name, fingerprint: topology.streams[stream].fingerprint, partition,
                in: checkpoint, end: end,
                readers: topology.readers(of: stream, in: input).map { consumers[$0].nextOffset })
        }
        return found
    }

    private func position(
        of consumer: Topology.Consumer, _ input: Topology.Input, _ partition: TopicPartition, earliest: Int64,
        in checkpoint: Checkpoint?
    ) throws -> PartitionState.ConsumerPosition {
        let (name, fingerprint) = (topology.sectionName(consumer, of: input), topology.fingerprint(consumer))
        let section = checkpoint?.section(name, fingerprint: fingerprint)
        guard let saved = section?.positions.first(where: { $0.partition == partition }) else {
            return .init(nextOffset: earliest, maxEventTime: .min, refused: RefusedOffsets(start: earliest))
        }
        if saved.nextOffset < earliest {
            parts.notify(
                "\(partition.topic), partition \(partition.partition): offsets \(saved.nextOffset) to \(earliest - 1) were "
                    + "deleted by retention before they were counted")
        }
        return .init(
            nextOffset: max(saved.nextOffset, earliest),
            maxEventTime: host.fault == .clockLostOnRestart ? .min : saved.maxEventTime,
            refused: try RefusedOffsets(
                name, fingerprint: fingerprint, partition, in: checkpoint, position: saved.nextOffset))
    }
}
