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
        return streams[partition.input].source(of: name) { stream, rows in
            reportFailedRows(rows, of: stream, partition, range)
        } ?? all
    }

    /// Hands a copy of a stream's rows to its sink: the batch itself is used again.
    func sendRows(of stream: Int, _ source: StreamSet.Source, input: Int) {
        guard let target = shared.settings.streamTargets[stream],
            let table = streams[input][shared.topology.streams[stream].name]?.table,
            source.rows?.count ?? source.batch.rowCount > 0
        else { return }
        send(.rows(table: target, source.batch.copy(columns: table.columns, as: table.schema, rows: source.rows)))
    }

    /// The rows on which a step has failed: each is one dead letter, whoever reads the stream.
    private func reportFailedRows(
        _ failed: [Int32], of stream: DerivedStream, _ partition: PartitionState, _ range: Range<Int>
    ) {
        let rows = entryOfRow(range)
        for row in failed {
            deadLetters.add(
                block.entries[rows[Int(row)]], of: block, partition: partition.partition,
                .init(
                    stage: .step, code: .expressionFailed,
                    message: "stream '\(stream.name)': the arithmetic of a step overflows on this record",
                    place: stream.location))
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
}
