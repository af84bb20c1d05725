internal import DataPath
internal import Diagnostics
internal import PlatformModel
internal import PluginAPI

/// What derived streams make of the batches of their event types.
extension Worker {
    /// What a consumer reads of a batch: the batch itself, or what its stream makes of it.
    func source(
        of consumer: Topology.Consumer, _ batch: RecordBatch, _ eligible: Selection?, _ partition: PartitionState,
        _ range: Range<Int>
    ) -> StreamSet.Source {
        let all = StreamSet.Source(batch: batch, rows: eligible)
        guard let name = shared.topology.streamName(of: consumer) else { return all }
        return streams[partition.input].source(of: name) { reportFailedRows($0, partition, range) } ?? all
    }

    /// Hands a copy of a stream's rows to its sink: the batch itself is used again.
    func sendRows(of stream: Int, _ source: StreamSet.Source, input: Int) {
        guard let target = shared.settings.streamTargets[stream],
            let table = streams[input][shared.topology.streams[stream].name]?.table,
            source.rows?.count ?? source.batch.rowCount > 0
        else { return }
        send(.rows(table: target, source.batch.copy(columns: table.columns, as: table.schema, rows: source.rows)))
    }

    /// The rows on which a step has failed: each is one dead letter, whoever reads the stream, unless an earlier run or round
    /// has sent it.
    private func reportFailedRows(_ failure: StreamSet.Failure, _ partition: PartitionState, _ range: Range<Int>) {
        let stream = shared.topology.streams[failure.stream]
        let step = stream.steps[failure.step]
        let rows = entryOfRow(range)
        for row in failure.rows {
            let entry = block.entries[rows[Int(row)]]
            if let reported = partition.reportedSteps[failure.stream],
                replay?.offset ?? entry.offset < reported.nextOffset
            {
                sayReported(stream, failure.stream, partition)
                continue
            }
            rowsWithLetter.insert(row)
            deadLetters.add(
                entry, of: block, partition: partition.partition,
                .init(
                    stage: .step, code: .expressionFailed,
                    message:
                        "stream '\(stream.name)', step \(failure.step + 1) (\(step.name)): its arithmetic overflows on "
                        + "this record",
                    place: step.location, step: .init(stream: stream.name, number: failure.step + 1)))
        }
    }

    private func sayReported(_ stream: DerivedStream, _ index: Int, _ partition: PartitionState) {
        guard let reported = partition.reportedSteps[index], !reported.hasSaid else { return }
        partition.reportedSteps[index]?.hasSaid = true
        shared.notify(
            "\(partition.partition.topic), partition \(partition.partition.partition): records before offset "
                + "\(reported.nextOffset) on which stream '\(stream.name)' fails are dead letters of an earlier run and are not "
                + "sent again")
    }

    /// What a checkpoint keeps of the letters of a partition's streams.
    func stepSections(_ partition: PartitionState) -> [Checkpoint.Section] {
        let input = shared.topology.inputs[partition.input]
        return input.streams.compactMap { index in
            let stream = shared.topology.streams[index]
            let readers = shared.topology.readers(of: index, in: input)
            partition.reportedSteps[index]?.advance(to: readers.map { partition.consumers[$0].nextOffset })
            return partition.reportedSteps[index]?.section(
                stream.name, fingerprint: stream.fingerprint, partition.partition)
        }
    }
}

extension Topology {
    /// The stream that a consumer reads; nil = the event type itself.
    func streamName(of consumer: Consumer) -> String? {
        switch consumer {
        case .aggregation(let index, let input): aggregations[index].streams[input]
        case .rawEvents: nil
        case .stream(let index): streams[index].name
        }
    }

    /// The positions of the consumers that read a stream, or one that is made of it.
    func readers(of stream: Int, in input: Input) -> [Int] {
        input.consumers.indices.filter { position in
            var name = streamName(of: input.consumers[position])
            while let current = name, current != streams[stream].name {
                name = streams.first { $0.name == current }?.parent
            }
            return name != nil
        }
    }
}
