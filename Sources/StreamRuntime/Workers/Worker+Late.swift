internal import DataPath
internal import Metrics
internal import PlatformModel
internal import PluginAPI
internal import Synchronization

/// What becomes of records that came too late. They are counted in any case.
extension Worker {
    /// After an aggregation has counted a batch: gives its late records to their topic, if it asks for that. Whether a record
    /// is too late for a session may be known only later; until then the state holds it.
    func keepLateRows(_ runner: AggregationRunner, _ partition: PartitionState, _ range: Range<Int>) {
        guard runner.aggregation.late == .sideOutput else { return }
        let local = runner.local
        guard !local.lateRows.isEmpty || !local.maybeLateRows.isEmpty else { return }
        let entries = entryOfRow(range)
        func record(_ row: Int32) -> LateRecord {
            LateWriter.record(
                block.entries[entries[Int(row)]], of: block, partition: partition.partition, runner.aggregation,
                at: shared.host.clock.wallMilliseconds)
        }
        for row in local.lateRows { lateRecords.add(record(row)) }
        for maybe in local.maybeLateRows { local.keep(record(maybe.row).bytes(), of: maybe) }
    }

    /// Counts what the shard has found to be late.
    func takeLate() {
        for (aggregation, count) in shard.takeLateCounts().enumerated() { countLate(count, aggregation: aggregation) }
        for record in shard.takeLateRecords() { lateRecords.add(record) }
    }

    func countLate(_ count: Int, aggregation: Int) {
        guard count > 0 else { return }
        shared.status.lateEvents.add(count, ordering: .relaxed)
        shared.metrics.lateEvents[aggregation].increment(by: count)
    }
}
